"""How mazes and an agent's way through one look."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.envs.maze.record import Maze, extent
from jaxcurriculum.fields import is_integer
from jaxcurriculum.viewer import Film, font

EDGE, TOP = 12, 64  # pixels beside and above a maze
SIDE = 312  # pixels of a maze
SMALL_SIDE, SMALL_TOP = 130, 20  # pixels, of one among others and above it
PAPER, WALL, FREE, LINE = "#f2f6f9", "#39424a", "#ffffff", "#d5dce2"
GOAL, AGENT, WAY, INK = "#009e73", "#d55e00", "#e69f00", "#22282e"
FINE = 2  # drawn so many times larger and then reduced, for smooth edges


@dataclasses.dataclass(frozen=True)
class MazeViewer:
    """Draws the maze, the goal, the agent and the way that it has come."""

    steps_per_frame: int = 1
    frames_per_second: float = 10.0

    def look(self, level: Any, state: Any, obs: Any) -> jax.Array:
        """Where the agent is and looks: [3], x, y and direction."""
        return jnp.concatenate([state.agent, state.direction[None]])

    def picture(self, film: Film, frame: int) -> Any:
        """The maze after so many steps, with the way so far."""
        image, pen = _paper(2 * EDGE + SIDE, TOP + SIDE + EDGE)
        grid = Grid(pen, EDGE, TOP, SIDE, extent(film.level))
        grid.draw(film.level)
        way = film.looks[: frame + 1]
        grid.draw_way(way)
        grid.draw_agent(*way[-1])
        head = f"step {frame}, return {film.returns[frame]:.2f}"
        task = [f"{name} {_said(value)}" for name, value in film.task.items()]
        lines = [", ".join(task[:3]), ", ".join(task[3:])]
        words = [(EDGE, 6, 15, head), (EDGE, 26, 12, lines[0]), (EDGE, 43, 12, lines[1])]
        return _with_words(image, words)


def draw_mazes(mazes: Maze, names: Sequence[str] = (), num_columns: int = 6) -> Any:
    """A wall of mazes ([num, ...]), each with its name where there are `names`: a Pillow image.

    Raises:
      ValueError: when `mazes` are one alone or none, or `num_columns` is no positive integer.

    >>> from jaxcurriculum import envs
    >>> draw_mazes(envs.held_out_mazes(), envs.EIGHT, num_columns=4).size
    (592, 320)
    """
    if np.ndim(mazes.walls) != 3 or not len(mazes.walls):
        shape = list(np.shape(mazes.walls))
        raise ValueError(
            "draw_mazes.mazes must be one or more mazes, with walls [num, height, width], got"
            f" walls {shape}."
        )
    if not is_integer(num_columns, 1):
        raise ValueError(f"draw_mazes.num_columns must be a positive integer, got {num_columns!r}.")
    num = len(mazes.walls)
    num_columns = min(num, num_columns)
    num_rows = -(-num // num_columns)
    width, height = SMALL_SIDE + EDGE, SMALL_SIDE + SMALL_TOP
    image, pen = _paper(EDGE + num_columns * width, num_rows * height + EDGE)
    words = []
    for i in range(num):
        maze = jax.tree.map(np.asarray, tree.take(mazes, i))
        left, top = EDGE + i % num_columns * width, SMALL_TOP + i // num_columns * height
        grid = Grid(pen, left, top, SMALL_SIDE, len(maze.walls))
        grid.draw(maze)
        x, y = maze.agent
        grid.draw_agent(x, y, maze.direction)
        words += [(left, top - 16, 11, name) for name in names[i : i + 1]]
    return _with_words(image, words)


class Grid:
    """A square on an image, `side` pixels wide, in which a maze of `size` cells a side is drawn."""

    def __init__(self, pen: Any, left: int, top: int, side: int, size: int):
        self.pen, self.left, self.top, self.size = pen, FINE * left, FINE * top, size
        self.cell = FINE * side / size

    def draw(self, maze: Maze) -> None:
        """The cells, the walls and the goal."""
        for y, row in enumerate(maze.walls[: self.size]):
            for x, is_wall in enumerate(row[: self.size]):
                is_goal = (x, y) == tuple(maze.goal)
                colour = WALL if is_wall else GOAL if is_goal else FREE
                left, top = self._place(x, y)
                corners = left, top, left + self.cell, top + self.cell
                self.pen.rectangle(corners, fill=colour, outline=LINE)

    def draw_way(self, way: np.ndarray) -> None:
        """Where an agent has been, [steps, 3]: x, y and direction."""
        points = [self._place(x + 0.5, y + 0.5) for x, y, _ in way]
        self.pen.line(points, fill=WAY, width=round(self.cell / 6))

    def draw_agent(self, x: int, y: int, direction: int) -> None:
        """A triangle that points the way the agent looks."""
        centre = np.array(self._place(x + 0.5, y + 0.5))
        angle = direction * np.pi / 2
        sin, cos = np.sin(angle), np.cos(angle)
        forward, aside = np.array([cos, sin]), np.array([-sin, cos])
        reach = 0.36 * self.cell
        corners = [
            centre + reach * forward,
            centre - reach * (forward - aside),
            centre - reach * (forward + aside),
        ]
        self.pen.polygon([tuple(corner) for corner in corners], fill=AGENT)

    def _place(self, x: float, y: float) -> tuple[float, float]:
        return self.left + x * self.cell, self.top + y * self.cell


def _paper(width: int, height: int) -> tuple[Any, Any]:
    """An image of at least this size, in pixels, and the pen that draws on it."""
    from PIL import Image, ImageDraw

    image = Image.new("RGB", (FINE * _padded(width), FINE * _padded(height)), PAPER)
    return image, ImageDraw.Draw(image)


def _with_words(image: Any, words: Sequence[tuple[int, int, int, str]]) -> Any:
    """The finished image with words at (left, top), in letters of a size."""
    from PIL import ImageDraw

    small = image.reduce(FINE)
    pen = ImageDraw.Draw(small)
    for left, top, size, text in words:
        pen.text((left, top), text, fill=INK, font=font(size))
    return small


def _said(value: str) -> str:
    """What stands for a value: a path of -1 moves is none."""
    return "no way" if value == "-1" else value


def _padded(pixels: int) -> int:
    """A multiple of 16, as films want it."""
    return -(-pixels // 16) * 16
