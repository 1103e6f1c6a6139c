"""What the rules ask of a transfer matrix."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.core import Tracer

from jaxcurriculum.fields import is_integer


def checked_matrix(matrix: Any) -> jax.Array:
    """`matrix` as an array of floats, [num_contexts, num_contexts].

    Raises:
      ValueError: when it is not square or, outside of a compiled function, not finite.
    """
    matrix = jnp.asarray(matrix, jnp.float32)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"A transfer matrix must be square, got the shape {matrix.shape}.")
    if not isinstance(matrix, Tracer) and not np.isfinite(np.asarray(matrix)).all():
        raise ValueError("A transfer matrix must be finite, got one that is not.")
    return matrix


def checked_order(order: Any, num_contexts: int) -> jax.Array:
    """`order` as an array of contexts, [num].

    Raises:
      ValueError: when it is no list of integers or, outside of a compiled function, one of them is
        no context.
    """
    order = jnp.asarray(order)
    if order.ndim != 1 or not order.size or not jnp.issubdtype(order.dtype, jnp.integer):
        kind = f"{order.dtype}{list(order.shape)}"
        raise ValueError(f"order must be a list of contexts, one at least, got {kind}.")
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
