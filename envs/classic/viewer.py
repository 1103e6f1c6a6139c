"""How an episode of CartPole looks."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.viewer import Film, caption, font

WIDTH, HEIGHT = 480, 256  # pixels
METRES = 6.0  # that the picture shows from left to right
FLOOR = 200  # pixels from the top
LONGEST = 0.5  # of a half-length, that is drawn in full; longer poles are drawn shorter
SKY, INK, CART, POLE = "#f2f6f9", "#22282e", "#3d6ea5", "#d55e00"
FINE = 2  # drawn so many times larger and then reduced, for smooth edges


@dataclasses.dataclass(frozen=True)
class CartPoleViewer:
    """Draws cart and pole; `axes` are those of the task."""

    axes: tuple[str, ...]
    steps_per_frame: int = 2
    frames_per_second: float = 25.0

    def look(self, level: jax.Array, state: Any, obs: jax.Array) -> jax.Array:
        """Position, m, and angle, rad: [2]."""
        return jnp.stack([state.x, state.angle])

    def picture(self, film: Film, frame: int) -> Any:
        """The cart on its track, the pole, and what is to be said."""
        from PIL import Image, ImageDraw

        width, floor = FINE * WIDTH, FINE * FLOOR
        image = Image.new("RGB", (width, FINE * HEIGHT), SKY)
        pen = ImageDraw.Draw(image)
        x, angle = film.looks[frame]
        scale = width / METRES
        centre = width / 2 + scale * x
        constants = dict(zip(self.axes, film.level))
        half = min(float(constants.get("length", 0.5)), LONGEST)
        length = 2 * half * scale
        tip = centre + length * math.sin(angle), floor - length * math.cos(angle)
        cart = centre - 40, floor - 24, centre + 40, floor + 24
        pen.line((0, floor, width, floor), fill=INK, width=FINE)
        pen.rectangle(cart, fill=CART)
        pen.line((centre, floor, *tip), fill=POLE, width=7 * FINE)
        small = image.reduce(FINE)
        words = ImageDraw.Draw(small)
        words.text((12, 8), caption(film, frame), fill=INK, font=font(15))
        task = [f"{name} {value}" for name, value in film.task.items()]
        for y, axes in ((28, task[:3]), (44, task[3:])):
            words.text((12, y), ", ".join(axes), fill=INK, font=font(12))
        return small
