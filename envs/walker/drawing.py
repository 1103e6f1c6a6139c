"""Pictures of a walker on its track, drawn with Pillow: single frames, GIFs and films."""

from __future__ import annotations

import dataclasses
import functools
import math
import textwrap
from collections.abc import Callable, Sequence

import jax
import numpy as np
from PIL import Image, ImageDraw

from jaxcurriculum.envs.walker.bodies import Body, anatomy
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState, hull_origin, outline
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP, Columns, Polygons
from jaxcurriculum.envs.walker.engine.terrain import FINISH, NOWHERE, NUM_CELLS, Level
from jaxcurriculum.envs.walker.senses import ANGLES, RANGE
from jaxcurriculum.viewer import font

WIDTH, HEIGHT = 640, 256  # pixels, multiples of 16 as films want them
FRAMES_PER_SECOND = 25
AHEAD = 2.0  # m from the hull to the middle of the picture
BELOW = 0.6  # m of earth below the lowest ground that is near
HEADROOM = 0.8  # m between walker or obstacles and the top of the picture, where the caption stands
ABOVE = 1.2  # m from the hull's origin to the top of the picture, at least
TALLEST = 8.0  # m that a picture shows at most
USUAL = 0.9  # share of the frames whose walker fits under the headroom: a leap may reach into it
NEAR = np.arange(-3.0, 6.0, 0.05)  # m from the hull: where ground counts as near
STEADY = 1.0  # s before and after a frame over which the camera's height is an average
MARK_EVERY = 5  # m
FINE = 2  # drawn so many times larger and then reduced, for smooth edges

# The colours of walker and flag are Okabe and Ito's, told apart by colour-blind readers.
COLOURS = {
    "sky": "#f2f6f9",
    "earth": "#b9c39a",
    "mark": "#98a47a",
    "obstacle": "#5d6b3f",
    "ray": "#dba79c",
    "ink": "#22282e",
    "hull": "#3d6ea5",
    "near_leg": "#d55e00",
    "far_leg": "#a3a9ae",
}

Point = tuple[float, float]
Pixels = Callable[[np.ndarray], list[Point]]  # points of the world [points, 2], m -> of the picture


@dataclasses.dataclass(frozen=True, kw_only=True)
class Episode:
    """What is drawn of one episode, `FRAMES_PER_SECOND` frames a second, as plain arrays:
    nothing here knows the engine. Lengths in m.
    """

    # polygons, each [frames, corners, 2]: the hull, then every link, leg by leg, upper first
    walker: Sequence[np.ndarray]
    origin: np.ndarray  # [frames, 2]: where the lidar's rays start
    lidar: np.ndarray  # [frames, rays], fractions of the range
    returns: np.ndarray  # [frames]: sum of all rewards so far
    seconds: np.ndarray  # [frames], s since the start
    ground: np.ndarray  # [vertices, 2], from left to right; goes on level at both ends
    obstacles: Sequence[np.ndarray]  # convex polygons, each [corners, 2]
    finish: float  # x
    task: dict[str, str]  # the value of each axis with its unit, by name
    solved: bool

    @functools.cached_property
    def height(self) -> float:
        """What the picture shows from bottom to top, m: room for the walker and the obstacles
        on its way, not for sky.
        """
        tops = [polygon[..., 1].max(1) for polygon in self.walker]
        above_lowest = np.max(tops, axis=0) - self._lowest
        tallest = max([np.quantile(above_lowest, USUAL), *self._obstacle_heights()])
        return float(min(BELOW + tallest + HEADROOM, TALLEST))

    def _obstacle_heights(self) -> list[float]:
        """How high the obstacles on the way stand above the ground, m."""
        first = self.origin[0, 0] + NEAR[0]
        last = self.origin[-1, 0] + NEAR[-1]
        heights = []
        for x, y in (corners.T for corners in self.obstacles):
            if first < x.mean() < last:
                heights.append(y.max() - self._ground_at(x.mean()))
        return heights

    @property
    def width(self) -> float:
        """What the picture shows from left to right, m."""
        return self.height * WIDTH / HEIGHT

    @functools.cached_property
    def camera(self) -> np.ndarray:
        """World position of the picture's lower left corner, [frames, 2], m.

        It keeps the hull at one place across the picture. Its height follows the lowest ground
        nearby, so that pits are seen down to their bottom, unless the hull would leave the picture.
        """
        x, y = self.origin.T
        left = x + AHEAD - self.width / 2
        below_ground = _steady(self._lowest) - BELOW
        below_hull = _steady(y) + ABOVE - self.height
        bottom = np.maximum(below_ground, below_hull)
        return np.stack([left, bottom], 1)

    @functools.cached_property
    def _lowest(self) -> np.ndarray:
        """The height of the lowest ground near the hull, [frames], m."""
        x = self.origin[:, :1]
        return self._ground_at(x + NEAR).min(1)

    def _ground_at(self, x: np.ndarray) -> np.ndarray:
        return np.interp(x, *self.ground.T)


