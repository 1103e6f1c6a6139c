"""Levels and episodes to feed to the teachers that replay them."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Box, Context, Episodes
from jaxcurriculum.records import CriticScores
from jaxcurriculum.testing.compiling import quick_jit

SQUARE = Box(names=("x", "y"), low=(0.0, 0.0), high=(10.0, 10.0))


class Pair:
    """A space that is no Box: two corners of the unit square, as a dictionary of equal leaves."""

    def sample(self, key):
        first, second = jax.random.uniform(key, (2, 2))
        return {"first": first, "second": second}

    def contains(self, task):
        return jnp.all(jnp.stack([(leaf >= 0) & (leaf <= 1) for leaf in task.values()]))

    def clip(self, task):
        return jax.tree.map(lambda leaf: jnp.clip(leaf, 0.0, 1.0), task)

    def columns(self, tasks):
        return {name: np.asarray(leaf) for name, leaf in tasks.items()}

    def embed(self, task):
        return None

    def mutate(self, key, task, scale):
        return self.clip(
            jax.tree.map(lambda leaf: leaf + scale * jax.random.normal(key, leaf.shape), task)
        )


def episodes_of(tasks, seeds, origin=None, valid=None, **fields):
    """Episodes of levels ([num, ...] tasks and [num] seeds); a field that is not given is nan,
    `solved` False, a length 10 steps.
    """
    num, tasks = len(seeds), jnp.asarray(tasks) if isinstance(tasks, list) else tasks
    blank = jnp.full((num,), jnp.nan, jnp.float32)
    names = [each.name for each in dataclasses.fields(CriticScores)]
    scores = {name: jnp.asarray(fields.get(name, blank), jnp.float32) for name in names}
    return Episodes(
        tasks=jax.tree.map(lambda leaf: jnp.asarray(leaf, jnp.float32), tasks),
        seeds=jnp.asarray(seeds, jnp.uint32),
        origin=jnp.full((num,), -1, jnp.int32)
        if origin is None
        else jnp.asarray(origin, jnp.int32),
        learner=jnp.zeros((num,), jnp.int32),
        returns=jnp.asarray(fields.get("returns", jnp.zeros((num,))), jnp.float32),
        lengths=jnp.asarray(fields.get("lengths", jnp.full((num,), 10)), jnp.int32),
        solved=jnp.asarray(fields.get("solved", jnp.zeros((num,))), bool),
        valid=jnp.ones((num,), bool) if valid is None else jnp.asarray(valid, bool),
        critic=CriticScores(**scores),
    )


def practise(teacher, student, num, rounds, key):
    """Rounds of a teacher with a made-up student, (key, proposals) -> episodes: its final state
    and what it proposed, [rounds, num].
    """

    def one_round(state, inputs):
        key, round = inputs
        keys = jax.random.split(key, 3)
        state, proposals = teacher.propose(keys[0], state, num)
        context = Context(round=round, num_steps=round, probe=lambda *_: None)
        state, _ = teacher.update(keys[1], state, student(keys[2], proposals), context)
        return state, proposals

    inputs = (jax.random.split(key, rounds), jnp.arange(rounds, dtype=jnp.int32))
    return quick_jit(lambda inputs: jax.lax.scan(one_round, teacher.init(key), inputs))(inputs)
