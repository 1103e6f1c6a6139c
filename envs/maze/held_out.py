"""Mazes that nobody trains on, by the names under which the field knows them.

The layouts, in `held_out.txt`, are those of jaxued, minimax and dcd, which agree cell by cell, and
of CLUTR; each has its time limit beside its name. Where a layout has several goals, each is a maze
of its own. Some mazes are made by rule.

    `EIGHT`    those of jaxued: 13 by 13 cells
    `TWELVE`   those of minimax and dcd: 19 by 19 cells, smaller ones with walls on the right and at
               the bottom

Source: jaxued gives 250 steps for every maze, also where the shortest way takes 113; minimax and
dcd give 2 (n + 2)^2, as here.
"""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Callable, Sequence

import jax
import numpy as np

from jaxcurriculum.envs.maze.layouts import mazes_of
from jaxcurriculum.envs.maze.perfect import perfect_maze
from jaxcurriculum.envs.maze.record import Maze
from jaxcurriculum.envs.maze.rooms import crossing, four_rooms
from jaxcurriculum.fields import is_integer
from jaxcurriculum.records import Key

EIGHT = (
    "sixteen-rooms",
    "sixteen-rooms-2",
    "labyrinth",
    "labyrinth-flipped",
    "labyrinth-2",
    "standard-maze",
    "standard-maze-2",
    "standard-maze-3",
)
TWELVE = (
    "sixteen-rooms",
    "sixteen-rooms-2",
    "labyrinth",
    "labyrinth-2",
    "standard-maze",
    "standard-maze-2",
    "standard-maze-3",
    "crossing",
    "four-rooms",
    "small-corridor",
    "large-corridor",
    "perfect-maze-medium",
)
BY_RULE: dict[str, Callable[[Key], Maze]] = {
    "crossing": crossing,
    "four-rooms": four_rooms,
    "perfect-maze": perfect_maze,
    "perfect-maze-medium": functools.partial(perfect_maze, size=19),
    "perfect-maze-small-dcd": functools.partial(perfect_maze, size=9, rule="kruskal"),
    "perfect-maze-medium-dcd": functools.partial(perfect_maze, size=19, rule="kruskal"),
}
MEMORY = "memory"  # has objects that mazes lack: it is here as data alone


@functools.cache
def held_out_layouts() -> dict[str, tuple[str, int]]:
    """The layout and the time limit (steps) of each maze that is not made by rule, by name."""
    text = (pathlib.Path(__file__).parent / "held_out.txt").read_text()
    layouts = {}
    for block in text.split("[")[1:]:
        head, *rows = block.strip().splitlines()
        name, limit = head.split("] ")
        layouts[name] = "\n".join(rows), int(limit)
    return layouts


def held_out_names() -> tuple[str, ...]:
    """All mazes that `held_out_mazes` knows."""
    drawn = (name for name in held_out_layouts() if name != MEMORY)
    return (*drawn, *BY_RULE)


def held_out_mazes(names: Sequence[str] = EIGHT, num_each: int = 1) -> Maze:
    """`num_each` tasks for each of `names`, one maze after the other, [len(names) * num_each, ...].

    Of a maze made by rule they are so many draws, the same at every call; of a corridor the goals,
    evenly spread (the last one, if it is one); of all others the same maze again.

    Raises:
      TypeError: when `names` is a single text.
      ValueError: when there is no maze of a name, no name, or `num_each` is no positive integer.

    >>> held_out_mazes(("labyrinth", "large-corridor"), num_each=2).walls.shape
    (4, 19, 19)
    """
    if isinstance(names, str):
        raise TypeError(f"held_out_mazes.names must be a sequence of names, got {names!r}.")
    if not names:
        raise ValueError("held_out_mazes.names must hold a name, got none.")
    if not is_integer(num_each, 1):
        raise ValueError(f"held_out_mazes.num_each must be a positive integer, got {num_each!r}.")
    each = [maze for name in names for maze in _tasks(name, num_each)]
    size = max(len(maze.walls) for maze in each)
    return jax.tree.map(lambda *leaves: np.stack(leaves), *(_widened(maze, size) for maze in each))


def _tasks(name: str, num: int) -> list[Maze]:
    if name in BY_RULE:
        keys = jax.random.split(jax.random.key(0), num)
        drawn = jax.tree.map(np.asarray, jax.jit(jax.vmap(BY_RULE[name]))(keys))
        return [jax.tree.map(lambda leaf, i=i: leaf[i], drawn) for i in range(num)]
    if name not in held_out_names():
        raise ValueError(
            f"a held-out maze must be one of {', '.join(held_out_names())}, got {name!r}."
        )
    text, limit = held_out_layouts()[name]
    mazes = mazes_of(text, size=len(text.splitlines()), time_limit=limit)
    return [mazes[(i + 1) * len(mazes) // num - 1] for i in range(num)]


def _widened(maze: Maze, size: int) -> Maze:
    missing = size - len(maze.walls)
    walls = np.pad(maze.walls, ((0, missing), (0, missing)), constant_values=True)
    return maze.replace(walls=walls)
