"""Random walls: each function takes a key, how many and the number of cells a side.

    replacement    `num_walls` cells are drawn, some of them again
    exact          `num_walls` different cells
    uniform        a number of different cells, uniform from 0 to `num_walls` - 1
    dcd            walls as `replacement`, then goal and agent, which clear their cells, both
                   uniform over all of them; an agent on the goal goes to a random free cell
    dcd-uniform    the same with floor(`num_walls` c / cells) walls, c the cell of the first

Source: jaxued and minimax draw as `replacement`; minimax has `exact` and `uniform` as options; a
random builder of dcd makes the last two, the second of which ties the number of walls to where the
first of them stands. `uniform` may draw no wall, where minimax then places one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.cells import random_cell
from jaxcurriculum.records import Key


class Drawn(NamedTuple):
    """Walls, goal and agent as numbers of cells."""

    walls: jax.Array  # [cells], bool
    goal: jax.Array  # [], int32
    agent: jax.Array  # [], int32


Generator = Callable[[Key, int, int], Drawn]  # (key, num_walls, cells)


def replacement(key: Key, num_walls: int, num_cells: int) -> Drawn:
    """`num_walls` draws; goal and agent on different cells that stayed free."""
    key_walls, key_rest = jax.random.split(key)
    drawn = jax.random.randint(key_walls, (num_walls,), 0, num_cells)
    return _on_free_cells(key_rest, _built(drawn, num_cells))


def exact(key: Key, num_walls: int, num_cells: int) -> Drawn:
    """As `replacement` with `num_walls` different cells."""
    key_walls, key_rest = jax.random.split(key)
    order = jax.random.permutation(key_walls, num_cells)
    return _on_free_cells(key_rest, order < num_walls)


def uniform(key: Key, num_walls: int, num_cells: int) -> Drawn:
    """As `exact` with a random number of them below `num_walls`."""
    key_number, key_walls, key_rest = jax.random.split(key, 3)
    number = jax.random.randint(key_number, (), 0, max(num_walls, 1))
    order = jax.random.permutation(key_walls, num_cells)
    return _on_free_cells(key_rest, order < number)


def dcd(key: Key, num_walls: int, num_cells: int) -> Drawn:
    """A random builder: walls, then the goal, then the agent."""
    key_walls, key_rest = jax.random.split(key)
    drawn = jax.random.randint(key_walls, (num_walls,), 0, num_cells)
    return _clearing_their_cells(key_rest, _built(drawn, num_cells))


def dcd_uniform(key: Key, num_walls: int, num_cells: int) -> Drawn:
    """As `dcd`, where the cell of the first wall says how many there are."""
    key_walls, key_rest = jax.random.split(key)
    drawn = jax.random.randint(key_walls, (max(num_walls, 1),), 0, num_cells)
    number = drawn[0] * num_walls // num_cells
    is_used = jnp.arange(len(drawn)) < number
    walls = _built(jnp.where(is_used, drawn, num_cells), num_cells)
    return _clearing_their_cells(key_rest, walls)


GENERATORS: dict[str, Generator] = {
    "replacement": replacement,
    "exact": exact,
    "uniform": uniform,
    "dcd": dcd,
    "dcd-uniform": dcd_uniform,
}


def _built(cells: jax.Array, num_cells: int) -> jax.Array:
    """Walls on `cells`, [num_cells] bool; numbers beyond them build nothing."""
    return jnp.zeros((num_cells,), bool).at[cells].set(True, mode="drop")


def _on_free_cells(key: Key, walls: jax.Array) -> Drawn:
    key_goal, key_agent = jax.random.split(key)
    goal = random_cell(key_goal, ~walls)
    agent = random_cell(key_agent, ~walls.at[goal].set(True))
    return Drawn(walls, goal, agent)


def _clearing_their_cells(key: Key, walls: jax.Array) -> Drawn:
    key_goal, key_agent, key_beside = jax.random.split(key, 3)
    goal = jax.random.randint(key_goal, (), 0, len(walls))
    agent = jax.random.randint(key_agent, (), 0, len(walls))
    walls = walls.at[goal].set(False)
    beside = random_cell(key_beside, ~walls.at[goal].set(True))
    agent = jnp.where(agent == goal, beside, agent)
    return Drawn(walls.at[agent].set(False), goal, agent)
