"""Checks of configuration fields, by name, with the rule and the value in the message."""

from __future__ import annotations

import math
import numbers
from typing import Any

import jax


def check_integers(config: Any, **least: int) -> None:
    """Check that each named field is an integer of at least so much.

    Raises:
      ValueError: naming the first that is not.
    """
    for name, minimum in least.items():
        value = getattr(config, name)
        if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < minimum:
            raise ValueError(f"{type(config).__name__}.{name} must be an integer of at least {minimum}, got {value!r}.")


def check_numbers(config: Any, **bounds: tuple[float, float]) -> None:
    """Check that each named field is a finite real number between its bounds, both included; arrays pass, so that sweeps can map over them.

    Raises:
      ValueError: naming the first that is not.
    """
    for name, (low, high) in bounds.items():
        value = getattr(config, name)
        if isinstance(value, jax.Array):
            continue
        if not isinstance(value, numbers.Real) or isinstance(value, bool) or not low <= float(value) <= high or not math.isfinite(value):
            raise ValueError(f"{type(config).__name__}.{name} must be a finite number between {low} and {high}, got {value!r}.")
