"""Nearest neighbours among past episodes, for a whole batch in one pass."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.device.xla import halving_min
from jaxcurriculum.teachers.parts.ring import History

BLOCK = 256  # slots searched at a time


def nearest_before(points: jax.Array, numbers: jax.Array, history: History) -> jax.Array:
    """For each point the slot of the nearest row with a lower number; -1 for none.

    Euclidean; of rows equally near, the one in the last slot, which is the latest until the ring
    wraps. The work is proportional to the slots in use.

    Args:
      points: [dims, num].
      numbers: [num] int32.
      history: its first `dims` columns are coordinates.

    Returns:
      slots, [num] int32.

    >>> past = History(values=jnp.array([[0.0, 1.0, 2.0, 1.0]]), num_rows=jnp.int32(4))
    >>> nearest_before(jnp.array([[1.1, 1.1, 0.2]]), jnp.array([4, 3, 1]), past)
    Array([3, 1, 0], dtype=int32)
    """
    size = history.values.shape[1]
    block = min(BLOCK, size)
    # where the next row goes: from here on the ring holds its previous turn
    cursor = history.num_rows % size

    def first_slot(index: jax.Array) -> jax.Array:
        # the last block may overlap the one before, which changes nothing
        return jnp.minimum(index * block, size - block)

    def distances(rows: jax.Array, slots: jax.Array) -> jax.Array:
        row_numbers = history.num_rows - cursor + slots - jnp.where(slots >= cursor, size, 0)
        seen = (row_numbers >= 0) & (row_numbers < numbers[:, None])
        squared = sum(jnp.square(row - point[:, None]) for row, point in zip(rows, points))
        return jnp.where(seen, squared, jnp.inf)  # [num, block]

    def search(carry):
        index, lowest, best_block = carry
        first = first_slot(index)
        rows = jax.lax.dynamic_slice(history.values, (0, first), (len(points), block))
        slots = first + jnp.arange(block, dtype=jnp.int32)
        here = halving_min(distances(rows[:, None], slots[None]))
        best_block = jnp.where(here <= lowest, index, best_block)
        return index + 1, jnp.minimum(here, lowest), best_block

    num_blocks = shared_max((jnp.minimum(history.num_rows, size) + block - 1) // block)
    nothing = jnp.full(numbers.shape, jnp.inf, jnp.float32)
    start = (jnp.int32(0), nothing, jnp.zeros(numbers.shape, jnp.int32))
    _, lowest, best_block = jax.lax.while_loop(lambda carry: carry[0] < num_blocks, search, start)
    backwards = jnp.arange(block - 1, -1, -1, dtype=jnp.int32)
    slots = first_slot(best_block)[:, None] + backwards[None]
    # Searched again, not compared with `lowest`: rounding may differ between two compiled copies of
    # the same distance.
    nearest = jnp.argmin(distances(history.values[: len(points), slots], slots), axis=1)
    found = slots[jnp.arange(len(slots)), nearest]
    return jnp.where(jnp.isfinite(lowest), found, -1)
