"""A ring of the latest episodes, written a batch at a time."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.records import Episodes

LARGEST_RETURN = 1e15  # in size: sums of squares of thousands of them are finite in float32


class History(struct.PyTreeNode):
    """The latest `size` rows: number n, counted from the first ever, in slot n mod size."""

    values: jax.Array  # [width, size], column-wise, so that a search reads one axis after the other
    num_rows: jax.Array  # [], int32, rows ever written


def empty(width: int, size: int) -> History:
    """A ring of `size` rows, nothing written yet."""
    return History(values=jnp.zeros((width, size), jnp.float32), num_rows=jnp.int32(0))


def insert(history: History, values: jax.Array, num_valid: jax.Array) -> History:
    """Write the first `num_valid` rows of `values` ([width, num]), the oldest first.

    Of too many the latest stay.
    """
    size, num = history.values.shape[1], values.shape[1]
    rank = jnp.arange(num, dtype=jnp.int32)
    kept = (rank < num_valid) & (rank >= num_valid - size)
    slot = jnp.where(kept, (history.num_rows + rank) % size, size)
    return History(
        values=history.values.at[:, slot].set(values, mode="drop"),
        num_rows=history.num_rows + num_valid,
    )


def valid_first(valid: jax.Array) -> tuple[jax.Array, jax.Array]:
    """The order ([num] int32) that moves valid slots to the front, and how many they are."""
    order = jnp.argsort(~valid, stable=True).astype(jnp.int32)
    return order, jnp.sum(valid, dtype=jnp.int32)


def usable(episodes: Episodes) -> jax.Array:
    """Slots, [num] bool, whose return can be learned from; the rest are as if not there."""
    return episodes.valid & is_measured(episodes.returns)


def is_measured(values: jax.Array) -> jax.Array:
    """Which `values` are numbers of at most `LARGEST_RETURN` in size, [...] bool.

    >>> is_measured(jnp.array([-3.0, jnp.nan, jnp.inf, 1e30])).tolist()
    [True, False, False, False]
    """
    return jnp.abs(values) <= LARGEST_RETURN
