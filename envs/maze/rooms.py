"""Four rooms and crossings: mazes made by rule, always with a way.

    four rooms   walls along the middle row and column, one door in each of their four arms; agent
                 and goal on cells that were free before the doors were
    crossing     walls along some of the odd rows and columns, an opening in each, along a way of
                 right and down steps through the rooms between them; from corner to corner

Source: M. Chevalier-Boisvert et al., "Minigrid & Miniworld", 2023 (FourRooms, SimpleCrossing);
sizes and time limits as in minimax. It draws 2 to 7 walls of a crossing, here as in Minigrid there
are always as many.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.cells import check_odd, place_of, random_cell
from jaxcurriculum.envs.maze.record import NUM_DIRECTIONS, TIME_LIMIT, Maze
from jaxcurriculum.fields import is_integer
from jaxcurriculum.records import Key


def four_rooms(key: Key, size: int = 17) -> Maze:
    """Four rooms with four doors, `size` cells a side, an odd number.

    >>> int(four_rooms(jax.random.key(0)).walls.sum())
    29
    """
    check_odd("four_rooms", size)
    key_doors, key_goal, key_agent, key_direction = jax.random.split(key, 4)
    middle = size // 2
    y, x = jnp.indices((size, size))
    walls = (x == middle) | (y == middle)
    free = ~walls.reshape(-1)
    goal = random_cell(key_goal, free)
    agent = random_cell(key_agent, free.at[goal].set(False))
    top, bottom, left, right = jax.random.randint(key_doors, (4,), 0, middle)
    far = middle + 1
    walls = walls.at[top, middle].set(False).at[far + bottom, middle].set(False)
    walls = walls.at[middle, left].set(False).at[middle, far + right].set(False)
    return Maze(
        walls=walls,
        goal=place_of(goal, size),
        agent=place_of(agent, size),
        direction=jax.random.randint(key_direction, (), 0, NUM_DIRECTIONS),
        time_limit=jnp.int32(TIME_LIMIT),
    )


def crossing(key: Key, num_walls: int = 5, size: int = 9) -> Maze:
    """A crossing with `num_walls` of the odd rows and columns, `size` cells a side, an odd number.

    >>> int(crossing(jax.random.key(0), num_walls=1).walls.sum())
    8
    """
    check_odd("crossing", size)
    each = size // 2  # rows, and columns, that may be walls
    if not is_integer(num_walls, 0, 2 * each):
        rule = f"must be an integer from 0 to {2 * each}"
        raise ValueError(f"crossing.num_walls {rule}, got {num_walls!r}.")
    key_lines, key_openings = jax.random.split(key)
    lines = jax.random.permutation(key_lines, 2 * each)[:num_walls]
    is_column, places = lines < each, 2 * (lines % each) + 1
    columns = jnp.sort(jnp.where(is_column, places, size))
    rows = jnp.sort(jnp.where(is_column, size, places))
    y, x = jnp.indices((size, size))
    walls = jnp.isin(x, columns) | jnp.isin(y, rows)

    def open_next(carry, wall):
        """The next wall to the right or below the room where the way has come to."""
        walls, room = carry
        crosses_column, key = wall
        column, row = _bounds(columns, room[0], size), _bounds(rows, room[1], size)
        key_x, key_y = jax.random.split(key)
        there = jnp.where(crosses_column, column[1], jax.random.randint(key_x, (), *column))
        down = jnp.where(crosses_column, jax.random.randint(key_y, (), *row), row[1])
        step = jnp.where(crosses_column, jnp.array([1, 0]), jnp.array([0, 1]))
        return (walls.at[down, there].set(False), room + step), None

    start = walls, jnp.zeros((2,), jnp.int32)
    order = is_column, jax.random.split(key_openings, num_walls)
    (walls, _), _ = jax.lax.scan(open_next, start, order)
    corner = jnp.full((2,), size - 1, jnp.int32)
    begin = jnp.zeros((2,), jnp.int32)
    return Maze(walls, corner, begin, jnp.int32(0), jnp.int32(4 * (size + 2) ** 2))


def _bounds(lines: jax.Array, room: jax.Array, size: int) -> tuple[jax.Array, jax.Array]:
    """The first cell of a room along one axis, and the wall behind its last."""
    walls = jnp.concatenate([jnp.array([-1]), lines, jnp.array([size])])
    return walls[room] + 1, walls[room + 1]
