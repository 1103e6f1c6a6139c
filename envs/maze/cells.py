"""Cells of a grid by their numbers, row by row, and by their places (x, y) from the top left."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.record import WIDEST
from jaxcurriculum.fields import is_integer
from jaxcurriculum.records import Key


def place_of(cell: jax.Array, width: int) -> jax.Array:
    """(x, y) of a cell's number, [2] int32.

    >>> place_of(jnp.int32(14), width=13).tolist()
    [1, 1]
    """
    return jnp.stack([cell % width, cell // width]).astype(jnp.int32)


def cell_of(place: jax.Array, width: int) -> jax.Array:
    """The number of the cell at (x, y), [] int32."""
    return place[1] * width + place[0]


def random_cell(key: Key, free: jax.Array) -> jax.Array:
    """The number of a cell that is `free` ([cells] bool), all equally likely, [] int32; 0 where
    none is.
    """
    counts = jnp.cumsum(free)
    rank = jax.random.randint(key, (), 0, jnp.maximum(counts[-1], 1))
    return jnp.argmax(counts > rank).astype(jnp.int32)


def check_odd(name: str, size: int) -> None:
    """Check that mazes by a rule can have `size` cells a side.

    Raises:
      ValueError: when it is no integer, even, or out of bounds.
    """
    if not is_integer(size, 3, WIDEST) or size % 2 == 0:
        rule = f"must be an odd number from 3 to {WIDEST - 1}"
        raise ValueError(f"{name}.size {rule}, got {size!r}.")
