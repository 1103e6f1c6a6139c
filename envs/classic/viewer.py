"""How episodes of classic control look."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.canvas import BLUE, INK, ORANGE, Canvas
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
