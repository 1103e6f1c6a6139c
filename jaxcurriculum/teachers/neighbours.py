"""Nearest neighbours among past episodes, for a whole batch in one pass."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.teachers.batching import shared_max

BLOCK = 1024  # rows searched at a time


def nearest_before(points: jax.Array, numbers: jax.Array, past: jax.Array, past_numbers: jax.Array, num_filled: jax.Array) -> jax.Array:
    """For each point the slot of the nearest past row with a lower number, -1 where there is none.

    Euclidean; of rows equally near, the one in the last slot (the most recent, until a ring wraps).
    The work is proportional to `num_filled`.

    Args:
      points: [dims, num].
      numbers: [num] int32, a point sees only rows with a lower number.
      past: [dims, size].
      past_numbers: [size] int32, negative where the slot is empty.
      num_filled: [] int32, the slots from here on are empty.

    Returns:
      slots, [num] int32.

    >>> past = jnp.array([[0.0, 1.0, 2.0, 1.0]])
    >>> nearest_before(jnp.array([[1.1, 1.1, 0.2]]), jnp.array([4, 3, 1]), past, jnp.arange(4), jnp.int32(4))
    Array([3, 1, 0], dtype=int32)
    """
    dims, size = past.shape
    block = min(BLOCK, size)

    def search(carry):
        index, nearest, slots = carry
        start = jnp.minimum(index * block, size - block)  # the last block may overlap the one before, which changes nothing
        rows = jax.lax.dynamic_slice_in_dim(past, start, block, axis=1)
        row_numbers = jax.lax.dynamic_slice_in_dim(past_numbers, start, block)
        distance = sum(jnp.square(points[k][:, None] - rows[k][None]) for k in range(dims))  # [num, block]
        seen = (row_numbers[None] >= 0) & (row_numbers[None] < numbers[:, None])
        distance = jnp.where(seen, distance, jnp.inf)
        lowest = jnp.min(distance, axis=1)
        is_lowest = seen & (distance == lowest[:, None])
        slot = jnp.max(jnp.where(is_lowest, start + jnp.arange(block, dtype=jnp.int32)[None], -1), axis=1)
        nearer = (slot >= 0) & (lowest <= nearest)
        return index + 1, jnp.where(nearer, lowest, nearest), jnp.where(nearer, slot, slots)

    num_blocks = shared_max((num_filled + block - 1) // block)
    num = points.shape[1]
    start = (jnp.int32(0), jnp.full((num,), jnp.inf, jnp.float32), jnp.full((num,), -1, jnp.int32))
    return jax.lax.while_loop(lambda carry: carry[0] < num_blocks, search, start)[2]
