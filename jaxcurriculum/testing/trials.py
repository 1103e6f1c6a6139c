"""Roles on trial: made-up episodes and random actions, compiled once for all laws."""

from __future__ import annotations

import functools
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Context, Environment, Episodes, Space, Teacher, TimeStep, tree
from jaxcurriculum.records import CriticScores, Key, Proposals, PyTree, fresh_proposals, level_key
from jaxcurriculum.testing.compiling import quick_jit

NUM = 64  # proposals a round
NUM_ROUNDS = 20
NUM_STEPS = 300  # of an environment
NUM_STARTS = 64  # of a level


class Changed(NamedTuple):
    """What is to be different about the episodes of a round."""

    valid: np.ndarray  # [NUM], bool: slots that may be valid
    broken: np.ndarray  # [NUM], bool: slots whose return is `broken_return`
    broken_return: np.float32  # []
    blank: np.float32  # [], what stands where an episode has no number


EVERY_SLOT = np.ones(NUM, bool)
UNCHANGED = Changed(EVERY_SLOT, ~EVERY_SLOT, np.float32(np.nan), np.float32(np.nan))


class Round(NamedTuple):
    """What one round made of a teacher's state."""

    proposals: Proposals
    proposed: PyTree  # the state after `propose`
    state: PyTree  # the state after `update`
    probe_steps: jax.Array


def made_up_episodes(
    key: Key, space: Space, proposals: Proposals, return_scale: float = 100.0
) -> Episodes:
    """What a student could report: smooth returns, some slots invalid and full of nan."""
    num = proposals.seeds.shape[0]
    key_noise, key_valid = jax.random.split(key)
    means = [leaf.reshape(num, -1).mean(1) for leaf in jax.tree.leaves(proposals.tasks)]
    position = jnp.stack(means).mean(0)
    returns = return_scale * (jnp.sin(position) + 0.1 * jax.random.normal(key_noise, (num,)))
    valid = jax.random.bernoulli(key_valid, 0.7, (num,))
    blank = jnp.where(valid, 0.1 * returns, jnp.nan)
    scores = CriticScores(blank, blank, blank, blank, blank, blank)
    return Episodes.of(
        proposals.replace(tasks=_blank_where(~valid, proposals.tasks)),
        jnp.where(valid, returns, jnp.nan),
        returns > 0,
        lengths=jnp.full((num,), 10, jnp.int32),
        valid=valid,
        critic=scores,
    )


def _blank_where(mask: jax.Array, tasks: PyTree) -> PyTree:
    """`tasks`, of which those where `mask` holds are nan (0 where they are no floats)."""

    def nothing(leaf: jax.Array) -> jax.Array:
        is_float = jnp.issubdtype(leaf.dtype, jnp.floating)
        return jnp.full_like(leaf, jnp.nan if is_float else 0)

    return tree.where(mask, jax.tree.map(nothing, tasks), tasks)


def _change(episodes: Episodes, changed: Changed) -> Episodes:
    def fill(leaf: jax.Array) -> jax.Array:
        is_float = jnp.issubdtype(leaf.dtype, jnp.floating)
        return jnp.where(jnp.isnan(leaf), changed.blank, leaf) if is_float else leaf

    episodes = jax.tree.map(fill, episodes)
    returns = jnp.where(changed.broken, changed.broken_return, episodes.returns)
    return episodes.replace(returns=returns, valid=episodes.valid & changed.valid)


def _context(round: jax.Array, space: Space) -> Context:
    def probe(key, tasks, seeds, num_episodes, deterministic):
        key_proposals, key_episodes = jax.random.split(key)
        asked = (tasks, seeds)
        tasks, seeds = jax.tree.map(lambda x: jnp.repeat(x, num_episodes, axis=0), asked)
        proposals = fresh_proposals(key_proposals, tasks).replace(seeds=seeds)
        return made_up_episodes(key_episodes, space, proposals)

    return Context(round=round, num_steps=(round + 1) * 1000, probe=probe)


