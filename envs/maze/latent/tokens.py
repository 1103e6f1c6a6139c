"""A maze as a sequence: its wall cells in rising order, the goal, the agent, END, and padding.

Cells are counted from 1, line by line. The rising order is what makes one maze one sequence. The
direction in which the agent looks is no part of it.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.cells import cell_of, place_of
from jaxcurriculum.envs.maze.record import NUM_DIRECTIONS, SIZE, Maze
from jaxcurriculum.records import Key

PAD = 0


@dataclasses.dataclass(frozen=True)
class Vocabulary:
    """The tokens of mazes with `size` cells a side: PAD, the cells, GO and END.

    >>> Vocabulary(13).num
    172
    """

    size: int

    @property
    def go(self) -> int:
        """It stands before the first token."""
        return self.size**2 + 1

    @property
    def end(self) -> int:
        return self.size**2 + 2

    @property
    def num(self) -> int:
        return self.size**2 + 3


def to_tokens(maze: Maze, most_walls: int) -> jax.Array:
    """The sequence of `maze`, [most_walls + 3] int32; of more walls the first `most_walls`.

    >>> from jaxcurriculum.envs.maze.layouts import from_text
    >>> maze = from_text("/".join([">#G.........."] + ["." * 13] * 12))
    >>> to_tokens(maze, 4).tolist()  # a wall, the goal, the agent, END
    [2, 3, 1, 171, 0, 0, 0]
    """
    size = maze.walls.shape[0]
    walls = jnp.nonzero(maze.walls.reshape(-1), size=most_walls, fill_value=size**2)[0]
    num = jnp.minimum(jnp.sum(maze.walls), most_walls)
    place = jnp.arange(most_walls + 3)
    tokens = jnp.pad(walls + 1, (0, 3))
    goal, agent = cell_of(maze.goal, size) + 1, cell_of(maze.agent, size) + 1
    tokens = jnp.where(place >= num, PAD, tokens)
    for after, token in enumerate((goal, agent, Vocabulary(size).end)):
        tokens = jnp.where(place == num + after, token, tokens)
    return tokens.astype(jnp.int32)


def from_tokens(key: Key, tokens: jax.Array, size: int = SIZE) -> Maze:
    """The maze of a sequence ([length] int32) with `size` cells a side, whatever is in it.

    What follows END counts for nothing, and so does a cell that was named before. The last two
    cells are goal and agent, or a random free one where they are missing, and the direction is
    random.
    """
    length, num_cells = tokens.shape[0], size**2
    is_before_end = jnp.cumsum(tokens == Vocabulary(size).end) == 0
    is_cell = is_before_end & (tokens >= 1) & (tokens <= num_cells)
    earlier = jnp.tril(jnp.ones((length, length), bool), -1)
    is_repeated = jnp.any((tokens[:, None] == tokens[None, :]) & earlier & is_cell[None, :], axis=1)
    is_new = is_cell & ~is_repeated
    number = jnp.cumsum(is_new)
    num = number[-1]

    def cell_number(wanted: jax.Array, otherwise: jax.Array) -> jax.Array:
        found = jnp.sum(jnp.where(is_new & (number == wanted), tokens - 1, 0))
        return jnp.where(wanted >= 1, found, otherwise)

    key_cells, key_direction = jax.random.split(key)
    spare = jax.random.permutation(key_cells, num_cells)[:2]
    agent = cell_number(num, spare[0])
    goal = cell_number(num - 1, jnp.where(spare[0] == agent, spare[1], spare[0]))
    is_wall = is_new & (number < num - 1)
    cells = jnp.where(is_wall, tokens - 1, num_cells)
    walls = jnp.zeros((num_cells,), bool).at[cells].set(True, mode="drop")
    return Maze(
        walls=walls.reshape(size, size),
        goal=place_of(goal, size),
        agent=place_of(agent, size),
        direction=jax.random.randint(key_direction, (), 0, NUM_DIRECTIONS),
    )
