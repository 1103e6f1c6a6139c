"""A canvas in metres, for worlds that are lines, discs and rectangles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxcurriculum.viewer import Film, caption, font

PAPER, INK = "#f2f6f9", "#22282e"
BLUE, ORANGE, GREEN, GREY = "#3d6ea5", "#d55e00", "#009e73", "#aeb8c0"
FINE = 2  # drawn so many times larger and then reduced, for smooth edges
WORDS = 64  # pixels above the picture, for what is to be said
PER_LINE = 3  # axes of the task
Point = Sequence[float] | np.ndarray
Points = Sequence[Point] | np.ndarray


class Canvas:
    """A picture of `size` pixels, below its words `reach` metres wide, (0, 0) in its middle."""

    def __init__(self, size: tuple[int, int], reach: float):
        from PIL import Image, ImageDraw

        width, height = size
        self.image = Image.new("RGB", (FINE * width, FINE * height), PAPER)
        self.pen = ImageDraw.Draw(self.image)
        self.scale = FINE * width / reach
        self.middle = FINE * width / 2, FINE * (height + WORDS) / 2

    def line(self, points: Points, colour: str, width: float) -> None:
        """A line of a width in metres, with round ends."""
        spots = [self._spot(point) for point in points]
        thick = max(1, round(width * self.scale))
        self.pen.line(spots, fill=colour, width=thick, joint="curve")
        for point in (points[0], points[-1]):
            self.disc(point, width / 2, colour)

    def disc(self, centre: Point, radius: float, colour: str) -> None:
        x, y = self._spot(centre)
        extent = radius * self.scale
        self.pen.ellipse((x - extent, y - extent, x + extent, y + extent), fill=colour)

    def ring(self, centre: Point, radius: float, colour: str) -> None:
        """A circle that is a thin line."""
        x, y = self._spot(centre)
        extent = radius * self.scale
        box = (x - extent, y - extent, x + extent, y + extent)
        self.pen.ellipse(box, outline=colour, width=2 * FINE)

    def rectangle(self, corner: Point, opposite: Point, colour: str) -> None:
        (x, y), (far_x, far_y) = self._spot(corner), self._spot(opposite)
        self.pen.rectangle((min(x, far_x), min(y, far_y), max(x, far_x), max(y, far_y)), colour)

    def polygon(self, corners: Points, colour: str) -> None:
        self.pen.polygon([self._spot(corner) for corner in corners], fill=colour)

    def with_words(self, film: Film, frame: int) -> Any:
        """The finished image, with time, return and task above it."""
        from PIL import ImageDraw

        width = self.image.width
        self.pen.rectangle((0, 0, width, FINE * (WORDS - 4)), fill=PAPER)
        small = self.image.reduce(FINE)
        words = ImageDraw.Draw(small)
        words.text((12, 4), caption(film, frame), fill=INK, font=font(18))
        task = [f"{name} {value}" for name, value in film.task.items()]
        for row, start in enumerate(range(0, len(task), PER_LINE)):
            line = ", ".join(task[start : start + PER_LINE])
            words.text((12, 27 + 17 * row), line, fill=INK, font=font(13))
        return small

    def _spot(self, point: Point) -> tuple[float, float]:
        """Pixels of a place in metres, y upwards."""
        x, y = self.middle
        return x + self.scale * float(point[0]), y - self.scale * float(point[1])
