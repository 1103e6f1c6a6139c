"""Pictures of a walker on its track, drawn with Pillow: single frames, GIFs and films."""

from __future__ import annotations

import dataclasses
import functools
import itertools
import textwrap
from collections.abc import Callable, Sequence

import jax
import numpy as np
from PIL import Image, ImageDraw

from jaxcurriculum.envs.walker.bodies import Body, anatomy
from jaxcurriculum.envs.walker.engine.kinematics import WalkerState, hull_origin, outline
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP, Polygons
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

Pixels = Callable[
    [np.ndarray], list[tuple[float, float]]
]  # points of the world [points, 2], m -> of the picture


@dataclasses.dataclass(frozen=True, kw_only=True)
class Episode:
    """What is drawn of one episode, `FRAMES_PER_SECOND` frames a second, as plain arrays:
    nothing here knows the engine. Lengths in m.
    """

    walker: Sequence[
        np.ndarray
    ]  # polygons, each [frames, corners, 2]: the hull, then every link, leg by leg, upper first
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
        top_of_walker = np.max([polygon[..., 1].max(1) for polygon in self.walker], axis=0)
        first, last = self.origin[[0, -1], 0] + NEAR[[0, -1]]
        on_way = [corners for corners in self.obstacles if first < corners[:, 0].mean() < last]
        above_ground = [
            corners[:, 1].max() - self._ground_at(corners[:, 0].mean()) for corners in on_way
        ]
        tallest = max([np.quantile(top_of_walker - self._lowest, USUAL), *above_ground])
        return float(min(BELOW + tallest + HEADROOM, TALLEST))

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
        bottom = np.maximum(
            _steady(self._lowest) - BELOW, _steady(self.origin[:, 1]) + ABOVE - self.height
        )
        return np.stack([self.origin[:, 0] + AHEAD - self.width / 2, bottom], 1)

    @functools.cached_property
    def _lowest(self) -> np.ndarray:
        """The height of the lowest ground near the hull, [frames], m."""
        return self._ground_at(self.origin[:, :1] + NEAR).min(1)

    def _ground_at(self, x: np.ndarray) -> np.ndarray:
        return np.interp(x, *self.ground.T)


def silhouette(body: Body, level: Level, state: WalkerState) -> tuple[list[jax.Array], jax.Array]:
    """The polygons of a walker in one state, in the order of `Episode.walker`, and the origin
    of its lidar [2], m.
    """
    walker = jax.tree.map(
        lambda x: x[..., None], anatomy(body) if level.walker is None else level.walker
    )
    return outline(walker, state), hull_origin(walker, state.hull_pose[:, None])[:, 0]


def scene(level: Level) -> tuple[np.ndarray, list[np.ndarray]]:
    """The ground [vertices, 2] from left to right and the obstacles, convex polygons [corners,
    2], of a level, m.
    """
    ground = np.array([[0.0, GROUND], [FINISH, GROUND]])
    if level.ground is not None:
        ground = np.stack([STEP * np.arange(NUM_CELLS), np.asarray(level.ground)], 1)
    if level.obstacles is None:
        return ground, []
    if isinstance(level.obstacles, Polygons):
        polygons = np.moveaxis(np.asarray(level.obstacles.vertices), 0, -1)
    else:
        left, right, top = (
            np.asarray(x)
            for x in (level.obstacles.left, level.obstacles.right, level.obstacles.top)
        )
        foot = np.minimum(
            np.interp(left, *ground.T), np.interp(right, *ground.T)
        )  # columns are solid down to any depth
        polygons = np.stack(
            [np.stack([left, right, right, left], 1), np.stack([foot, foot, top, top], 1)], -1
        )
    return ground, [polygon for polygon in polygons if polygon[0, 0] < NOWHERE / 2]


def draw_frame(episode: Episode, frame: int) -> Image.Image:
    """Frame number `frame` of `episode` as a picture, with its task, time and return so far."""
    picture = Image.new("RGB", (FINE * WIDTH, FINE * HEIGHT), COLOURS["sky"])
    pen = ImageDraw.Draw(picture)
    corner, scale = episode.camera[frame], FINE * HEIGHT / episode.height

    def pixels(points: np.ndarray) -> list[tuple[float, float]]:
        x, y = ((points - corner) * scale).T
        return list(zip(x.tolist(), (FINE * HEIGHT - y).tolist()))

    _draw_track(pen, pixels, episode, corner)
    directions = np.stack([np.sin(ANGLES), -np.cos(ANGLES)], 1)
    for end in episode.origin[frame] + RANGE * episode.lidar[frame, :, None] * directions:
        pen.line(pixels(np.stack([episode.origin[frame], end])), fill=COLOURS["ray"], width=FINE)
    for part, colour in drawing_order(len(episode.walker)):
        pen.polygon(
            pixels(episode.walker[part][frame]), fill=COLOURS[colour], outline=COLOURS["ink"]
        )
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
    start, end, bottom = corner[0], corner[0] + episode.width, corner[1]
    for corners in episode.obstacles:
        if corners[:, 0].max() > start and corners[:, 0].min() < end:
            pen.polygon(pixels(corners), fill=COLOURS["obstacle"])
    x, y = episode.ground.T
    seen = np.flatnonzero((x > start) & (x < end))
    edges = np.interp([start, end], x, y)
    surface = np.array([[start, edges[0]], *episode.ground[seen], [end, edges[1]]])
    pen.polygon(pixels(np.array([[start, bottom], *surface, [end, bottom]])), fill=COLOURS["earth"])
    for metres in itertools.takewhile(
        lambda x: x < end, itertools.count(5 * max(0, int(start // 5)), 5)
    ):
        (x, foot), (_, tip) = pixels(np.array([[metres, bottom], [metres, bottom + 0.3]]))
        pen.line((x, foot, x, tip), fill=COLOURS["mark"], width=2 * FINE)
        pen.text((x + 4 * FINE, tip), f"{metres} m", fill=COLOURS["ink"], font=font(11 * FINE))
    height = np.interp(episode.finish, *episode.ground.T)
    (x, foot), (_, tip) = pixels(np.array([[episode.finish, height], [episode.finish, height + 3]]))
    pen.line((x, foot, x, tip), fill=COLOURS["ink"], width=2 * FINE)
    pen.polygon(
        [(x, tip), (x + 30 * FINE, tip + 10 * FINE), (x, tip + 20 * FINE)], fill=COLOURS["near_leg"]
    )


def _draw_caption(pen: ImageDraw.ImageDraw, episode: Episode, frame: int) -> None:
    """Time and return so far, and the task below them."""
    task = ", ".join(f"{name} {value}" for name, value in episode.task.items())
    pen.text(
        (12, 8),
        f"{episode.seconds[frame]:.1f} s      return {episode.returns[frame]:.0f}",
        fill=COLOURS["ink"],
        font=font(15),
    )
    pen.multiline_text((12, 28), textwrap.fill(task, 90), fill=COLOURS["ink"], font=font(13))


def _steady(heights: np.ndarray) -> np.ndarray:
    """`heights` [frames], each replaced by a weighted average of those around it, so that the
    camera does not jump.
    """
    reach = round(STEADY * FRAMES_PER_SECOND)
    weights = np.hanning(2 * reach + 3)[1:-1]
    return np.convolve(np.pad(heights, reach, "edge"), weights / weights.sum(), "valid")