def silhouette(body: Body, level: Level, state: WalkerState) -> tuple[list[jax.Array], jax.Array]:
    """The polygons of a walker in one state, in the order of `Episode.walker`, and the origin
    of its lidar [2], m.
    """
    walker = anatomy(body) if level.walker is None else level.walker
    walker = jax.tree.map(lambda x: x[..., None], walker)
    origin = hull_origin(walker, state.hull_pose[:, None])
    return outline(walker, state), origin[:, 0]


def scene(level: Level) -> tuple[np.ndarray, list[np.ndarray]]:
    """The ground [vertices, 2] from left to right and the obstacles, convex polygons [corners,
    2], of a level, m.
    """
    ground = np.array([[0.0, GROUND], [FINISH, GROUND]])
    if level.ground is not None:
        x = STEP * np.arange(NUM_CELLS)
        ground = np.stack([x, np.asarray(level.ground)], 1)
    if level.obstacles is None:
        return ground, []
    if isinstance(level.obstacles, Polygons):
        polygons = np.moveaxis(np.asarray(level.obstacles.vertices), 0, -1)
    else:
        polygons = _boxes(jax.tree.map(np.asarray, level.obstacles), ground)
    return ground, [polygon for polygon in polygons if polygon[0, 0] < NOWHERE / 2]


def _boxes(columns: Columns, ground: np.ndarray) -> np.ndarray:
    """Columns, which are solid down to any depth, from the ground [vertices, 2] up, [columns, 4,
    2].
    """
    left, right, top = columns.left, columns.right, columns.top
    left_foot = np.interp(left, *ground.T)
    right_foot = np.interp(right, *ground.T)
    foot = np.minimum(left_foot, right_foot)
    x = np.stack([left, right, right, left], 1)
    y = np.stack([foot, foot, top, top], 1)
    return np.stack([x, y], -1)


def draw_frame(episode: Episode, frame: int) -> Image.Image:
    """Frame number `frame` of `episode` as a picture, with its task, time and return so far."""
    width, height = FINE * WIDTH, FINE * HEIGHT
    picture = Image.new("RGB", (width, height), COLOURS["sky"])
    pen = ImageDraw.Draw(picture)
    corner = episode.camera[frame]
    scale = height / episode.height

    def pixels(points: np.ndarray) -> list[Point]:
        x, y = ((points - corner) * scale).T
        down = height - y
        return list(zip(x.tolist(), down.tolist()))

    _draw_track(pen, pixels, episode, corner)
    origin = episode.origin[frame]
    directions = np.stack([np.sin(ANGLES), -np.cos(ANGLES)], 1)
    distances = RANGE * episode.lidar[frame]
    for end in origin + distances[:, None] * directions:
        ray = np.stack([origin, end])
        pen.line(pixels(ray), fill=COLOURS["ray"], width=FINE)
    for part, colour in drawing_order(len(episode.walker)):
        corners = pixels(episode.walker[part][frame])
        pen.polygon(corners, fill=COLOURS[colour], outline=COLOURS["ink"])
    picture = picture.reduce(FINE)
    _draw_caption(ImageDraw.Draw(picture), episode, frame)
    return picture


