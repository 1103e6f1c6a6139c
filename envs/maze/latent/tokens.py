"""A maze as a sequence: its wall cells in rising order, the goal, the agent, END, and padding.

Cells are counted from 1, line by line. The rising order is what makes one maze one sequence. The
direction in which the agent looks is no part of it.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.cells import cell_of, place_of
from jaxcurriculum.envs.maze.record import NUM_CELLS, NUM_DIRECTIONS, SIZE, Maze
from jaxcurriculum.records import Key

PAD = 0
GO = NUM_CELLS + 1  # before the first token
END = NUM_CELLS + 2
NUM_TOKENS = NUM_CELLS + 3


def to_tokens(maze: Maze, most_walls: int) -> jax.Array:
    """The sequence of `maze`, [most_walls + 3] int32; of more walls the first `most_walls`.

    >>> from jaxcurriculum.envs.maze.layouts import from_text
    >>> maze = from_text("/".join([">#G.........."] + ["." * 13] * 12))
    >>> to_tokens(maze, 4).tolist()  # a wall, the goal, the agent, END
    [2, 3, 1, 171, 0, 0, 0]
    """
    walls = jnp.nonzero(maze.walls.reshape(-1), size=most_walls, fill_value=NUM_CELLS)[0]
    num = jnp.minimum(jnp.sum(maze.walls), most_walls)
    place = jnp.arange(most_walls + 3)
    tokens = jnp.pad(walls + 1, (0, 3))
    last = {0: cell_of(maze.goal, SIZE) + 1, 1: cell_of(maze.agent, SIZE) + 1, 2: END}
    tokens = jnp.where(place >= num, PAD, tokens)
    for after, token in last.items():
        tokens = jnp.where(place == num + after, token, tokens)
    return tokens.astype(jnp.int32)


def from_tokens(key: Key, tokens: jax.Array) -> Maze:
    """The maze of a sequence ([length] int32), whatever is in it.

    What follows END counts for nothing, and so does a cell that was named before. The last two
    cells are goal and agent, or a random free one where they are missing, and the direction is
    random.
    """
    length = tokens.shape[0]
    is_before_end = jnp.cumsum(tokens == END) == 0
    is_cell = is_before_end & (tokens >= 1) & (tokens <= NUM_CELLS)
    earlier = jnp.tril(jnp.ones((length, length), bool), -1)
    is_repeated = jnp.any((tokens[:, None] == tokens[None, :]) & earlier & is_cell[None, :], axis=1)
    is_new = is_cell & ~is_repeated
    number = jnp.cumsum(is_new)
    num = number[-1]

    def cell_number(wanted: jax.Array, otherwise: jax.Array) -> jax.Array:
        found = jnp.sum(jnp.where(is_new & (number == wanted), tokens - 1, 0))
        return jnp.where(wanted >= 1, found, otherwise)

    key_cells, key_direction = jax.random.split(key)
    spare = jax.random.permutation(key_cells, NUM_CELLS)[:2]
    agent = cell_number(num, spare[0])
    goal = cell_number(num - 1, jnp.where(spare[0] == agent, spare[1], spare[0]))
    is_wall = is_new & (number < num - 1)
    cells = jnp.where(is_wall, tokens - 1, NUM_CELLS)
    walls = jnp.zeros((NUM_CELLS,), bool).at[cells].set(True, mode="drop")
    return Maze(
        walls=walls.reshape(SIZE, SIZE),
        goal=place_of(goal, SIZE),
        agent=place_of(agent, SIZE),
        direction=jax.random.randint(key_direction, (), 0, NUM_DIRECTIONS),
    )
