"""How episodes of classic control look."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.canvas import BLUE, GREEN, INK, ORANGE, Canvas
from jaxcurriculum.envs.classic.hill import ROAD_ENDS
from jaxcurriculum.envs.equations import ConstantsOf
from jaxcurriculum.viewer import Film

LONGEST = 1.0  # m, of a pole that is drawn in full; longer ones are drawn shorter


@dataclasses.dataclass(frozen=True)
class CartPoleViewer:
    """Draws cart and pole."""

    constants: ConstantsOf
    steps_per_frame: int = 2
    frames_per_second: float = 25.0

    def look(self, level: jax.Array, state: Any, obs: jax.Array) -> jax.Array:
        """Position, m, and angle, rad: [2]."""
        return jnp.stack([state.x, state.angle])

    def picture(self, film: Film, frame: int) -> Any:
        """The cart on its track, the pole, and what is to be said."""
        canvas = Canvas((480, 256), reach=6.0)
        x, angle = film.looks[frame]
        floor = -0.5
        length = min(2 * float(self.constants(film.level)["length"]), LONGEST)
        tip = x + length * np.sin(angle), floor + length * np.cos(angle)
        canvas.line([(-3, floor), (3, floor)], INK, 0.02)
        canvas.rectangle((x - 0.25, floor - 0.15), (x + 0.25, floor + 0.15), BLUE)
        canvas.line([(x, floor), tip], ORANGE, 0.1)
        return canvas.with_words(film, frame)


@dataclasses.dataclass(frozen=True)
class PendulumViewer:
    """Draws the pole about its hinge."""

    constants: ConstantsOf
    steps_per_frame: int = 1
    frames_per_second: float = 20.0

    def look(self, level: jax.Array, state: Any, obs: jax.Array) -> jax.Array:
        """The angle, rad: []."""
        return state.angle

    def picture(self, film: Film, frame: int) -> Any:
        """The pole, upright where it is to be."""
        canvas = Canvas((320, 384), reach=5.0)
        length, angle = float(self.constants(film.level)["length"]), film.looks[frame]
        tip = length * np.sin(angle), length * np.cos(angle)
        canvas.line([(0, 0), tip], ORANGE, 0.2)
        canvas.disc((0, 0), 0.06, INK)
        return canvas.with_words(film, frame)


@dataclasses.dataclass(frozen=True)
class AcrobotViewer:
    """Draws both links, and the height to reach."""

    constants: ConstantsOf
    steps_per_frame: int = 1
    frames_per_second: float = 5.0

    def look(self, level: jax.Array, state: Any, obs: jax.Array) -> jax.Array:
        """Both angles, rad: [2]."""
        return state.angles

    def picture(self, film: Film, frame: int) -> Any:
        """The chain from its pivot in the middle."""
        constants = self.constants(film.level)
        lengths = np.array([float(constants["length_1"]), float(constants["length_2"])])
        canvas = Canvas((320, 384), reach=2.3 * lengths.sum())
        angles = np.cumsum(film.looks[frame])
        links = lengths[:, None] * np.stack([np.sin(angles), -np.cos(angles)], axis=1)
        elbow, tip = np.cumsum(links, axis=0)
        height, thick = float(constants["height"]) * lengths[0], 0.05 * lengths.sum()
        canvas.line([(-9, height), (9, height)], GREEN, 0.02)
        canvas.line([(0, 0), elbow], BLUE, thick)
        canvas.line([elbow, tip], ORANGE, thick)
        canvas.disc((0, 0), thick / 4, INK)
        return canvas.with_words(film, frame)


@dataclasses.dataclass(frozen=True)
class MountainCarViewer:
    """Draws the valley, the car, and a flag at the goal."""

    constants: ConstantsOf
    steps_per_frame: int = 2
    frames_per_second: float = 15.0

    def look(self, level: jax.Array, state: Any, obs: jax.Array) -> jax.Array:
        """Where the car is: []."""
        return state.position

    def picture(self, film: Film, frame: int) -> Any:
        """The road from its beginning to its end."""
        canvas = Canvas((480, 320), reach=2.0)
        constants = self.constants(film.level)
        road = _road(np.linspace(float(constants["min_position"]), ROAD_ENDS, 100))
        canvas.line(road, INK, 0.01)
        foot = _road(float(constants["goal"]))
        top = foot + [0, 0.15]
        canvas.line([foot, top], INK, 0.01)
        canvas.polygon([top, top - [0, 0.07], top + [0.1, -0.035]], GREEN)
        canvas.disc(_road(film.looks[frame]) + [0, 0.05], 0.05, ORANGE)
        return canvas.with_words(film, frame)


def _road(position: Any) -> np.ndarray:
    """Places in the picture of positions on the road, [..., 2]."""
    return np.stack([position + 0.3, 0.45 * np.sin(3 * position) - 0.06], axis=-1)