def drawing_order(num_polygons: int) -> list[tuple[int, str]]:
    """Which polygon of a walker is drawn after which, and its colour: the far legs (every second
    one), the hull, the near legs.

    >>> drawing_order(5)
    [(3, 'far_leg'), (4, 'far_leg'), (0, 'hull'), (1, 'near_leg'), (2, 'near_leg')]
    """
    near = [part for part in range(1, num_polygons) if (part - 1) // 2 % 2 == 0]
    far = [part for part in range(1, num_polygons) if part not in near]
    return [
        *((part, "far_leg") for part in far),
        (0, "hull"),
        *((part, "near_leg") for part in near),
    ]


def _draw_track(
    pen: ImageDraw.ImageDraw, pixels: Pixels, episode: Episode, corner: np.ndarray
) -> None:
    """The obstacles, the earth in front of their feet, a mark every 5 m, and the finish."""
    start, bottom = corner
    end = start + episode.width
    for corners in episode.obstacles:
        x = corners[:, 0]
        if x.max() > start and x.min() < end:
            pen.polygon(pixels(corners), fill=COLOURS["obstacle"])
    x, y = episode.ground.T
    inner = episode.ground[(x > start) & (x < end)]
    at_start, at_end = np.interp([start, end], x, y)
    surface = [[start, at_start], *inner, [end, at_end]]
    earth = np.array([[start, bottom], *surface, [end, bottom]])
    pen.polygon(pixels(earth), fill=COLOURS["earth"])
    first = MARK_EVERY * max(0, int(start // MARK_EVERY))
    for metres in range(first, math.ceil(end), MARK_EVERY):
        mark = pixels(_upright(metres, bottom, 0.3))
        x, tip = mark[1]
        pen.line(mark, fill=COLOURS["mark"], width=2 * FINE)
        words = f"{metres} m"
        pen.text((x + 4 * FINE, tip), words, fill=COLOURS["ink"], font=font(11 * FINE))
    height = np.interp(episode.finish, *episode.ground.T)
    post = pixels(_upright(episode.finish, height, 3.0))
    x, tip = post[1]
    pen.line(post, fill=COLOURS["ink"], width=2 * FINE)
    flag = [(x, tip), (x + 30 * FINE, tip + 10 * FINE), (x, tip + 20 * FINE)]
    pen.polygon(flag, fill=COLOURS["near_leg"])


def _upright(x: float, foot: float, height: float) -> np.ndarray:
    """Foot and tip of a post, [2, 2], m."""
    return np.array([[x, foot], [x, foot + height]])


def _draw_caption(pen: ImageDraw.ImageDraw, episode: Episode, frame: int) -> None:
    """Time and return so far, and the task below them."""
    task = ", ".join(f"{name} {value}" for name, value in episode.task.items())
    seconds = episode.seconds[frame]
    so_far = episode.returns[frame]
    head = f"{seconds:.1f} s      return {so_far:.0f}"
    pen.text((12, 8), head, fill=COLOURS["ink"], font=font(15))
    lines = textwrap.fill(task, 90)
    pen.multiline_text((12, 28), lines, fill=COLOURS["ink"], font=font(13))


def _steady(heights: np.ndarray) -> np.ndarray:
    """`heights` [frames], each replaced by a weighted average of those around it, so that the
    camera does not jump.
    """
    reach = round(STEADY * FRAMES_PER_SECOND)
    weights = np.hanning(2 * reach + 3)[1:-1]
    weights = weights / weights.sum()
    padded = np.pad(heights, reach, "edge")
    return np.convolve(padded, weights, "valid")
