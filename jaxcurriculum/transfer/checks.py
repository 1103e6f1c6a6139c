"""What the rules ask of a transfer matrix."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxcurriculum.fields import is_integer

ROUNDING = 1e-5  # of a point in float32


def checked_matrix(matrix: Any) -> jax.Array:
    """`matrix` as an array of floats, [num_contexts, num_contexts].

    Raises:
      ValueError: when it is not square, of other than real numbers or, outside of a compiled
        function, not finite.
    """
    matrix = _numbers("A transfer matrix must be square, of numbers", matrix)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"A transfer matrix must be square, got the shape {matrix.shape}.")
    if not isinstance(matrix, Tracer) and not np.isfinite(np.asarray(matrix)).all():
        raise ValueError("A transfer matrix must be finite, got one that is not.")
    return matrix


def checked_points(points: Any, num_contexts: int) -> jax.Array:
    """`points` as an array of floats, [num_contexts, dims].

    Raises:
      ValueError: when there is not a point for each context or, outside of a compiled function, one
        lies outside of the unit cube.
    """
    rule = f"points must be [{num_contexts}, dims]"
    points = _numbers(f"{rule}, of numbers", points)
    if points.ndim != 2 or len(points) != num_contexts or not points.size:
        raise ValueError(f"{rule}, got the shape {points.shape}.")
    if not isinstance(points, Tracer):
        outside = [x for x in np.asarray(points).ravel() if not -ROUNDING <= x <= 1 + ROUNDING]
        if outside:
            raise ValueError(f"points must lie in the unit cube, got one with {outside[0]:g}.")
    return points


def checked_order(order: Any, num_contexts: int) -> jax.Array:
    """`order` as an array of contexts, [num].

    Raises:
      ValueError: when it is no list of integers or, outside of a compiled function, one of them is
        no context.
    """
    rule = "order must be a list of contexts, one at least"
    order = _array(rule, order)
    if order.ndim != 1 or not order.size or not jnp.issubdtype(order.dtype, jnp.integer):
        raise ValueError(f"{rule}, got {order.dtype}{list(order.shape)}.")
    if not isinstance(order, Tracer):
        wrong = [int(context) for context in np.asarray(order) if not 0 <= context < num_contexts]
        if wrong:
            raise ValueError(f"order must be of contexts 0 to {num_contexts - 1}, got {wrong[0]}.")
    return order


def check_num(num: Any, num_contexts: Any) -> None:
    """Check that so many policies can be trained, each on a context of its own.

    Raises:
      ValueError: when they are fewer than one or more than the contexts.
    """
    if not is_integer(num_contexts, 1):
        raise ValueError(f"num_contexts must be a positive integer, got {num_contexts!r}.")
    if not is_integer(num, 1, num_contexts):
        raise ValueError(f"num must be an integer from 1 to {num_contexts} contexts, got {num!r}.")


def check_key(key: Any) -> None:
    """Check that it is one key of random numbers.

    Raises:
      ValueError: when it is something else.
    """
    try:
        jax.eval_shape(jax.random.bits, key)
    except (TypeError, ValueError):
        raise ValueError(f"key must be one as of jax.random.key(0), got {key!r:.100}.") from None


def _numbers(rule: str, value: Any) -> jax.Array:
    """`value` as an array of floats, which must be real numbers by `rule`."""
    array = _array(rule, value)
    if jnp.issubdtype(array.dtype, jnp.complexfloating):
        raise ValueError(f"{rule}, got {array.dtype}{list(array.shape)}.")
    return array.astype(jnp.float32)


def _array(rule: str, value: Any) -> jax.Array:
    """`value` as an array; where it is none, `rule` says what it must be."""
    try:
        return jnp.asarray(value)
    except (OverflowError, TypeError, ValueError):
        raise ValueError(f"{rule}, got {value!r:.100}.") from None
