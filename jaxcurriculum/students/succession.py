"""Several learners one after the other, for teachers that train a policy for each of some tasks."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Student


class SuccessionState(struct.PyTreeNode):
    """All learners, trained or not yet, and whose turn it was in the last round."""

    learners: PyTree  # [n, ...], the student's own states
    turn: jax.Array  # [], int32


def succession(student: Student, n: int, rounds_each: int) -> Student:
    """`n` students that are alike but for their random numbers, each trained for `rounds_each`.

    They take turns by the number of the round, and the last one goes on for as long as there are
    rounds. The others cost no time and change nothing. Whose turn it is plays the evaluations and
    probes (`Episodes.learner` says who), reports, and is the policy that is shown. The learners
    stay in `state.student.learners` of a loop's state.

    Raises:
      ValueError: when `n` or `rounds_each` is no positive integer.

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> succession(toy_grid(), 3, 100).name
    '3 x toy-grid in turn'
    """
    check_kind("succession.student", student, Student)
    for name, value in (("n", n), ("rounds_each", rounds_each)):
        if not is_integer(value, 1):
            raise ValueError(f"succession.{name} must be a positive integer, got {value!r}.")

    def init(key: Key) -> SuccessionState:
        learners = jax.vmap(student.init)(jax.random.split(key, n))
        return SuccessionState(learners=learners, turn=jnp.int32(0))

    def train(
        key: Key, state: SuccessionState, proposals: Proposals, round: jax.Array
    ) -> tuple[SuccessionState, Episodes]:
        turn = jnp.minimum(round // rounds_each, n - 1)
        learner, episodes = student.train(
            key, tree.take(state.learners, turn), proposals, round - turn * rounds_each
        )
        learners = jax.tree.map(lambda all, one: all.at[turn].set(one), state.learners, learner)
        return SuccessionState(learners=learners, turn=turn), _of(turn, episodes)

    def evaluate(key: Key, state: SuccessionState, *asked) -> Episodes:
        return _of(state.turn, student.evaluate(key, current(state), *asked))

    def current(state: SuccessionState) -> PyTree:
        return tree.take(state.learners, state.turn)

    def report(state: SuccessionState) -> dict[str, jax.Array]:
        return student.report(current(state))

    def acting(state: SuccessionState) -> PyTree:
        return student.acting(current(state))

    return dataclasses.replace(
        student,
        name=f"{n} x {student.name} in turn",
        init=init,
        train=train,
        evaluate=evaluate,
        report=report,
        acting=acting,
        num_learners=1,  # at a time
    )


def _of(turn: jax.Array, episodes: Episodes) -> Episodes:
    return episodes.replace(learner=jnp.full_like(episodes.learner, turn))
