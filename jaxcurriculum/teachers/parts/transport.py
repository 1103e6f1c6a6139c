"""Optimal transport between two sets of points of equal weight."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from optax.assignment import hungarian_algorithm


def squared_distances(points: jax.Array, others: jax.Array) -> jax.Array:
    """The squared Euclidean distance of each of `points` from each of `others`, [num, others]."""
    return jnp.sum((points[:, None] - others[None]) ** 2, axis=-1)


def assign(costs: jax.Array) -> jax.Array:
    """The column of each row, no column twice, at the least sum of costs, [rows] int32.

    Exact, by the Hungarian algorithm, which for 100 rows is a hundred times as fast as an auction
    to three digits. There are at least as many columns as rows, and costs are finite.

    >>> assign(jnp.array([[1.0, 2.0, 9.0], [1.0, 5.0, 9.0]])).tolist()
    [1, 0]
    """
    rows, columns = hungarian_algorithm(costs)
    return jnp.zeros(costs.shape[0], jnp.int32).at[rows].set(columns.astype(jnp.int32))


def sliced_move(points: jax.Array, targets: jax.Array, directions: jax.Array) -> jax.Array:
    """How `points` move towards as many `targets` down the sliced Wasserstein distance.

        move_i = mean_k (u_k . y_{sigma_k(i)} - u_k . x_i) u_k

    sigma_k matches points x and targets y in the order of their projections on the direction u_k.
    Of many directions that is about 1 / dims of the way.

    Args:
      points, targets: [num, dims] both.
      directions: [num_directions, dims], unit vectors.

    >>> sliced_move(jnp.array([[0.0], [1.0]]), jnp.array([[3.0], [2.0]]), jnp.ones((1, 1))).tolist()
    [[2.0], [2.0]]
    """
    ours, theirs = dots(directions, points), dots(directions, targets)  # [num_directions, num]
    rank = jnp.argsort(jnp.argsort(ours, axis=1), axis=1)
    matched = jnp.take_along_axis(jnp.sort(theirs, axis=1), rank, axis=1)
    return jnp.mean((matched - ours)[..., None] * directions[:, None], axis=0)


def dots(vectors: jax.Array, others: jax.Array) -> jax.Array:
    """The inner product of each of `vectors` with each of `others`, [num, others].

    As a sum: of so short vectors no library is faster.
    """
    return jnp.sum(vectors[:, None] * others[None], axis=-1)
