"""Random edits of a maze, by the codebase whose they are.

    minimax   one after the other, each with equal probability: nothing; one wall flipped that is
              under neither agent nor goal; the goal moved to another free cell
    dcd       cells drawn with replacement, each of which is cleared once and gets, with equal
              probability, a wall, nothing, or the goal
    jaxued    the same, or the agent, in a random direction

Whoever lost its cell goes to a random free one. In `minimax`, which jaxued's studies use, too, the
agent never moves. The edits that dcd makes where it is not told which are those of `jaxued`.

Source: minimax (M. Jiang et al. 2023), dcd (M. Jiang et al. 2021, J. Parker-Holder et al. 2022) and
jaxued (S. Coward et al. 2024).
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.cells import cell_of, place_of, random_cell
from jaxcurriculum.envs.maze.record import NUM_DIRECTIONS, Maze
from jaxcurriculum.records import Key

Edit = Callable[..., Maze]  # (key, maze, num_edits)
BUILD, CLEAR, MOVE_GOAL, MOVE_AGENT = range(4)  # what is done to one cell


def minimax(key: Key, maze: Maze, num_edits: int) -> Maze:
    """`num_edits` times nothing, a wall, or the goal."""
    width = maze.walls.shape[1]
    agent = cell_of(maze.agent, width)
    cells = jnp.arange(maze.walls.size)

    def edit(state, key):
        walls, goal = state
        key_kind, key_wall, key_goal = jax.random.split(key, 3)
        kind = jax.random.randint(key_kind, (), 0, 3)
        is_plain = (cells != agent) & (cells != goal)
        flips = (cells == random_cell(key_wall, is_plain)) & (kind == 1)
        is_free = ~walls & is_plain
        moves = (kind == 2) & jnp.any(is_free)
        return (walls ^ flips, jnp.where(moves, random_cell(key_goal, is_free), goal)), None

    start = maze.walls.reshape(-1), cell_of(maze.goal, width)
    (walls, goal), _ = jax.lax.scan(edit, start, jax.random.split(key, num_edits))
    return maze.replace(walls=walls.reshape(maze.walls.shape), goal=place_of(goal, width))


def furnish(key: Key, maze: Maze, num_edits: int, num_kinds: int) -> Maze:
    """`num_edits` draws of a cell, in which one of the first `num_kinds` things is done."""
    key_cells, key_kinds, key_edits, key_lost = jax.random.split(key, 4)
    width, lost = maze.walls.shape[1], maze.walls.size
    cells = jax.random.randint(key_cells, (num_edits,), 0, lost)
    kinds = jax.random.randint(key_kinds, (num_edits,), 0, num_kinds)
    turns = jax.random.randint(key_edits, (num_edits,), 0, NUM_DIRECTIONS)
    is_again = jnp.any(jnp.tril(cells[:, None] == cells[None], -1), axis=1)
    edits = jnp.where(is_again, lost, cells), jnp.where(is_again, CLEAR, kinds), turns

    def edit(state, edit):
        walls, goal, agent, direction = state
        cell, kind, turn = edit
        walls = walls.at[cell].set(kind == BUILD, mode="drop")
        goal = jnp.where(kind == MOVE_GOAL, cell, jnp.where(goal == cell, lost, goal))
        agent = jnp.where(kind == MOVE_AGENT, cell, jnp.where(agent == cell, lost, agent))
        direction = jnp.where(kind == MOVE_AGENT, turn, direction)
        return (walls, goal, agent, direction), None

    goal, agent = cell_of(maze.goal, width), cell_of(maze.agent, width)
    start = maze.walls.reshape(-1), goal, agent, maze.direction
    (walls, goal, agent, direction), _ = jax.lax.scan(edit, start, edits)
    goal, agent = _found_again(key_lost, walls, goal, agent)
    return maze.replace(
        walls=walls.reshape(maze.walls.shape),
        goal=place_of(goal, width),
        agent=place_of(agent, width),
        direction=direction,
    )


EDITS: dict[str, Edit] = {
    "minimax": minimax,
    "dcd": functools.partial(furnish, num_kinds=3),
    "jaxued": functools.partial(furnish, num_kinds=4),
}


def _found_again(
    key: Key, walls: jax.Array, goal: jax.Array, agent: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Goal and agent ([] int32, beyond the cells where lost), on free cells of their own."""
    key_goal, key_agent = jax.random.split(key)
    lost = len(walls)
    cells = jnp.arange(lost)
    elsewhere = random_cell(key_goal, ~walls & (cells != agent))
    goal = jnp.where(goal == lost, elsewhere, goal)
    elsewhere = random_cell(key_agent, ~walls & (cells != goal))
    return goal, jnp.where(agent == lost, elsewhere, agent)
