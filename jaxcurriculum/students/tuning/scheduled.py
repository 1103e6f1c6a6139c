"""Settings that follow fixed schedules."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes, Key, PyTree
from jaxcurriculum.students.tuning.tune import Rule, with_settings

Schedule = Callable[[jax.Array], jax.Array]  # rounds finished [] -> value []


def scheduled(**schedules: Schedule) -> Rule:
    """A rule for `tune`: each named setting is a function of the rounds that are finished.

    Schedules are those of optax, or any function of an int32 [].

    Raises:
      ValueError: when there is none, or one is no function.

    >>> import optax
    >>> scheduled(learning_rate=optax.linear_schedule(1e-3, 0.0, 100)).settings
    ('learning_rate',)
    """
    if not schedules:
        raise ValueError("scheduled must be given at least one schedule, got none.")
    for name, schedule in schedules.items():
        if not callable(schedule):
            raise ValueError(f"scheduled.{name} must be a function of the round, got {schedule!r}.")

    def at(student_state: PyTree, round: jax.Array) -> PyTree:
        values = {name: schedule(round) for name, schedule in schedules.items()}
        return with_settings(student_state, **values)

    def init(key: Key, student_state: PyTree) -> tuple[PyTree, PyTree]:
        return (), at(student_state, jnp.int32(0))

    def update(
        key: Key, state: PyTree, student_state: PyTree, tests: Episodes | None, round: jax.Array
    ) -> tuple[PyTree, PyTree]:
        return state, at(student_state, round + 1)

    return Rule(
        name="scheduled",
        settings=tuple(schedules),
        needs_tests=False,
        init=init,
        update=update,
        config={name: repr(schedule) for name, schedule in schedules.items()},
    )
