"""A teacher of some axes; the others stay where they are put."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.fields import are_numbers, check_kind
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box


def in_subspace(
    make: Callable[[Box], Teacher], space: Box, bounds: Mapping[str, float | tuple[float, float]]
) -> Teacher:
    """The teacher `make` (subspace) of the axes of `space` not fixed, some of them narrower.

    Args:
      make: called once, with the box of the remaining axes.
      space: the task space whose tasks are proposed.
      bounds: by axis, a number at which it is fixed, or a pair (low, high) within which the teacher
          stays.

    Raises:
      TypeError: when `make` is no function that gives a teacher, `space` is no Box, or `bounds` is
          no mapping.
      ValueError: when an axis does not exist, a bound lies outside the space, or nothing is left to
          choose.

    >>> from jaxcurriculum.teachers.random import random
    >>> box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = in_subspace(random, box, {"spacing": 5.0, "height": (0.0, 1.0)})
    >>> _, proposals = teacher.propose(jax.random.key(0), teacher.init(jax.random.key(1)), 9)
    >>> bool(jnp.all(proposals.tasks <= jnp.array([[1.0, 5.0]])))
    True
    """
    if not callable(make):
        raise TypeError(
            f"in_subspace.make must be a function (subspace) -> Teacher, got {make!r:.100}."
        )
    check_kind("in_subspace.space", space, Box)
    check_kind("in_subspace.bounds", bounds, Mapping)
    inner_space, free = _subspace(space, bounds)
    teacher = make(inner_space)
    check_kind("in_subspace.make(subspace)", teacher, Teacher)
    # of axes that are not fixed it is written over
    middles = [np.mean(bounds.get(name, 0.0)) for name in space.names]
    rest = np.array(middles, np.float32)

    def widened(tasks: jax.Array) -> jax.Array:
        fixed = jnp.broadcast_to(rest, (tasks.shape[0], space.dims))
        return fixed.at[:, free].set(tasks)

    def propose(key: Key, state: PyTree, num: int) -> tuple[PyTree, Proposals]:
        state, proposals = teacher.propose(key, state, num)
        return state, proposals.replace(tasks=widened(proposals.tasks))

    def update(
        key: Key, state: PyTree, episodes: Episodes, context: Context
    ) -> tuple[PyTree, jax.Array]:
        def probe(key: Key, tasks: jax.Array, *args) -> Episodes:
            return _on_axes(context.probe(key, widened(tasks), *args), free)

        known = context.optimal_return
        optimal_return = known and (lambda task: known(widened(task[None])[0]))
        inner = Context(context.round, context.num_steps, probe, optimal_return)
        return teacher.update(key, state, _on_axes(episodes, free), inner)

    return dataclasses.replace(teacher, propose=propose, update=update)


def _on_axes(episodes: Episodes, axes: list[int]) -> Episodes:
    return episodes.replace(tasks=episodes.tasks[:, np.array(axes)])


def _subspace(
    space: Box, bounds: Mapping[str, float | tuple[float, float]]
) -> tuple[Box, list[int]]:
    """The box of the axes that are not fixed, and their numbers."""
    unknown = [name for name in bounds if name not in space.names]
    if unknown:
        raise ValueError(
            f"in_subspace.bounds must name axes of the task space, {space.names}, got"
            f" {unknown[0]!r}."
        )
    low, high, free = list(space.low), list(space.high), []
    for axis, name in enumerate(space.names):
        given = bounds.get(name, (low[axis], high[axis]))
        is_pair = isinstance(given, tuple | list)
        pair = given if is_pair else (given, given)
        is_inside = are_numbers(pair, low[axis], high[axis]) and len(pair) == 2
        if not is_inside or pair[0] > pair[1]:
            raise ValueError(
                "in_subspace.bounds must be numbers or pairs low <= high in the task space: axis"
                f" {name!r} is {given!r}, its bounds are {low[axis]} and {high[axis]}."
            )
        low[axis], high[axis] = pair
        free += [axis] if is_pair else []
    if not free:
        raise ValueError(
            f"in_subspace.bounds must leave an axis to choose, got all of {space.names} fixed."
        )

    def take(values: Sequence) -> list:
        return [values[axis] for axis in free]

    subspace = Box(
        names=take(space.names),
        low=take(low),
        high=take(high),
        units=take(space.units),
        log=take(space.log),
    )
    return subspace, free