def teacher_round(teacher: Teacher, space: Space, num: int):
    """One round of propose and update as a function of (key, state, round, changed) -> Round."""

    def one_round(
        key: Key, state: PyTree, round: jax.Array, changed: Changed | None = None
    ) -> Round:
        key_propose, key_student, key_update = jax.random.split(key, 3)
        proposed, proposals = teacher.propose(key_propose, state, num)
        episodes = made_up_episodes(key_student, space, proposals)
        episodes = episodes if changed is None else _change(episodes, changed)
        state, probe_steps = teacher.update(key_update, proposed, episodes, _context(round, space))
        return Round(proposals, proposed, state, probe_steps)

    return one_round


def run_teacher(
    teacher: Teacher, space: Space, key: Key, num: int, rounds: int
) -> tuple[PyTree, Proposals]:
    """Final state and the proposals of every round, [rounds, num, ...]."""
    one_round = teacher_round(teacher, space, num)

    def step(state, inputs):
        result = one_round(inputs[0], state, inputs[1])
        return result.state, result.proposals

    keys = jax.random.split(key, rounds)
    return jax.lax.scan(step, teacher.init(key), (keys, jnp.arange(rounds, dtype=jnp.int32)))


class TeacherTrial:
    """A teacher, one compiled round of it, and what its first rounds were."""

    def __init__(self, teacher: Teacher, space: Space):
        self.name = teacher.name
        self.space = space
        self.num_traces = 0
        one_round = teacher_round(teacher, space, NUM)

        def counted(*arguments) -> Round:
            self.num_traces += 1
            return one_round(*arguments)

        self.init = quick_jit(teacher.init)
        self._round = quick_jit(counted)
        self.rounds_together = quick_jit(jax.vmap(one_round, in_axes=(0, 0, None)))

    def round(self, key: Key, state: PyTree, round: int, changed: Changed = UNCHANGED) -> Round:
        return self._round(key, state, np.int32(round), changed)

    @functools.cached_property
    def rounds(self) -> list[Round]:
        """The first rounds, from one state to the next."""
        rounds = []
        state = self.init(jax.random.key(0))
        for round, key in enumerate(jax.random.split(jax.random.key(1), NUM_ROUNDS)):
            rounds.append(self.round(key, state, round))
            state = rounds[-1].state
        return rounds

    def next_round(self, **changed) -> Round:
        """A round from a state that has seen some episodes, always with the same random numbers."""
        return self.round(jax.random.key(2), self.rounds[7].state, 8, UNCHANGED._replace(**changed))


class EnvironmentTrial:
    """An environment and its compiled episodes: alone, of many keys, of a table of keys; of
    NUM_STEPS steps, or `whole` ones of many keys.

    `starts` has, for each of many keys, the observations of other starts of the same level.
    """

    def __init__(self, env: Environment):
        self.env = env

        def level_of(key_task: Key, key_level: Key) -> PyTree:
            task = env.task_space.sample(key_task)
            return env.generate(level_key(jax.random.bits(key_level)), task)

        def episode(key: Key, num_steps: int = NUM_STEPS) -> tuple[TimeStep, TimeStep]:
            key_task, key_level, key_reset, key_steps = jax.random.split(key, 4)
            level = level_of(key_task, key_level)
            state, first = env.reset(key_reset, level)

            def step(state, key):
                key_action, key_step = jax.random.split(key)
                return env.step(key_step, level, state, env.action_space.sample(key_action))

            return first, jax.lax.scan(step, state, jax.random.split(key_steps, num_steps))[1]

        def starts(key: Key) -> PyTree:
            key_task, key_level, key_reset, _ = jax.random.split(key, 4)
            level = level_of(key_task, key_level)
            keys = jax.random.split(key_reset, NUM_STARTS)
            return jax.vmap(lambda key: env.reset(key, level)[1].obs)(keys)

        self.alone = quick_jit(episode)
        self.together = quick_jit(jax.vmap(episode))
        self.nested = quick_jit(jax.vmap(jax.vmap(episode)))
        self.whole = quick_jit(jax.vmap(lambda key: episode(key, env.max_episode_steps)))
        self.starts = quick_jit(jax.vmap(starts))
