"""What the rules ask of a transfer matrix."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.fields import is_integer


def checked_matrix(matrix: Any) -> jax.Array:
    """`matrix` as an array of floats, [num_contexts, num_contexts].

    Raises:
      ValueError: when it is not square.
    """
    matrix = jnp.asarray(matrix, jnp.float32)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"A transfer matrix must be square, got the shape {matrix.shape}.")
    return matrix


def check_num(num: Any, num_contexts: Any) -> None:
    """Check that so many policies can be trained, each on a context of its own.

    Raises:
      ValueError: when they are fewer than one or more than the contexts.
    """
    if not is_integer(num_contexts, 1):
        raise ValueError(f"num_contexts must be a positive integer, got {num_contexts!r}.")
    if not is_integer(num, 1, num_contexts):
        raise ValueError(f"num must be an integer from 1 to {num_contexts} contexts, got {num!r}.")
