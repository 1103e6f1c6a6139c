"""Several learners at once, for teachers that compare them."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from jaxcurriculum import tree
from jaxcurriculum.fields import check_flags, check_kind, is_integer
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Student


def population(student: Student, n: int, share: bool = True) -> Student:
    """`n` students that are alike but for their random numbers; `Episodes.learner` says who played.

    With `share` all practise the same proposals, so that their returns compare: for regret, a
    rollout with `assign="slot"` and `carry=False` gives every learner every level. Without it each
    has proposals of its own. An evaluation holds every learner's attempts at a test task one after
    the other. The policy that is shown (`act`) is the first learner's.

    Raises:
      ValueError: when `n` is no positive integer, or `share` is not True or False.

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> pair = population(toy_grid(), 2)
    >>> pair.name, pair.steps_per_round // toy_grid().steps_per_round
    ('2 x toy-grid', 2)
    """
    check_kind("population.student", student, Student)
    check_flags(share=share)
    if not is_integer(n, 1):
        raise ValueError(f"population.n must be a positive integer, got {n!r}.")

    def init(key: Key) -> PyTree:
        return jax.vmap(student.init)(jax.random.split(key, n))

    def train(
        key: Key, state: PyTree, proposals: Proposals, round: jax.Array
    ) -> tuple[PyTree, Episodes]:
        keys = jax.random.split(key, n)
        if share:
            axes = (0, 0, None, None)
            state, episodes = jax.vmap(student.train, axes)(keys, state, proposals, round)
        else:
            own = jax.tree.map(lambda leaf: leaf.reshape(n, -1, *leaf.shape[1:]), proposals)
            axes = (0, 0, 0, None)
            state, episodes = jax.vmap(student.train, axes)(keys, state, own, round)
        return state, _joined(_numbered(episodes))

    def evaluate(
        key: Key,
        state: PyTree,
        tasks: PyTree,
        seeds: jax.Array,
        num_episodes: int,
        deterministic: bool,
    ) -> Episodes:
        def one(key: Key, state: PyTree) -> Episodes:
            return student.evaluate(key, state, tasks, seeds, num_episodes, deterministic)

        episodes = _numbered(jax.vmap(one)(jax.random.split(key, n), state))
        num_tasks = seeds.shape[0]

        def by_task(leaf: jax.Array) -> jax.Array:
            grouped = leaf.reshape(n, num_tasks, num_episodes, *leaf.shape[2:])
            return jnp.swapaxes(grouped, 0, 1).reshape(-1, *leaf.shape[2:])

        return jax.tree.map(by_task, episodes)

    def report(state: PyTree) -> dict[str, jax.Array]:
        each = jax.vmap(student.report)(state)
        return {name: _summary(value) for name, value in each.items()}

    def acting(state: PyTree) -> PyTree:
        return student.acting(tree.take(state, 0))

    return dataclasses.replace(
        student,
        name=f"{n} x {student.name}",
        num_proposals=student.num_proposals if share else n * student.num_proposals,
        steps_per_round=n * student.steps_per_round,
        init=init,
        train=train,
        evaluate=evaluate,
        report=report,
        acting=acting,
        num_learners=n,
        share=share,
    )


def _numbered(episodes: Episodes) -> Episodes:
    """Episodes [learners, num, ...] that say whose they are."""
    num_learners, num = episodes.returns.shape
    learner = jnp.broadcast_to(
        jnp.arange(num_learners, dtype=jnp.int32)[:, None], (num_learners, num)
    )
    return episodes.replace(learner=learner)


def _joined(episodes: Episodes) -> Episodes:
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), episodes)


def _summary(values: jax.Array) -> jax.Array:
    """One number for all learners: counts add up, anything else is averaged."""
    if jnp.issubdtype(values.dtype, jnp.integer):
        return jnp.sum(values, dtype=values.dtype)
    return jnp.mean(values)
