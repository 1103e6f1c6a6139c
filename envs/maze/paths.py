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
    start = jnp.full(walls.shape, -1, jnp.int32).at[goal[1], goal[0]].set(0)

    def spreads(carry):
        return carry[2]

    def spread(carry):
        moves, known, _ = carry
        reached = known >= 0
        beside = (
            jnp.pad(reached, ((1, 0), (0, 0)))[:-1]
            | jnp.pad(reached, ((0, 1), (0, 0)))[1:]
            | jnp.pad(reached, ((0, 0), (1, 0)))[:, :-1]
            | jnp.pad(reached, ((0, 0), (0, 1)))[:, 1:]
        )
        new = beside & ~reached & ~walls
        return moves + 1, jnp.where(new, moves + 1, known), jnp.any(new)

    return jax.lax.while_loop(spreads, spread, (jnp.int32(0), start, jnp.bool_(True)))[1]
