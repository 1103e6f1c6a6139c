"""The space of mazes: walls, a goal, and where an agent starts, on 13 by 13 cells.

    sample   `num_walls` cells drawn with replacement become walls; then goal and agent, each
             uniform over the cells that are still free; the direction is uniform
    mutate   `num_edits` times in a row, each with equal probability: nothing, one wall flipped
             that is under neither agent nor goal, or the goal moved to a free cell

Source: M. Dennis et al., "Emergent complexity and zero-shot transfer via unsupervised environment
design", NeurIPS 2020; the generator and the edits as in minimax (M. Jiang et al. 2023).
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.envs.maze.paths import distances
from jaxcurriculum.fields import is_integer
from jaxcurriculum.records import Key

SIZE = 13  # cells a side
NUM_CELLS = SIZE**2
NUM_DIRECTIONS = 4  # 0 right, 1 down, 2 left, 3 up
AGENTS = ">v<^"  # its sign in a text, by direction


class Maze(struct.PyTreeNode):
    """One maze: a task, and the level made of it. Positions are (x, y) from the top left."""

    walls: Any  # [SIZE (y), SIZE (x)], bool
    goal: Any  # [2], int32
    agent: Any  # [2], int32
    direction: Any  # [], int32


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mazes:
    """All mazes whose agent and goal stand on two different free cells.

    Args:
      num_walls: cells drawn for walls by `sample`, with replacement; 0 gives empty mazes.
      num_edits: of one mutation.

    Raises:
      ValueError: when a number is out of its bounds.

    >>> mazes = Mazes(num_walls=25)
    >>> bool(mazes.contains(mazes.sample(jax.random.key(0))))
    True
    """

    num_walls: int = 25
    num_edits: int = 5

    def __post_init__(self):
        largest = {"num_walls": NUM_CELLS - 2, "num_edits": 1000}
        for name, most in largest.items():
            value = getattr(self, name)
            if not is_integer(value, 0, most):
                raise ValueError(f"Mazes.{name} must lie between 0 and {most}, got {value!r}.")

    def sample(self, key: Key) -> Maze:
        """A random maze."""
        key_walls, key_goal, key_agent, key_direction = jax.random.split(key, 4)
        cells = jax.random.randint(key_walls, (self.num_walls,), 0, NUM_CELLS)
        empty = jnp.zeros((NUM_CELLS,), bool)
        walls = empty.at[cells].set(True)
        goal = _free_cell(key_goal, walls)
        agent = _free_cell(key_agent, walls.at[goal].set(True))
        return Maze(
            walls=walls.reshape(SIZE, SIZE),
            goal=_position(goal),
            agent=_position(agent),
            direction=jax.random.randint(key_direction, (), 0, NUM_DIRECTIONS),
        )

    def contains(self, task: Maze) -> jax.Array:
        """Whether agent and goal stand on two different free cells, [] bool."""
        places = jnp.stack([task.goal, task.agent])
        inside = jnp.all((places >= 0) & (places < SIZE))
        apart = jnp.any(task.goal != task.agent)
        walled_in = _at(task.walls, task.goal) | _at(task.walls, task.agent)
        turned = (task.direction >= 0) & (task.direction < NUM_DIRECTIONS)
        return inside & apart & ~walled_in & turned

    def clip(self, task: Maze) -> Maze:
        """The maze without walls under agent and goal; positions are moved into the grid."""
        goal = jnp.clip(task.goal, 0, SIZE - 1)
        agent = jnp.clip(task.agent, 0, SIZE - 1)
        x = agent[0]
        beside = agent.at[0].set(jnp.where(x > 0, x - 1, x + 1))
        goal = jnp.where(jnp.all(goal == agent), beside, goal)
        walls = _without_wall(task.walls, goal)
        walls = _without_wall(walls, agent)
        direction = jnp.clip(task.direction, 0, NUM_DIRECTIONS - 1)
        return Maze(walls=walls, goal=goal, agent=agent, direction=direction)

    def mutate(self, key: Key, task: Maze, scale: float) -> Maze:
        """`task` after `num_edits` edits; `scale` has no meaning here."""

        def edit(task: Maze, key: Key) -> tuple[Maze, None]:
            key_kind, key_wall, key_goal = jax.random.split(key, 3)
            kind = jax.random.randint(key_kind, (), 0, 3)
            cell = jax.random.randint(key_wall, (), 0, NUM_CELLS)
            place = _position(cell)
            is_agent = jnp.all(place == task.agent)
            is_goal = jnp.all(place == task.goal)
            flip = (kind == 1) & ~(is_agent | is_goal)
            here = jnp.arange(NUM_CELLS) == cell
            walls = task.walls ^ (here.reshape(SIZE, SIZE) & flip)
            blocked = walls.reshape(-1).at[_cell(task.agent)].set(True)
            elsewhere = _position(_free_cell(key_goal, blocked))
            goal = jnp.where(kind == 2, elsewhere, task.goal)
            return task.replace(walls=walls, goal=goal), None

        keys = jax.random.split(key, self.num_edits)
        edited, _ = jax.lax.scan(edit, task, keys)
        return edited

    def columns(self, tasks: Maze) -> dict[str, np.ndarray]:
        """Mazes [num, ...]: how many walls, how many moves from agent to goal (-1: no way), and the
        whole layout as text, so that a maze can be drawn again.
        """
        tasks = jax.tree.map(np.asarray, tasks)
        walls = tasks.walls
        num = len(walls)
        moves_from = np.asarray(jax.vmap(distances)(walls, tasks.goal))
        x, y = tasks.agent.T
        moves = moves_from[np.arange(num), y, x]
        mazes = [tree.take(tasks, i) for i in range(num)]
        return {
            "walls": walls.sum((1, 2)).astype(np.int32),
            "path_length": moves.astype(np.int32),
            "layout": np.array([to_text(maze) for maze in mazes]),
        }

    def embed(self, task: Maze) -> None:
        """None: mazes have no distance."""
        return None


def to_text(maze: Maze) -> str:
    """A maze as lines joined by "/": '#' a wall, '.' free, 'G' the goal, '>', 'v', '<' or '^' the
    agent.

    >>> to_text(from_text("/".join([">G..........."] + ["." * 13] * 12)))[:13]
    '>G...........'
    """
    cells = np.where(np.asarray(maze.walls), "#", ".")
    cells[tuple(maze.goal[::-1])] = "G"
    cells[tuple(maze.agent[::-1])] = AGENTS[int(maze.direction)]
    return "/".join("".join(row) for row in cells)


def from_text(text: str) -> Maze:
    """The maze that `to_text` made the text of; a smaller one is surrounded by walls on the right
    and at the bottom.

    Raises:
      ValueError: when there is not one agent and one goal, or there are other signs.
    """
    rows = text.strip().replace("\n", "/").split("/")
    cells = np.full((SIZE, SIZE), "#")
    if len(rows) > SIZE or any(len(row) > SIZE for row in rows):
        raise ValueError(f"a maze must have at most {SIZE} by {SIZE} cells, got {len(rows)} rows.")
    for y, row in enumerate(rows):
        cells[y, : len(row)] = list(row)
    starts = np.argwhere(np.isin(cells, list(AGENTS)))
    goals = np.argwhere(cells == "G")
    are_known = np.isin(cells, list("#.G" + AGENTS)).all()
    if len(starts) != 1 or len(goals) != 1 or not are_known:
        raise ValueError(f"a maze must have one agent and one goal on '#' and '.', got {text!r}.")
    start, goal = starts[0], goals[0]
    sign = str(cells[tuple(start)])
    return Maze(
        walls=np.asarray(cells == "#"),
        goal=np.array(goal[::-1], np.int32),
        agent=np.array(start[::-1], np.int32),
        direction=np.int32(AGENTS.index(sign)),
    )


def _free_cell(key: Key, blocked: jax.Array) -> jax.Array:
    """The number of a cell that is not `blocked` ([cells] bool), all equally likely, [] int32."""
    logits = jnp.where(blocked, -jnp.inf, 0.0)
    return jax.random.categorical(key, logits).astype(jnp.int32)


def _position(cell: jax.Array) -> jax.Array:
    x, y = cell % SIZE, cell // SIZE
    return jnp.stack([x, y]).astype(jnp.int32)


def _cell(position: jax.Array) -> jax.Array:
    return position[1] * SIZE + position[0]


def _at(walls: jax.Array, position: jax.Array) -> jax.Array:
    x, y = position
    return walls[y, x]


def _without_wall(walls: jax.Array, position: jax.Array) -> jax.Array:
    x, y = position
    return walls.at[y, x].set(False)
