"""The space of mazes: walls, a goal, where an agent starts, and how much time it has.

    sample   random walls (`generators.py`), a goal and an agent on different free cells, a random
             direction
    mutate   `num_edits` random edits (`edits.py`)

Source: M. Dennis et al., "Emergent complexity and zero-shot transfer via unsupervised environment
design", NeurIPS 2020; the generators and edits of jaxued, minimax and dcd.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, field
from jaxcurriculum.envs.maze.cells import place_of
from jaxcurriculum.envs.maze.edits import EDITS
from jaxcurriculum.envs.maze.generators import GENERATORS
from jaxcurriculum.envs.maze.layouts import drawn_by_hand, from_text, to_text
from jaxcurriculum.envs.maze.paths import shortest_actions, shortest_moves, solvable
from jaxcurriculum.envs.maze.record import (
    LONGEST,
    NUM_DIRECTIONS,
    SIZE,
    TIME_LIMIT,
    WIDEST,
    Maze,
    extent,
)
from jaxcurriculum.fields import is_integer
from jaxcurriculum.records import Key

SAID = ("agent", "goal", "direction", "time_limit")  # of a maze that breaks a rule
MOST_BATCHES = 100  # drawn in search of mazes with a way


@dataclasses.dataclass(frozen=True, kw_only=True)
class Mazes(Config):
    """All mazes whose agent and goal stand on two different free cells; how new ones are drawn.

    Tests may play mazes of other sizes than those that are drawn.

    Raises:
      ValueError: when a number is out of its bounds, or `level` is no maze.

    >>> mazes = Mazes(num_walls=25)
    >>> bool(mazes.contains(mazes.sample(jax.random.key(0))))
    True
    """

    sizes_vary = True

    size: int = field(SIZE, low=2, high=WIDEST, help="cells a side")
    num_walls: int = field(25, low=0, high=WIDEST**2, help="cells drawn for walls")
    walls: Literal["replacement", "exact", "uniform", "dcd", "dcd-uniform", "level"] = field(
        "replacement",
        help=(
            "replacement: num_walls cells, some drawn again; exact: num_walls different cells;"
            " uniform: 0 to num_walls - 1; dcd: as replacement, goal and agent clear their cells;"
            " dcd-uniform: the same with fewer than num_walls; level: the maze of level"
        ),
    )
    num_edits: int = field(5, low=0, high=1000, help="edits of one mutation")
    edits: Literal["minimax", "jaxued", "dcd"] = field("minimax", help="whose edits")
    time_limit: int = field(TIME_LIMIT, low=1, high=LONGEST, help="steps")
    level: str = field("", help="a maze as text, / ends a line, or a .txt file with one")

    def __post_init__(self):
        super().__post_init__()
        most = self.size**2 - 2
        if self.num_walls > most:
            raise ValueError(
                f"Mazes.num_walls must leave two of {self.size} by {self.size} cells free, got"
                f" {self.num_walls}."
            )
        if self.walls == "level" and not self.level:
            raise ValueError('Mazes.level must hold a maze where walls are "level", got none.')
        if self.level:
            drawn = drawn_by_hand(self.level, self.size, self.time_limit)
            object.__setattr__(self, "level", to_text(drawn))  # a file may change

    @classmethod
    def jaxued(cls) -> Mazes:
        """25 draws, 5 edits (the defaults)."""
        return cls()

    @classmethod
    def minimax(cls) -> Mazes:
        """60 draws, 20 edits."""
        return cls(num_walls=60, num_edits=20)

    @classmethod
    def dcd(cls) -> Mazes:
        """25 blocks of a random builder, 5 edits that clear their cells."""
        return cls(walls="dcd", edits="dcd")

    @classmethod
    def dcd_uniform(cls) -> Mazes:
        """Up to 60 blocks of a random builder."""
        return cls(num_walls=60, walls="dcd-uniform", edits="dcd")

    @classmethod
    def empty(cls) -> Mazes:
        """No wall, as ACCEL begins in minimax and dcd; 20 edits."""
        return cls(num_walls=0, num_edits=20)

    @property
    def num_distinct(self) -> float:
        """How many mazes can be drawn at most: one that is always the same, or more than count."""
        return 1 if self.walls == "level" else math.inf

    def drawn(self) -> Maze:
        """The maze of `level`."""
        return from_text(self.level, self.size, self.time_limit)

    def read(self, text: str) -> Maze:
        """The maze of a text or of the .txt file that it names, of any size, with this time limit.

        Raises:
          ValueError: when it is no maze, or has no way to the goal.

        >>> Mazes(size=3, num_walls=2).read(">...G").walls.shape, Mazes().read(">G").walls.shape
        ((5, 5), (13, 13))
        """
        maze = drawn_by_hand(text, WIDEST, self.time_limit)
        size = max(self.size, extent(maze))
        return maze.replace(walls=maze.walls[:size, :size])

    def sample(self, key: Key) -> Maze:
        """A random maze, or that of `level`."""
        if self.walls == "level":
            return jax.tree.map(jnp.asarray, self.drawn())
        key_cells, key_direction = jax.random.split(key)
        generator = GENERATORS[self.walls]
        walls, goal, agent = generator(key_cells, self.num_walls, self.size**2)
        return Maze(
            walls=walls.reshape(self.size, self.size),
            goal=place_of(goal, self.size),
            agent=place_of(agent, self.size),
            direction=jax.random.randint(key_direction, (), 0, NUM_DIRECTIONS),
            time_limit=jnp.int32(self.time_limit),
        )

    def contains(self, task: Maze) -> jax.Array:
        """Whether agent and goal stand on two different free cells, [] bool."""
        return jnp.all(jnp.stack([*_rules(task).values()]))

    def fault(self, task: Maze) -> str:
        """The first rule that `task`, which is none of the space, breaks, and what it holds."""
        rules = _rules(jax.tree.map(jnp.asarray, task))
        broken = next(rule for rule, holds in rules.items() if not holds)
        values = (f"{name} {getattr(task, name).tolist()}" for name in SAID)
        return f"{broken}, got {', '.join(values)}"

    def clip(self, task: Maze) -> Maze:
        """The maze without walls under agent and goal; positions are moved into the grid, and a
        goal under the agent to the cell beside.
        """
        height, width = task.walls.shape
        most = jnp.array([width, height]) - 1
        goal = jnp.clip(task.goal, 0, most)
        agent = jnp.clip(task.agent, 0, most)
        x = agent[0]
        beside = agent.at[0].set(jnp.where(x > 0, x - 1, x + 1))
        goal = jnp.where(jnp.all(goal == agent), beside, goal)
        walls = task.walls.at[goal[1], goal[0]].set(False)
        return Maze(
            walls=walls.at[agent[1], agent[0]].set(False),
            goal=goal,
            agent=agent,
            direction=jnp.clip(task.direction, 0, NUM_DIRECTIONS - 1),
            time_limit=jnp.clip(task.time_limit, 1, LONGEST),
        )

    def mutate(self, key: Key, task: Maze, scale: float) -> Maze:
        """`task` after `num_edits` edits; `scale` has no meaning here."""
        # where edits leave no cell free, as in a maze of four, goal and agent clear theirs
        return self.clip(EDITS[self.edits](key, task, self.num_edits))

    def columns(self, tasks: Maze) -> dict[str, np.ndarray]:
        """Mazes [num, ...]: how many walls, how many moves and actions from agent to goal (-1: no
        way), the time limit, and the whole layout as text, so that a maze can be drawn again.
        """
        ways = jax.jit(jax.vmap(lambda maze: (shortest_moves(maze), shortest_actions(maze))))
        moves, actions = jax.tree.map(np.asarray, ways(tasks))
        tasks = jax.tree.map(np.asarray, tasks)
        mazes = [tree.take(tasks, i) for i in range(len(tasks.walls))]
        return {
            "walls": tasks.walls.sum((1, 2)).astype(np.int32),
            "path_length": moves,
            "actions": actions,
            "time_limit": tasks.time_limit,
            "layout": np.array([to_text(maze) for maze in mazes]),
        }

    def embed(self, task: Maze) -> None:
        """None: mazes have no distance."""
        return None


def solvable_mazes(mazes: Mazes, num: int, seed: int = 0) -> Maze:
    """The first `num` random mazes with a way to the goal, [num, ...].

    Raises:
      ValueError: when hardly any maze has one, or `num` is no positive integer.

    >>> solvable_mazes(Mazes(num_walls=60), 10).walls.shape
    (10, 13, 13)
    """
    if not is_integer(num, 1):
        raise ValueError(f"solvable_mazes.num must be a positive integer, got {num!r}.")
    make, has_way = jax.jit(jax.vmap(mazes.sample)), jax.jit(jax.vmap(solvable))
    key, found, num_found = jax.random.key(seed), [], 0
    for batch in range(MOST_BATCHES):
        drawn = make(jax.random.split(jax.random.fold_in(key, batch), num))
        found.append(tree.take(drawn, np.flatnonzero(has_way(drawn))))
        num_found += len(found[-1].direction)
        if num_found >= num:
            return jax.tree.map(lambda *leaves: jnp.concatenate(leaves)[:num], *found)
    raise ValueError(
        f"mazes must have a way to the goal, got {num_found} among {MOST_BATCHES * num}."
    )


def _rules(maze: Maze) -> dict[str, jax.Array]:
    """What must hold of a maze, and whether it does, [] bool each."""
    height, width = maze.walls.shape
    places = jnp.stack([maze.goal, maze.agent])
    walled_in = _at(maze.walls, maze.goal) | _at(maze.walls, maze.agent)
    turns, time = maze.direction, maze.time_limit
    return {
        "agent and goal must stand in the grid": jnp.all(
            (places >= 0) & (places < jnp.array([[width, height]]))
        ),
        "the agent must not stand on the goal": jnp.any(maze.goal != maze.agent),
        "agent and goal must stand on free cells": ~walled_in,
        "direction must be from 0 to 3": (turns >= 0) & (turns < NUM_DIRECTIONS),
        f"time_limit must be from 1 to {LONGEST}": (time >= 1) & (time <= LONGEST),
    }


def _at(walls: jax.Array, place: jax.Array) -> jax.Array:
    x, y = place
    return walls[y, x]
