"""How an episode looks of which only the observation is known."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import numpy as np

from jaxcurriculum.records import PyTree
from jaxcurriculum.viewer import Film, caption, font

WIDTH, HEIGHT, TOP = 480, 256, 56  # pixels
SKY, INK, UP, DOWN = "#f2f6f9", "#22282e", "#3d6ea5", "#d55e00"
COLOURS = np.array(  # of the channels of an image, and of none
    [[242, 246, 249], [61, 110, 165], [213, 94, 0], [0, 158, 115], [204, 121, 167], [86, 180, 233]]
)


@dataclasses.dataclass(frozen=True)
class ObservationViewer:
    """Draws numbers as bars, and images of many channels by the strongest channel."""

    steps_per_frame: int = 1
    frames_per_second: float = 20.0

    def look(self, level: jax.Array, state: Any, obs: PyTree) -> PyTree:
        """The observation."""
        return obs

    def picture(self, film: Film, frame: int) -> Any:
        """The observation, and what is to be said."""
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (WIDTH, HEIGHT), SKY)
        pen = ImageDraw.Draw(image)
        pen.text((12, 4), caption(film, frame), fill=INK, font=font(18))
        task = ", ".join(f"{name} {value}" for name, value in film.task.items())
        pen.text((12, 27), task, fill=INK, font=font(13))
        leaves = [np.asarray(leaf[frame]) for leaf in jax.tree.leaves(film.looks)]
        for leaf in leaves:
            if leaf.ndim >= 2:
                image.paste(_mosaic(leaf), (12, TOP))
        numbers = [leaf.ravel() for leaf in leaves if leaf.ndim < 2]
        if numbers:
            left = 240 if len(numbers) < len(leaves) else 12
            _bars(pen, np.concatenate(numbers), left)
        return image


def _mosaic(pixels: np.ndarray) -> Any:
    from PIL import Image

    pixels = pixels if pixels.ndim == 3 else pixels[:, :, None]
    strongest = np.where(pixels.max(axis=2) > 0, 1 + pixels.argmax(axis=2), 0)
    colours = COLOURS[np.minimum(strongest, len(COLOURS) - 1)].astype(np.uint8)
    size = (HEIGHT - TOP - 12) // max(strongest.shape)
    image = Image.fromarray(colours)
    return image.resize((size * image.width, size * image.height), Image.Resampling.NEAREST)


def _bars(pen: Any, numbers: np.ndarray, left: int) -> None:
    middle, width = (TOP + HEIGHT) / 2, (WIDTH - 12 - left) / len(numbers)
    longest = max(1.0, float(np.abs(numbers).max()))
    pen.line((left, middle, WIDTH - 12, middle), fill=INK)
    for index, number in enumerate(numbers):
        tip = middle - number / longest * (HEIGHT - TOP - 24) / 2
        x = left + index * width
        colour = UP if number >= 0 else DOWN
        pen.rectangle((x + 1, min(tip, middle), x + width - 1, max(tip, middle)), fill=colour)
