"""The student is a beginner again from time to time, and no teacher is told."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Config, field
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Student
from jaxcurriculum.students.wrapped import with_state


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForgettingConfig(Config):
    """When the student starts anew."""

    every: int = field(
        7_000_000,
        low=1,
        help="steps (episodes of simulated students) between two beginnings",
    )


class ForgettingState(struct.PyTreeNode):
    """The student, and how far it is in its life."""

    student: PyTree
    key: Key  # life number i begins as student.init(fold_in(key, i))
    num_resets: jax.Array  # [], int32, lives that are over
    num_steps: jax.Array  # [], int32, trained since the last multiple of `every`


def forgetting(student: Student, config: ForgettingConfig | None = None) -> Student:
    """`student`, but a beginner again every so many steps.

    Networks, optimiser, running statistics, unfinished episodes: all of it begins anew. A life ends
    before the first round that begins at or after a multiple of `every` steps; an evaluation right
    there still shows the old one. Life number i begins as `student.init(jax.random.fold_in(key,
    i))`.

    Raises:
      ValueError: when `every` is less than a round.

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> forgetting(toy_grid(), ForgettingConfig(every=1000)).name
    'toy-grid, forgetting'
    """
    check_kind("forgetting.student", student, Student)
    config = given(config, ForgettingConfig)
    if config.every < student.steps_per_round:
        raise ValueError(
            f"ForgettingConfig.every must be at least a round of {student.steps_per_round} steps,"
            f" got {config.every}."
        )

    def init(key: Key) -> ForgettingState:
        learner = student.init(jax.random.fold_in(key, 0))
        zero = jnp.zeros((), jnp.int32)
        return ForgettingState(student=learner, key=key, num_resets=zero, num_steps=zero)

    def train(
        key: Key, state: ForgettingState, proposals: Proposals, round: jax.Array
    ) -> tuple[ForgettingState, Episodes]:
        is_due = state.num_steps >= config.every
        num_resets = state.num_resets + is_due

        def begin_anew(old: PyTree) -> PyTree:
            fresh = student.init(jax.random.fold_in(state.key, num_resets))
            return jax.tree.map(lambda new, old: jnp.where(is_due, new, old), fresh, old)

        learner = jax.lax.cond(shared_max(is_due), begin_anew, lambda old: old, state.student)
        learner, episodes = student.train(key, learner, proposals, round)
        num_before = jnp.where(is_due, state.num_steps - config.every, state.num_steps)
        state = state.replace(
            student=learner,
            num_resets=num_resets,
            num_steps=num_before + student.steps_per_round,
        )
        return state, episodes

    return with_state(student, "forgetting", init, train, lambda state: student)
