"""The teacher sees returns in [0, 1]."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from jaxcurriculum.fields import check_kind, is_range
from jaxcurriculum.records import Episodes, Key, PyTree
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.teachers.parts.ring import is_measured


def normalise_returns(teacher: Teacher, low: float, high: float) -> Teacher:
    """`teacher`, to which a return r is clip((r - low) / (high - low), 0, 1).

    Nothing else that it sees changes. A return that is not usable (see `Episodes`) stays what it
    is, so that the teacher leaves it out.

    Raises:
      TypeError: when `teacher` is none.
      ValueError: unless low < high, both finite, in float32.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.random import random
    >>> teacher = random(Box(names=("height",), low=(0.0,), high=(3.0,)))
    >>> normalise_returns(teacher, -150.0, 350.0).name
    'random'
    """
    check_kind("normalise_returns.teacher", teacher, Teacher)
    if not is_range((low, high)):
        raise ValueError(
            f"normalise_returns must have low < high, both finite, in float32, got low={low!r} and"
            f" high={high!r}."
        )
    low, high = float(low), float(high)  # an integer might not fit in int32

    def in_unit(returns: jax.Array) -> jax.Array:
        return jnp.clip((returns - low) / (high - low), 0.0, 1.0)

    def scaled(episodes: Episodes) -> Episodes:
        unit = in_unit(episodes.returns)
        returns = jnp.where(is_measured(episodes.returns), unit, episodes.returns)
        return episodes.replace(returns=returns)

    def update(
        key: Key, state: PyTree, episodes: Episodes, context: Context
    ) -> tuple[PyTree, jax.Array]:
        def probe(*args) -> Episodes:
            return scaled(context.probe(*args))

        known = context.optimal_return
        optimal_return = known and (lambda task: in_unit(known(task)))
        inner = Context(context.round, context.num_steps, probe, optimal_return)
        return teacher.update(key, state, scaled(episodes), inner)

    return dataclasses.replace(teacher, update=update)
