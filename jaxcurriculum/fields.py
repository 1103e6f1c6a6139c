"""Checks of single values, be they arguments or fields of configurations (`configs.py`).

A finite number is one that is finite in float32, in which everything is computed. An integer fits
in int32, in which everything is counted.
"""

from __future__ import annotations

import math
import numbers
from collections.abc import Container, Sequence
from typing import Any, TypeVar

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

LARGEST = float(np.finfo(np.float32).max)
SMALLEST = float(np.finfo(np.float32).tiny)
LARGEST_INTEGER = 2**31 - 1  # of int32, in which steps and seeds are counted
Kind = TypeVar("Kind")


def is_integer(value: Any, low: int, high: int = LARGEST_INTEGER) -> bool:
    """Whether `value` is an integer between the bounds, both included."""
    is_whole = isinstance(value, numbers.Integral) and not isinstance(value, bool)
    return is_whole and low <= int(value) <= high


def is_number(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `value` is a finite real number between the bounds, both included."""
    is_real = isinstance(value, int | float | np.integer | np.floating)
    is_real = is_real and not isinstance(value, bool)
    return is_real and bool(max(low, -LARGEST) <= value <= min(high, LARGEST))


def are_numbers(values: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `values` is a tuple or list of finite real numbers within inclusive bounds."""
    return isinstance(values, tuple | list) and all(is_number(value, low, high) for value in values)


def is_traced(*values: Any) -> bool:
    """Whether one of `values`, or a number in them, is an argument of a function that is being
    traced: nobody knows it yet.

    >>> is_traced(0.5, jnp.float32(0.5))
    False
    """
    return any(isinstance(leaf, Tracer) for leaf in jax.tree.leaves(values))


def float_or_traced(value: Any) -> float | jax.Array:
    """`value` as a float; as it is where nobody knows it yet."""
    return value if is_traced(value) else float(value)


def is_range(value: Any) -> bool:
    """Whether `value` is (low, high), two finite numbers with low < high, in float32 too."""
    return are_numbers(value) and len(value) == 2 and is_number(value[1] - value[0], SMALLEST)


def is_number_or_array(value: Any, low: float = -math.inf, high: float = math.inf) -> bool:
    """Whether `value` is a finite real number within inclusive bounds, or an array of such.

    Of a traced one nobody knows.
    """
    if not isinstance(value, jax.Array):
        return is_number(value, low, high)
    if is_traced(value):
        return True
    is_real = jnp.issubdtype(value.dtype, jnp.integer) or jnp.issubdtype(value.dtype, jnp.floating)
    if not is_real:
        return False
    return all(is_number(number, low, high) for number in np.asarray(value, np.float64).ravel())


def as_float(value: Any) -> Any:
    """`value` with its integers as floats, also those of a tuple or an array.

    Anything else stays as it is. Where floats are computed with, JAX takes a Python integer for an
    int32, which overflows or is refused.

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
    name: str,
    value: Any,
    rule: str,
    lengths: Sequence[Container[int]],
    least: float = -LARGEST,
    most: float = LARGEST,
) -> np.ndarray:
    """`value` as an array of floats within bounds, each axis of one of its lengths.

    It may be a number, sequences of numbers or an array; the bounds are included.

    Raises:
      ValueError: when it is something else, saying that `name` must be `rule`.

    >>> checked_array("limits", (0, 1), "two numbers", [(2,)]).tolist()
    [0.0, 1.0]
    """
    try:
        array = np.array(value)
    except (TypeError, ValueError):
        array = np.array(None)
    has_lengths = [n in allowed for n, allowed in zip(array.shape, lengths)]
    has_shape = array.ndim == len(lengths) and all(has_lengths)
    is_real = array.dtype.kind in "iuf"
    if not (has_shape and is_real and ((array >= least) & (array <= most)).all()):
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


def given(config: Kind | None, kind: type[Kind]) -> Kind:
    """`config`, or `kind`'s defaults where it is None.

    Raises:
      TypeError: when it is a configuration of something else.
    """
    if config is None:
        return kind()
    check_kind("config", config, kind)
    return config
