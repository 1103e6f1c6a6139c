"""Checks of configuration fields, by name, with the rule and the value in the message.

A finite number is one that is finite in float32, in which everything is computed.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable
from typing import Any

import jax
import numpy as np

LARGEST, SMALLEST = float(np.finfo(np.float32).max), float(np.finfo(np.float32).tiny)


def is_integer(value: Any, low: int, high: float = math.inf) -> bool:
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


def check_integers(config: Any, **least: int) -> None:
    """Check that each named field is an integer of at least so much, and every field declared `bool`, named or not, is one.

    Raises:
      ValueError: naming the first that is not.
    """
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if field.type in ("bool", bool) and not isinstance(value, bool | np.bool_):
            raise ValueError(f"{type(config).__name__}.{field.name} must be True or False, got {value!r}.")
    for name, minimum in least.items():
        value = getattr(config, name)
        if not is_integer(value, minimum):
            raise ValueError(f"{type(config).__name__}.{name} must be an integer of at least {minimum}, got {value!r}.")


def check_numbers(config: Any, **bounds: tuple[float, float]) -> None:
    """Check that each named field is a finite real number between its bounds, both included; arrays pass, so that sweeps can map over them.

    Raises:
      ValueError: naming the first that is not.
    """
    _check(config, bounds, "a finite number", lambda value, *bound: isinstance(value, jax.Array) or is_number(value, *bound))


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
    holds = lambda value, *bound: isinstance(value, jax.Array) or is_number(value, *bound) or are_numbers(value, *bound)
    _check(config, bounds, "a finite number, or a tuple of them,", holds)


def check_range(config: Any, name: str) -> None:
    """Check that the field is None or (low, high), two finite numbers with low < high.

    Raises:
      ValueError: naming it.
    """
    value = getattr(config, name)
    if value is not None and not is_range(value):
        raise ValueError(f"{type(config).__name__}.{name} must be None or (low, high), finite with low < high in float32, got {value!r}.")


def check_widths(config: Any, *names: str) -> None:
    """Check that each named field is a tuple of one or more positive integers: the widths of hidden layers.

    Raises:
      ValueError: naming the first that is not.
    """
    for name in names:
        value = getattr(config, name)
        if not (isinstance(value, tuple | list) and value and all(is_integer(width, 1) for width in value)):
            raise ValueError(f"{type(config).__name__}.{name} must be a tuple of positive integers, got {value!r}.")


def _check(config: Any, bounds: dict[str, tuple[float, float]], kind: str, holds: Callable[[Any, float, float], bool]) -> None:
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        if not holds(value, low, high):
            raise ValueError(f"{type(config).__name__}.{name} must be {kind} between {low} and {high}, got {value!r}.")
