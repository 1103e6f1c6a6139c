"""How varied replays are: rank weights are so steep that a round may be little but one level."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct


class Variety(struct.PyTreeNode):
    """The effective number of levels among a round's replays, all [].

    It is 1 / sum over levels of (share of the replays)^2.
    """

    num_rounds: jax.Array  # int32, rounds with replays
    levels: jax.Array  # in the latest of them, 0 before the first
    share: jax.Array  # mean over all of them of levels / replays, 1 before the first


def nothing_replayed() -> Variety:
    """No round yet."""
    return Variety(num_rounds=jnp.int32(0), levels=jnp.float32(0), share=jnp.float32(1))


def replay(variety: Variety, origin: jax.Array, capacity: int) -> Variety:
    """`variety` with a round that replays the slots `origin` ([num] int32) from 0 on.

    >>> after = replay(nothing_replayed(), jnp.array([3, 3, -1, 3, 1]), capacity=5)
    >>> round(after.levels.item(), 6), round(after.share.item(), 6)
    (1.6, 0.4)
    """
    slots = jnp.where(origin >= 0, origin, capacity)
    times = jnp.zeros(capacity).at[slots].add(1.0, mode="drop")
    num = jnp.sum(times)
    levels = num**2 / jnp.maximum(jnp.sum(times**2), 1.0)
    num_rounds = variety.num_rounds + (num > 0)
    change = (levels / jnp.maximum(num, 1.0) - variety.share) / jnp.maximum(num_rounds, 1)
    return Variety(
        num_rounds=num_rounds,
        levels=jnp.where(num > 0, levels, variety.levels),
        share=variety.share + jnp.where(num > 0, change, 0.0),
    )
