"""Mazes as text, to be drawn by hand and read again.

    >..#.
    .#.#.
    .#..G

'#' is a wall, '.' is free, 'G' the goal, and '>', 'v', '<' or '^' the agent, which looks that way.
"/" may stand for the end of a line.
"""

from __future__ import annotations

import os
import pathlib

import numpy as np

from jaxcurriculum.envs.maze.paths import shortest_moves
from jaxcurriculum.envs.maze.record import LONGEST, SIZE, TIME_LIMIT, WIDEST, Maze
from jaxcurriculum.fields import check_kind, is_integer

AGENTS = ">v<^"  # its sign in a text, by direction
WALL, FREE, GOAL = "#", ".", "G"
SIGNS = (WALL, FREE, GOAL, *AGENTS)


def to_text(maze: Maze) -> str:
    """A maze as lines joined by "/".

    >>> to_text(from_text(">.G/.#."))[:6]
    '>.G###'
    """
    cells = np.where(np.asarray(maze.walls), WALL, FREE)
    cells[tuple(maze.goal[::-1])] = GOAL
    cells[tuple(maze.agent[::-1])] = AGENTS[int(maze.direction)]
    return "/".join("".join(row) for row in cells)


def from_text(text: str, size: int = SIZE, time_limit: int = TIME_LIMIT) -> Maze:
    """The maze of a text, with walls added on the right and at the bottom up to `size` cells a
    side.

    Raises:
      TypeError: when `text` is none.
      ValueError: when lines differ in length or hold another sign (line and column are named), when
          there is not one agent and one goal, when the maze is larger than `size`, or a number is
          out of its bounds.
    """
    check_kind("from_text.text", text, str)
    numbers = {"size": (size, 2, WIDEST), "time_limit": (time_limit, 1, LONGEST)}
    for name, (value, low, high) in numbers.items():
        if not is_integer(value, low, high):
            rule = f"must be an integer from {low} to {high}"
            raise ValueError(f"from_text.{name} {rule}, got {value!r}.")
    cells = cells_of(text, size)
    (agent,), (goal,) = _one(cells, AGENTS, "agent"), _one(cells, GOAL, "goal")
    return _maze(cells, agent, goal, time_limit)


def mazes_of(text: str, size: int = SIZE, time_limit: int = TIME_LIMIT) -> list[Maze]:
    """One maze for each goal of a text, in the order of reading."""
    cells = cells_of(text, size)
    (agent,) = _one(cells, AGENTS, "agent")
    goals = np.argwhere(cells == GOAL)
    return [_maze(np.where(cells == GOAL, FREE, cells), agent, goal, time_limit) for goal in goals]


def drawn_by_hand(level: str, size: int = SIZE, time_limit: int = TIME_LIMIT) -> Maze:
    """The maze of a text, or of the .txt file that `level` names, whose goal can be reached.

    Raises:
      TypeError: when `level` is no text.
      ValueError: as `from_text`, naming the file, when there is no such file, or when no way leads
          to the goal.
    """
    check_kind("drawn_by_hand.level", level, str)
    if level.endswith(".txt"):
        text = _read(level)
        try:
            return _with_a_way(text, size, time_limit)
        except ValueError as error:
            raise ValueError(f"{level}: {error}") from None
    if os.path.exists(level):
        raise ValueError(f"the name of a file with a maze must end in .txt, got {level}.")
    return _with_a_way(level, size, time_limit)


def check_solvable(maze: Maze) -> None:
    """Check that agent and goal are apart and that a way leads from one to the other.

    Raises:
      ValueError: when it is not so.
    """
    agent, goal = (_cell(np.asarray(place)[::-1]) for place in (maze.agent, maze.goal))
    if agent == goal:
        raise ValueError(f"a maze's agent must not stand on the goal, got both at {goal}.")
    if int(shortest_moves(maze)) < 0:
        raise ValueError(
            f"a free way must lead from a maze's agent to its goal, got none from {agent} to"
            f" {goal}."
        )


def cells_of(text: str, size: int) -> np.ndarray:
    """The signs of a text, [size, size], walls added on the right and at the bottom."""
    rows = [row.strip() for row in text.strip().replace("/", "\n").splitlines()]
    width = len(rows[0]) if rows else 0
    for number, row in enumerate(rows, 1):
        if len(row) != width:
            raise ValueError(
                f"lines of a maze must be equally long: line {number} ends after column"
                f" {len(row)}, line 1 after column {width}."
            )
        for column, sign in enumerate(row, 1):
            if sign not in SIGNS:
                raise ValueError(
                    f"a maze must be made of {' '.join(SIGNS)}, got {sign!r} in line {number},"
                    f" column {column}."
                )
    if max(width, len(rows)) > size:
        raise ValueError(
            f"a maze must have at most {size} by {size} cells, got {width} by {len(rows)}."
        )
    cells = np.full((size, size), WALL)
    cells[: len(rows), :width] = [list(row) for row in rows]
    return cells


def _one(cells: np.ndarray, signs: str, name: str) -> np.ndarray:
    """Where the one cell is that holds one of `signs`, [1, 2] (y, x)."""
    found = np.argwhere(np.isin(cells, list(signs)))
    if len(found) != 1:
        where = f": {'; '.join(map(_cell, found))}" if len(found) else ""
        raise ValueError(
            f"a maze must have one {name} ({' '.join(signs)}), got {len(found)}{where}."
        )
    return found


def _cell(place: np.ndarray) -> str:
    """What a person calls a place (y, x)."""
    y, x = place
    return f"line {y + 1}, column {x + 1}"


def _with_a_way(text: str, size: int, time_limit: int) -> Maze:
    maze = from_text(text, size, time_limit)
    check_solvable(maze)
    return maze


def _maze(cells: np.ndarray, agent: np.ndarray, goal: np.ndarray, time_limit: int) -> Maze:
    return Maze(
        walls=cells == WALL,
        goal=np.array(goal[::-1], np.int32),
        agent=np.array(agent[::-1], np.int32),
        direction=np.int32(AGENTS.index(str(cells[tuple(agent)]))),
        time_limit=np.int32(time_limit),
    )


def _read(name: str) -> str:
    path = pathlib.Path(name)
    if not path.is_file():
        why = f"{name} is a folder" if path.is_dir() else f"there is no file {name}"
        raise ValueError(f"level must be a maze drawn as text or a file with one, but {why}.")
    return path.read_text("utf-8", errors="replace")  # a sign that is none is named by its place
