"""How a maze and an agent's way through it look."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.viewer import Film, font

CELL, LEFT, TOP = 24, 12, 64  # pixels: of a cell, and beside and above the maze
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
        from PIL import Image, ImageDraw

        size = len(film.level.walls)
        width = FINE * _padded(2 * LEFT + size * CELL)
        height = FINE * _padded(TOP + LEFT + size * CELL)
        image = Image.new("RGB", (width, height), PAPER)
        pen = ImageDraw.Draw(image)
        draw_maze(pen, film.level)
        way = film.looks[: frame + 1]
        points = [_centre(x, y) for x, y, _ in way]
        pen.line(points, fill=WAY, width=4 * FINE)
        _draw_agent(pen, *way[-1])
        small = image.reduce(FINE)
        words = ImageDraw.Draw(small)
        head = f"step {frame}, return {film.returns[frame]:.2f}"
        words.text((LEFT, 8), head, fill=INK, font=font(15))
        task = ", ".join(f"{name} {value}" for name, value in film.task.items())
        words.text((LEFT, 32), task, fill=INK, font=font(13))
        return small


def draw_maze(pen: Any, level: Any) -> None:
    """The cells, the walls and the goal."""
    for y, row in enumerate(level.walls):
        for x, is_wall in enumerate(row):
            is_goal = (x, y) == tuple(level.goal)
            colour = WALL if is_wall else GOAL if is_goal else FREE
            pen.rectangle(_corners(x, y), fill=colour, outline=LINE)


def _draw_agent(pen: Any, x: int, y: int, direction: int) -> None:
    """A triangle that points the way the agent looks."""
    centre = np.array(_centre(x, y))
    angle = direction * np.pi / 2
    sin, cos = np.sin(angle), np.cos(angle)
    forward, aside = np.array([cos, sin]), np.array([-sin, cos])
    reach = 0.36 * CELL * FINE
    corners = [
        centre + reach * forward,
        centre - reach * (forward - aside),
        centre - reach * (forward + aside),
    ]
    pen.polygon([tuple(corner) for corner in corners], fill=AGENT)


def _corners(x: int, y: int) -> tuple[int, int, int, int]:
    left = FINE * (LEFT + x * CELL)
    top = FINE * (TOP + y * CELL)
    side = FINE * CELL
    return left, top, left + side, top + side


def _centre(x: int, y: int) -> tuple[float, float]:
    left, top, right, bottom = _corners(int(x), int(y))
    return (left + right) / 2, (top + bottom) / 2


def _padded(pixels: int) -> int:
    """A multiple of 16, as films want it."""
    return -(-pixels // 16) * 16
