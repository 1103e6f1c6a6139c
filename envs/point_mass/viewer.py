"""How the ways of a point mass look: through its gate, and around the ring."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax

from jaxcurriculum.envs.canvas import BLUE, GREEN, GREY, INK, ORANGE, Canvas
from jaxcurriculum.envs.equations import ConstantsOf
from jaxcurriculum.viewer import Film

SIZE = (384, 448)  # pixels


@dataclasses.dataclass(frozen=True)
class PointMassViewer:
    """Draws the wall with its gate, the goal, and the way so far."""

    constants: ConstantsOf
    steps_per_frame: int = 1
    frames_per_second: float = 10.0

    def look(self, level: jax.Array, state: Any, obs: jax.Array) -> jax.Array:
        """Where the point is, m: [2]."""
        return state.place

    def picture(self, film: Film, frame: int) -> Any:
        """The plane from -4 to 4 m."""
        canvas = Canvas(SIZE, reach=8.4)
        constants = self.constants(film.level)
        middle, half = float(constants["gate_position"]), float(constants["gate_width"]) / 2
        for start, end in ((-4.2, middle - half), (middle + half, 4.2)):
            if start < end:
                canvas.rectangle((start, -0.08), (end, 0.08), INK)
        canvas.disc((0, -3), 0.18, GREEN)
        draw_way(canvas, film, frame, 0.14)
        return canvas.with_words(film, frame)


@dataclasses.dataclass(frozen=True)
class RingMazeViewer:
    """Draws the ring, the goal with its tolerance, and the way so far."""

    constants: ConstantsOf
    steps_per_frame: int = 2
    frames_per_second: float = 15.0

    def look(self, level: jax.Array, state: Any, obs: jax.Array) -> jax.Array:
        """Where the point is, m: [2]."""
        return state.place

    def picture(self, film: Film, frame: int) -> Any:
        """The plane from -9 to 9 m, walls grey."""
        canvas = Canvas(SIZE, reach=18.4)
        canvas.rectangle((-9.2, -9.2), (9.2, 9.2), GREY)
        canvas.rectangle((-7, -7), (7, 7), "#ffffff")
        canvas.rectangle((-5, -5), (5, 5), GREY)
        goal = self.constants(film.level)
        centre = goal["goal_x"], goal["goal_y"]
        canvas.ring(centre, float(goal["tolerance"]), GREEN)
        canvas.disc(centre, 0.3, GREEN)
        draw_way(canvas, film, frame, 0.3)
        return canvas.with_words(film, frame)


def draw_way(canvas: Canvas, film: Film, frame: int, radius: float) -> None:
    """The way up to a frame, and the point at its end."""
    way = film.looks[: frame + 1]
    canvas.line(way, ORANGE, radius / 2)
    canvas.disc(way[-1], radius, BLUE)
