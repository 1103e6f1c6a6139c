"""Worlds that are a few equations: their constants are the axes of the task.

A world is a table of `Axis`, how it starts, how it goes on and what is seen of it; `make_world`
makes an environment of them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp

from jaxcurriculum.fields import are_numbers, check_flags
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box
from jaxcurriculum.viewer import Viewer

SMALLEST = 1e-6  # of a constant that must be positive


class Axis(NamedTuple):
    """A constant of a world, which a task may choose."""

    value: float  # where the task does not choose it, as published
    bounds: tuple[float, float]  # of tasks, where no others are asked for
    unit: str = ""
    meaning: str = ""  # what its name does not say
    log: bool = False  # whether equal ratios are equal distances
    allowed: tuple[float, float] = (SMALLEST, math.inf)  # what it may be at all


Axes = Mapping[str, Axis]
Bounds = Mapping[str, tuple[float, float]] | Sequence[str]
Constants = Mapping[str, Any]  # a number for every axis
ConstantsOf = Callable[[jax.Array], Constants]  # (level) -> its constants


def make_world(
    axes: Axes,
    bounds: Bounds | None,
    observe_task: bool,
    *,
    start: Callable[[Key, Constants], PyTree],
    advance: Callable[[Key, Constants, PyTree, PyTree], tuple[PyTree, Any, Any]],
    observe: Callable[[PyTree], jax.Array],
    viewer: Callable[[ConstantsOf], Viewer],
    **described: Any,
) -> Environment:
    """An environment whose task is some of its constants, the others being as published.

    Args:
      axes: every constant, by name.
      bounds: which of them a task chooses: (low, high) by name, names alone for the bounds of
        `axes`, None for all of them.
      observe_task: whether the task, in the unit cube, follows what `observe` sees.
      start: (key, constants) -> the state at the beginning.
      advance: (key, constants, state, action) -> (the next state, reward, whether it is over).
      observe: what is seen of a state, [num].
      viewer: makes what draws its episodes, told how the constants of a level are found.
      described: the other fields of `Environment`.

    Raises:
      ValueError: when there is no such axis, one is named twice, bounds are not two numbers that
        it may be, or observe_task is not True or False.
    """
    check_flags(observe_task=observe_task)
    space = task_space(axes, bounds)

    def constants(level: jax.Array) -> Constants:
        return {name: axis.value for name, axis in axes.items()} | dict(zip(space.names, level))

    def show(level: jax.Array, state: PyTree, reward: Any, terminated: Any) -> TimeStep:
        seen = observe(state)
        obs = jnp.concatenate([seen, space.to_unit(level)]) if observe_task else seen
        return TimeStep(obs, jnp.float32(reward), jnp.bool_(terminated), jnp.bool_(False))

    def reset(key: Key, level: jax.Array) -> tuple[PyTree, TimeStep]:
        state = start(key, constants(level))
        return state, show(level, state, 0.0, False)

    def step(key: Key, level: jax.Array, state: PyTree, action: PyTree):
        state, reward, terminated = advance(key, constants(level), state, action)
        return state, show(level, state, reward, terminated)

    return Environment(
        task_space=space,
        generate=lambda key, task: space.clip(task),
        reset=reset,
        step=step,
        viewer=viewer(constants),
        **described,
    )


def task_space(axes: Axes, bounds: Bounds | None) -> Box:
    """The box of the axes that a task chooses, see `make_world`."""
    bounds = _by_name(axes, bounds)
    if not bounds:
        raise ValueError(f"bounds must name at least one of {', '.join(axes)}, got none.")
    for name, bound in bounds.items():
        _check(name, axes[name], bound)
    names = list(bounds)
    return Box(
        names=names,
        low=[bounds[name][0] for name in names],
        high=[bounds[name][1] for name in names],
        units=[axes[name].unit for name in names],
        log=[axes[name].log for name in names],
    )


def _by_name(axes: Axes, bounds: Bounds | None) -> Mapping[str, tuple[float, float]]:
    """`bounds` as (low, high) by name; a name comes first, as it may be none."""
    names = tuple(axes) if bounds is None else bounds
    if isinstance(names, str) or not isinstance(names, Mapping | Sequence):
        raise ValueError(f"bounds must be names of axes or (low, high) by name, got {bounds!r}.")
    for name in names:
        if not isinstance(name, str) or name not in axes:
            raise ValueError(f"bounds must be of {', '.join(axes)}, got {name!r}.")
    if len(set(names)) < len(names):
        raise ValueError(f"bounds must name every axis once, got {', '.join(names)}.")
    return names if isinstance(names, Mapping) else {name: axes[name].bounds for name in names}


def _check(name: str, axis: Axis, bound: Any) -> None:
    low, high = axis.allowed
    is_pair = are_numbers(bound, low, high) and len(bound) == 2
    if not is_pair or bound[0] > bound[1]:
        kind = f"numbers between {low:g} and {high:g}"
        if math.isinf(high):
            kind = "positive numbers" if low == SMALLEST else f"numbers of at least {low:g}"
        raise ValueError(
            f"bounds of {name} must be two {kind}, the lower one first, got {bound!r}."
        )
