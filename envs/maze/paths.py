"""Shortest ways through a maze."""

from __future__ import annotations

import jax
import jax.numpy as jnp


def distances(walls: jax.Array, goal: jax.Array) -> jax.Array:
    """Moves from every cell to the goal, [height, width] int32; -1 where there is no way.

    A wave from the goal: all cells that are k moves away are found in round k.

    Args:
      walls: [height, width], bool.
      goal: [2], its (x, y).

    >>> walls = jnp.array([[False, True, False], [False, False, False]])
    >>> distances(walls, jnp.array([0, 0])).tolist()
    [[0, -1, 4], [1, 2, 3]]
    """
    x, y = goal
    unknown = jnp.full(walls.shape, -1, jnp.int32)
    start = jnp.int32(0), unknown.at[y, x].set(0), jnp.bool_(True)

    def spreads(carry):
        return carry[2]

    def spread(carry):
        moves, known, _ = carry
        moves = moves + 1
        reached = known >= 0
        around = jnp.pad(reached, 1)
        above, below = around[:-2, 1:-1], around[2:, 1:-1]
        left, right = around[1:-1, :-2], around[1:-1, 2:]
        new = (above | below | left | right) & ~reached & ~walls
        return moves, jnp.where(new, moves, known), jnp.any(new)

    _, known, _ = jax.lax.while_loop(spreads, spread, start)
    return known
