"""How a game of Repeat Previous looks."""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.viewer import Film, font

WIDTH, HEIGHT, MARGIN = 480, 192, 12  # pixels
CARDS, ANSWER = 60, 126  # pixels from the top
PITCH = 48  # pixels from one card to the next, less where the asked one would not be seen
PAPER, CARD, LINE, INK = "#f2f6f9", "#ffffff", "#aab4bc", "#22282e"
COLOURS = (INK, "#c0392b", "#c0392b", INK)  # of spades, hearts, diamonds and clubs
RIGHT, WRONG = "#009e73", "#d55e00"
FINE = 2  # drawn so many times larger and then reduced, for smooth edges


@dataclasses.dataclass(frozen=True)
class RepeatPreviousViewer:
    """Draws the latest cards, the newest on the right, and the answer below the card that was
    asked for.
    """

    steps_per_frame: int = 1
    frames_per_second: float = 3.0

    def look(self, level: Any, state: Any, obs: Any) -> jax.Array:
        """Answers given and the last of them, [2]."""
        return jnp.stack([state.time, state.answer])

    def picture(self, film: Film, frame: int) -> Any:
        """The table after so many answers."""
        from PIL import Image, ImageDraw

        image = Image.new("RGB", (FINE * WIDTH, FINE * HEIGHT), PAPER)
        pen = ImageDraw.Draw(image)
        suits, delay = film.level.suits, int(film.level.delay)
        time, answer = (int(number) for number in film.looks[frame])
        newest = max(time - 1, 0)  # the card that the answer was given to
        pitch = min(PITCH, (WIDTH - 2 * MARGIN) / (delay + 1))
        num_shown = int((WIDTH - 2 * MARGIN) / pitch)
        for back in range(min(num_shown, newest + 1)):
            x = WIDTH - MARGIN - (back + 1) * pitch
            suit = int(suits[newest - back])
            _draw_card(pen, x, CARDS, 0.9 * pitch, suit, LINE)
            if back == delay and time > 0:
                frame_colour = RIGHT if answer == suit else WRONG
                _draw_card(pen, x, ANSWER, 0.9 * pitch, answer, frame_colour)
        small = image.reduce(FINE)
        words = ImageDraw.Draw(small)
        head = f"card {newest + 1} of {len(suits)}      return {film.returns[frame]:.2f}"
        words.text((MARGIN, 8), head, fill=INK, font=font(15))
        words.text((MARGIN, 30), f"The suit of {delay} steps ago?", fill=INK, font=font(13))
        return small


def _draw_card(pen: Any, x: float, y: float, width: float, suit: int, frame: str) -> None:
    """A card as high as PITCH with its suit in the middle."""
    corners = (x, y, x + width, y + PITCH)
    scaled = [FINE * corner for corner in corners]
    pen.rounded_rectangle(scaled, radius=0.1 * FINE * width, fill=CARD, outline=frame, width=4)
    size = 0.3 * width
    _draw_suit(pen, suit, FINE * (x + width / 2), FINE * (y + PITCH / 2), FINE * size)


def _draw_suit(pen: Any, suit: int, x: float, y: float, size: float) -> None:
    """Spades, hearts, diamonds and clubs are 0 to 3; `size` is half of a side."""

    def disc(across: float, down: float, radius: float = 0.5) -> None:
        centre_x, centre_y, reach = x + across * size, y + down * size, radius * size
        box = (centre_x - reach, centre_y - reach, centre_x + reach, centre_y + reach)
        pen.ellipse(box, fill=COLOURS[suit])

    def polygon(*points: tuple[float, float]) -> None:
        corners = [(x + across * size, y + down * size) for across, down in points]
        pen.polygon(corners, fill=COLOURS[suit])

    if suit == 2:
        polygon((0, -1), (0.75, 0), (0, 1), (-0.75, 0))
        return
    if suit == 1:
        disc(-0.45, -0.35)
        disc(0.45, -0.35)
        polygon((-0.9, -0.1), (0.9, -0.1), (0, 1))
        return
    disc(-0.45, 0.2)
    disc(0.45, 0.2)
    polygon((0, 0), (0.35, 1), (-0.35, 1))
    if suit == 0:
        polygon((-0.9, 0), (0.9, 0), (0, -1))
    else:
        disc(0, -0.5)
