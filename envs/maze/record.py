"""The record of a maze."""

from __future__ import annotations

from typing import Any

import numpy as np
from flax import struct

SIZE = 13  # cells a side, unless said otherwise
NUM_CELLS = SIZE**2
NUM_DIRECTIONS = 4  # 0 right, 1 down, 2 left, 3 up
# (x, y) of a move, by direction
STEPS = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)], np.int32)
TIME_LIMIT = 250  # steps, unless said otherwise
WIDEST = 32  # cells of a row, the bits of a word
LONGEST = 2 * (WIDEST + 2) ** 2  # steps, the standard limit of the widest mazes
REWARD_LOST = 0.9  # by an episode that takes all its time


class Maze(struct.PyTreeNode):
    """One maze: a task, and the level made of it. Positions are (x, y) from the top left.

    Outside of the grid everything is wall, so that a maze is the same world when walls are added on
    the right and at the bottom.
    """

    walls: Any  # [height, width], bool
    goal: Any  # [2], int32
    agent: Any  # [2], int32
    direction: Any  # [], int32
    time_limit: Any = np.int32(TIME_LIMIT)  # [], int32, steps


def extent(maze: Maze) -> int:
    """Cells a side up to the last free one; beyond are the walls that fill up a small maze."""
    return 1 + int(np.argwhere(~np.asarray(maze.walls)).max())


def standard_limit(size: int) -> np.int32:
    """The steps that held-out mazes give, 2 (n + 2)^2 where n is the number of cells a side.

    >>> int(standard_limit(13))
    450
    """
    return np.int32(2 * (size + 2) ** 2)
