"""Checks of configuration fields, by name, with the rule and the value in the message.

A finite number is one that is finite in float32, in which everything is computed. An integer fits in int32, in which everything is counted.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Container, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

LARGEST, SMALLEST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)
LARGEST_INTEGER = 2**31 - 1
MOST_KEPT = 10_000_000  # episodes, levels or arms that one seed may keep in memory
MOST_AT_ONCE = 1_000_000  # that one program may draw or compare at a time
WIDEST = 10_000  # layer: a matrix of so many rows and columns takes 400 MB
Config = TypeVar("Config")


def is_integer(value: Any, low: int, high: int = LARGEST_INTEGER) -> bool:
    """Whether `value` is an integer between the bounds, both included."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and low <= int(value) <= high


def is_number(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `value` is a finite real number between the bounds, both included."""
    is_real = isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)
    return is_real and bool(max(low, -LARGEST) <= value <= min(high, LARGEST))


def are_numbers(values: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `values` is a tuple (or list) of finite real numbers between the bounds, both included."""
    return isinstance(values, tuple | list) and all(is_number(value, low, high) for value in values)


def is_range(value: Any) -> bool:
    """Whether `value` is (low, high), two finite numbers with low < high, in float32 too."""
    return are_numbers(value) and len(value) == 2 and is_number(value[1] - value[0], SMALLEST)


def is_number_or_array(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `value` is a finite real number between the bounds, both included, or an array of such; of a traced one nobody knows."""
    if not isinstance(value, jax.Array):
        return is_number(value, low, high)
    if isinstance(value, Tracer):
        return True
    is_real = jnp.issubdtype(value.dtype, jnp.integer) or jnp.issubdtype(value.dtype, jnp.floating)
    return is_real and all(is_number(number, low, high) for number in np.asarray(value, np.float64).ravel())


def as_float(value: Any) -> Any:
    """`value` with Python's integers, also those in a tuple, and integer arrays as floats; anything else stays as it is.

    Where floats are computed with, JAX takes a Python integer for an int32, which overflows or is refused.

    >>> as_float(2**31), as_float((0, 0.5)), as_float(None)
    (2147483648.0, (0.0, 0.5), None)
    """
    if isinstance(value, tuple | list):
        return tuple(as_float(entry) for entry in value)
    if isinstance(value, jax.Array):
        return value.astype(jnp.float32) if jnp.issubdtype(value.dtype, jnp.integer) else value
    return float(value) if isinstance(value, numbers.Integral) else value


def as_tuples(array: np.ndarray) -> Any:
    """Nested tuples of Python's floats; a float where there is no axis.

    >>> as_tuples(np.eye(2))
    ((1.0, 0.0), (0.0, 1.0))
    """
    return tuple(as_tuples(part) for part in array) if array.ndim else float(array)


def checked_array(
    name: str, value: Any, rule: str, lengths: Sequence[Container[int]], least: float = -LARGEST, most: float = LARGEST
) -> np.ndarray:
    """`value` (a number, sequences of them or an array) as floats between two bounds, both included, each axis of one of its lengths.

    Raises:
      ValueError: when it is something else, saying that `name` must be `rule`.

    >>> checked_array("limits", (0, 1), "two numbers", [(2,)]).tolist()
    [0.0, 1.0]
    """
    try:
        array = np.array(value)
    except (TypeError, ValueError):
        array = np.array(None)
    has_shape = array.ndim == len(lengths) and all(n in allowed for n, allowed in zip(array.shape, lengths))
    if not (has_shape and array.dtype.kind in "iuf" and ((array >= least) & (array <= most)).all()):
        low = "positive" if 0 < least < 1e-6 else f"at least {least:g}"
        raise ValueError(f"{name} must be {rule}, {low} and at most {most:g}, got {value!r}.")
    return array.astype(float)


def check_kind(name: str, value: Any, kind: type) -> None:
    """Check that the argument called `name` is an instance of `kind`.

    Raises:
      TypeError: naming it.
    """
    if not isinstance(value, kind):
        raise TypeError(f"{name} must be of the type {kind.__name__}, got {value!r:.100}.")


def check_flags(**flags: Any) -> None:
    """Check that every argument is True or False.

    Raises:
      ValueError: naming the first that is not.
    """
    for name, value in flags.items():
        if not isinstance(value, bool | np.bool_):
            raise ValueError(f"{name} must be True or False, got {value!r}.")


def given(config: Config | None, kind: type[Config]) -> Config:
    """`config`, or `kind`'s defaults where it is None.

    Raises:
      TypeError: when it is a configuration of something else.
    """
    if config is None:
        return kind()
    check_kind("config", config, kind)
    return config


def check_integers(config: Any, **bounds: int | tuple[int, int]) -> None:
    """Check that each named field is an integer of at least so much (or between two bounds, both included) that fits in int32.

    Every field declared `bool`, named or not, must be one.

    Raises:
      ValueError: naming the first that is not.
    """
    flags = [field.name for field in dataclasses.fields(config) if field.type in ("bool", bool)]
    check_flags(**{f"{type(config).__name__}.{name}": getattr(config, name) for name in flags})
    for name, bound in bounds.items():
        value, (low, high) = getattr(config, name), bound if isinstance(bound, tuple) else (bound, LARGEST_INTEGER)
        if not is_integer(value, low, high):
            raise ValueError(f"{type(config).__name__}.{name} must be an integer from {low} to {high}, got {value!r}.")


def check_numbers(config: Any, **bounds: tuple[float, float]) -> None:
    """Check that each named field is a finite real number between its bounds, both included, or an array of such, and make it a float.

    Sweeps map over arrays; the numbers of a traced one cannot be checked.

    Raises:
      ValueError: naming the first that is not.
    """
    _check(config, bounds, "a finite number", is_number_or_array)


def check_tuples(config: Any, **bounds: tuple[float, float]) -> None:
    """Check that each named field is a tuple of finite real numbers between its bounds, both included.

    Raises:
      ValueError: naming the first that is not.
    """
    _check(config, bounds, "a tuple of finite numbers", are_numbers)


def check_one_or_each(config: Any, **bounds: tuple[float, float]) -> None:
    """Check that each named field is what `check_numbers` or what `check_tuples` asks for: one number, or one an axis.

    Raises:
      ValueError: naming the first that is not.
    """
    holds = lambda value, *bound: is_number_or_array(value, *bound) or are_numbers(value, *bound)
    _check(config, bounds, "a finite number, or a tuple of them,", holds)


def check_range(config: Any, name: str) -> None:
    """Check that the field is None or (low, high), two finite numbers with low < high.

    Raises:
      ValueError: naming it.
    """
    value = getattr(config, name)
    if value is not None and not is_range(value):
        raise ValueError(f"{type(config).__name__}.{name} must be None or (low, high), finite with low < high in float32, got {value!r}.")
    _set(config, name, as_float(value))


def check_widths(config: Any, *names: str) -> None:
    """Check that each named field is a tuple of one or more integers from 1 to 10,000: the widths of hidden layers.

    Raises:
      ValueError: naming the first that is not.
    """
    for name in names:
        value = getattr(config, name)
        if not (isinstance(value, tuple | list) and value and all(is_integer(width, 1, WIDEST) for width in value)):
            raise ValueError(f"{type(config).__name__}.{name} must be a tuple of integers from 1 to {WIDEST}, got {value!r}.")


def _check(config: Any, bounds: dict[str, tuple[float, float]], kind: str, holds: Callable[[Any, float, float], bool]) -> None:
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        if not holds(value, low, high):
            raise ValueError(f"{type(config).__name__}.{name} must be {kind} between {low} and {high}, got {value!r}.")
        _set(config, name, as_float(value))


def _set(config: Any, name: str, value: Any) -> None:
    object.__setattr__(config, name, value)  # configurations are frozen once they are made
