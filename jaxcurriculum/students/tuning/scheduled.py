"""Settings that follow fixed schedules."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.records import Episodes, Key, PyTree
from jaxcurriculum.students.tuning.tune import Rule, with_settings

Schedule = Callable[[jax.Array], jax.Array]  # rounds finished [] -> value []


def scheduled(**schedules: Schedule) -> Rule:
    """A rule for `tune`: each named setting is a function of the rounds that are finished.

    Schedules are those of optax, or any function of an int32 []. Their values are clipped to the
    bounds of the setting; the first one must lie within.

    Raises:
      ValueError: when there is none, or one is no function from the round to a number.

    >>> import optax
    >>> scheduled(learning_rate=optax.linear_schedule(1e-3, 0.0, 100)).settings
    ('learning_rate',)
    """
    if not schedules:
        raise ValueError("scheduled must be given at least one schedule, got none.")
    firsts = {name: _first(name, schedule) for name, schedule in schedules.items()}

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
        ranges={name: (min(first), max(first)) for name, first in firsts.items() if first},
        config={name: repr(schedule) for name, schedule in schedules.items()},
    )


def _first(name: str, schedule: Any) -> list[float]:
    """What a schedule begins with, of each learner; nothing where it is not known while traced.

    Raises:
      ValueError: when it is no function from an int32 [] to one number, or one a learner.
    """
    rule = f"scheduled.{name} must be a function of the round (an int32 []) to a number"
    if not callable(schedule):
        raise ValueError(f"{rule}, got {schedule!r}.")
    try:
        made = jax.eval_shape(schedule, jax.ShapeDtypeStruct((), jnp.int32))
    except TypeError as error:
        raise ValueError(f"{rule}, but: {str(error).splitlines()[0]}") from error
    kind = getattr(made, "dtype", np.dtype(object)).kind
    if kind not in "iuf":
        raise ValueError(f"{rule}, got one to {made!r:.100}.")
    try:
        with jax.ensure_compile_time_eval():
            return np.ravel(np.asarray(schedule(jnp.int32(0)))).tolist()
    except jax.errors.JAXTypeError:
        return []
