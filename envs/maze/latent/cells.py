"""Places of the grid as numbers of cells, line by line from 0."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.levels import SIZE


def cell(position: jax.Array) -> jax.Array:
    """The number of the cell at (x, y)."""
    return position[1] * SIZE + position[0]


def position(cell: jax.Array) -> jax.Array:
    """The (x, y) of a cell, int32."""
    return jnp.stack([cell % SIZE, cell // SIZE]).astype(jnp.int32)
