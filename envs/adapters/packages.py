"""What both adapters need of the packages that they adapt."""

from __future__ import annotations

import contextlib
import functools
import importlib
import io
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.fields import LARGEST, are_numbers, is_number
from jaxcurriculum.records import PyTree
from jaxcurriculum.spaces import Box


def imported(name: str, extra: str) -> Any:
    """The module `name`, which the extra `extra` of jaxcurriculum brings.

    What it prints meanwhile is not shown: MuJoCo tells of engines that it could do without.

    Raises:
      ImportError: when it, or what it needs, is not installed; it says how to install it.
    """
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        missing = (error.name or name).partition(".")[0]
        raise ImportError(
            f"envs.{extra} needs the package {missing}: pip install 'jaxcurriculum[{extra}]'."
        ) from error


def with_promotion(function: Callable) -> Callable:
    """`function`, which may add arrays of different ranks whatever the user has told JAX."""

    @functools.wraps(function)
    def relaxed(*arguments):
        with jax.numpy_rank_promotion("allow"):
            return function(*arguments)

    return relaxed


def check_bounds(axes: Mapping[str, tuple[float, float]], low: float = -LARGEST) -> None:
    """Check that there are axes and that each has two numbers from `low` on, the lower one first.

    Raises:
      ValueError: naming the axis.
    """
    if not isinstance(axes, Mapping):
        raise ValueError(f"axes must be a dictionary of bounds by name, got {axes!r}.")
    if not axes:
        raise ValueError("axes must name at least one axis, got none.")
    for name, bounds in axes.items():
        if not (are_numbers(bounds, low) and len(bounds) == 2 and bounds[0] <= bounds[1]):
            least = "" if low == -LARGEST else f" of at least {low:g}"
            raise ValueError(
                f"The bounds of axis {name!r} must be two finite numbers{least}, the lower one"
                f" first, got {bounds!r}."
            )


def check_solved_above(value: float | None) -> None:
    """Check that it is a number, or None.

    Raises:
      ValueError: when it is not.
    """
    if value is not None and not is_number(value):
        raise ValueError(f"solved_above must be a finite number or None, got {value!r}.")


def with_task(obs: PyTree, space: Box, level: jax.Array) -> PyTree:
    """An observation and the task in the unit cube.

    Joined where the observation is one vector, else {"obs": ..., "task": ...}.

    >>> space = Box(names=("length",), low=(0,), high=(2,))
    >>> with_task(jnp.array([3.0, 4.0]), space, jnp.array([1.0])).tolist()
    [3.0, 4.0, 0.5]
    """
    task = space.to_unit(level)
    is_vector = isinstance(obs, jax.Array) and obs.ndim == 1 and obs.dtype == task.dtype
    return jnp.concatenate([obs, task]) if is_vector else {"obs": obs, "task": task}


def like(shapes: PyTree, tree: PyTree) -> PyTree:
    """`tree` with the dtypes of `shapes`."""
    return jax.tree.map(lambda same, leaf: jnp.asarray(leaf, same.dtype), shapes, tree)
