"""An animated GIF of a walker on its track, drawn with Pillow."""

from __future__ import annotations

import functools
import pathlib
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from jaxcurriculum.envs.walker.bodies import Body
from jaxcurriculum.envs.walker.kinematics import WalkerState, hull_origin, outline
from jaxcurriculum.envs.walker.lidar import ANGLES, RANGE
from jaxcurriculum.envs.walker.terrain import FINISH, GROUND, START, STEP, Level

WIDTH, HEIGHT = 640, 288  # pixels
SCALE = 50  # pixels a metre
BELOW = 0.9  # m of earth in the picture
AHEAD = 2.0  # m from the hull to the middle of the picture
FINE = 2  # drawn so many times larger and then reduced, for smooth edges
MILLISECONDS = 40  # a frame

SKY, EARTH, MARK, STUMP, RAY, INK = "#f2f6f9", "#b9c39a", "#98a47a", "#5d6b3f", "#e8c4bd", "#22282e"
HULL, FRONT_LEG, BACK_LEG = "#3d6ea5", "#d55e00", "#a3a9ae"


def write_gif(path: pathlib.Path, body: Body, level: Level, states: WalkerState, lidar: np.ndarray, captions: Sequence[str]) -> None:
    """Draw one frame a state and write them as a GIF of 25 frames a second; the camera follows the hull.

    Args:
      level: the track (one level).
      states: [frames, ...].
      lidar: fractions of the ten rays in each frame, [frames, 10].
      captions: a line of text for each frame.
    """
    polygons = [np.asarray(polygon) for polygon in jax.vmap(functools.partial(outline, body))(states)]  # each [frames, corners, 2]
    origins = np.asarray(hull_origin(body, jnp.asarray(states.hull_pose).T)).T
    stumps = track_polygons(level)
    draw = functools.partial(_draw_frame, stumps=stumps)
    frames = [draw([polygon[i] for polygon in polygons], origins[i], lidar[i], caption) for i, caption in enumerate(captions)]
    palette = frames[len(frames) // 2].quantize(48)
    frames = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    frames[0].save(path, save_all=True, append_images=frames[1:], duration=MILLISECONDS, loop=0, optimize=False, disposal=1)


def track_polygons(level: Level) -> np.ndarray:
    """The stumps of a level as rectangles in the world, [stumps, 2 (lower left, upper right), 2], m."""
    tops = np.asarray(level.tops)
    left = START + np.arange(len(tops)) * float(level.pitch)
    corners = np.stack([np.stack([left, np.full_like(left, GROUND)], 1), np.stack([left + STEP, tops], 1)], 1)
    return corners[tops > GROUND]


def _draw_frame(walker: list[np.ndarray], origin: np.ndarray, lidar: np.ndarray, caption: str, stumps: np.ndarray) -> Image.Image:
    picture = Image.new("RGB", (FINE * WIDTH, FINE * HEIGHT), SKY)
    pen = ImageDraw.Draw(picture)
    start = origin[0] + AHEAD - WIDTH / SCALE / 2  # world x of the left edge

    def pixels(points: np.ndarray) -> list[tuple[float, float]]:
        x, y = (points[..., 0] - start) * SCALE, HEIGHT - (points[..., 1] - GROUND + BELOW) * SCALE
        return list(zip(np.ravel(FINE * x).tolist(), np.ravel(FINE * y).tolist()))

    _draw_ground(pen, pixels, start)
    for corners in stumps[(stumps[:, 1, 0] > start) & (stumps[:, 0, 0] < start + WIDTH / SCALE)]:
        (left, bottom), (right, top) = pixels(corners)
        pen.rectangle((left, top, right, bottom), fill=STUMP)
    directions = np.stack([np.sin(ANGLES), -np.cos(ANGLES)], 1)
    for end in origin + RANGE * lidar[:, None] * directions:
        pen.line(pixels(np.stack([origin, end])), fill=RAY, width=FINE)
    hull, front, back = walker[0], walker[1:3], walker[3:]
    for corners, colour in [*((link, BACK_LEG) for link in back), (hull, HULL), *((link, FRONT_LEG) for link in front)]:
        pen.polygon(pixels(corners), fill=colour, outline=INK)
    picture = picture.reduce(FINE)
    ImageDraw.Draw(picture).text((12, 9), caption, fill=INK, font=_font(15))
    return picture


def _draw_ground(pen: ImageDraw.ImageDraw, pixels, start: float) -> None:
    """The earth, a mark every 5 m, and the finish."""
    (left, top), (right, bottom) = pixels(np.array([[start, GROUND], [start + WIDTH / SCALE, GROUND - BELOW]]))
    pen.rectangle((left, top, right, bottom), fill=EARTH)
    for metres in range(int(max(start, 0) // 5) * 5, int(start + WIDTH / SCALE) + 1, 5):
        (x, y), _ = pixels(np.array([[metres, GROUND - 0.3], [metres, GROUND]]))
        pen.line((x, top, x, y), fill=MARK, width=2 * FINE)
        pen.text((x + 4 * FINE, y - 6 * FINE), f"{metres} m", fill=INK, font=_font(11 * FINE))
    (x, foot), (_, tip) = pixels(np.array([[FINISH, GROUND], [FINISH, GROUND + 3]]))
    pen.line((x, foot, x, tip), fill=INK, width=2 * FINE)
    pen.polygon([(x, tip), (x + 30 * FINE, tip + 10 * FINE), (x, tip + 20 * FINE)], fill=FRONT_LEG)


@functools.cache
def _font(size: int) -> ImageFont.FreeTypeFont | ImageFont.ImageFont:
    return ImageFont.load_default(size)
