"""Nadaraya-Watson regression: a mean weighed by nearness."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.teachers.parts.transport import squared_distances


def nadaraya_watson(
    points: jax.Array,
    known: jax.Array,
    values: jax.Array,
    valid: jax.Array,
    length: float | jax.Array,
) -> jax.Array:
    """The value expected at each of `points`, [num].

        m(x) = sum_i w_i(x) y_i / sum_i w_i(x),   w_i(x) = exp(-|x - x_i|^2 / (2 length^2))

    Far from all that is known it is the value of the nearest.

    Args:
      points: [num, dims].
      known, values, valid: [size, dims], [size] and [size] bool, at least one of them valid.

    >>> known, values, valid = jnp.array([[0.0], [1.0]]), jnp.array([2.0, 4.0]), jnp.ones(2, bool)
    >>> nadaraya_watson(jnp.array([[0.5], [9.0]]), known, values, valid, 0.3).tolist()
    [3.0, 4.0]
    """
    logits = -squared_distances(points, known) / (2 * length**2)
    weights = jax.nn.softmax(jnp.where(valid[None], logits, -jnp.inf), axis=1)
    return jnp.sum(weights * jnp.where(valid, values, 0.0)[None], axis=1)
