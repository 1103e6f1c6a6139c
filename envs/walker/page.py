"""A web page that plays a batch of episodes side by side: one file, which needs no network."""

from __future__ import annotations

import importlib.resources
import json
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxcurriculum.envs.walker import drawing
from jaxcurriculum.envs.walker.drawing import Episode
from jaxcurriculum.envs.walker.senses import ANGLES, RANGE

# What a page in the dark changes of drawing.COLOURS.
DARK = {
    "sky": "#1b2127",
    "earth": "#454e35",
    "mark": "#6d7757",
    "obstacle": "#a3b07c",
    "ray": "#8a5a50",
    "ink": "#e4e8eb",
    "hull": "#5b93d0",
    "far_leg": "#767d84",
}


def page(title: str, episodes: Sequence[Episode]) -> str:
    """The HTML of a page that plays `episodes`."""
    directions = np.stack([np.sin(ANGLES), -np.cos(ANGLES)], 1)
    content = {
        "title": title,
        "colours": {"light": drawing.COLOURS, "dark": drawing.COLOURS | DARK},
        "framesPerSecond": drawing.FRAMES_PER_SECOND,
        "aspect": drawing.WIDTH / drawing.HEIGHT,
        "rays": _whole(RANGE * directions),
        "episodes": [compact(episode) for episode in episodes],
    }
    template = importlib.resources.files("jaxcurriculum.envs.walker") / "page.html"
    text = json.dumps(content, separators=(",", ":"))
    # so that no name can end the script that holds it
    text = text.replace("<", "\\u003c")
    html = template.read_text(encoding="utf-8")
    return html.replace("{content}", text)


def compact(episode: Episode) -> dict[str, Any]:
    """`episode` in thousandths (of a metre, a radian, the lidar's range, the return), tables row
    after row.

    The walker's parts are rigid: of each, only its shape and its pose in every frame are told, in
    the order of drawing.
    """
    parts = []
    for index, colour in drawing.drawing_order(len(episode.walker)):
        shape, poses = rigid_motion(episode.walker[index])
        part = {"colour": colour, "shape": _whole(shape), "poses": _whole(poses)}
        parts.append(part)
    x = episode.finish
    num_frames = len(episode.seconds)
    finish = np.array([x, np.interp(x, *episode.ground.T)])
    return {
        "task": episode.task,
        "solved": episode.solved,
        # frames are evenly spaced before the last one; only the first two may be nearer together
        "start": episode.seconds[-1] - (num_frames - 1) / drawing.FRAMES_PER_SECOND,
        "end": episode.seconds[-1],
        "parts": parts,
        "origin": _whole(episode.origin),
        "lidar": _whole(episode.lidar),
        "returns": _whole(episode.returns),
        "camera": _whole(episode.camera),
        "width": episode.width,
        "ground": _whole(episode.ground),
        "obstacles": [_whole(corners) for corners in episode.obstacles],
        "finish": _whole(finish),
    }


def rigid_motion(polygon: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A moving rigid polygon [frames, corners, 2] as its corners about their mean in the first
    frame and its poses [frames, 3] (m, m, rad).

    >>> square = np.array([[1.0, 1.0], [-1.0, 1.0], [-1.0, -1.0], [1.0, -1.0]])
    >>> _, poses = rigid_motion(np.stack([square, [5.0, 2.0] + square[[1, 2, 3, 0]]]))
    >>> poses.round(2).tolist()
    [[0.0, 0.0, 0.0], [5.0, 2.0, 1.57]]
    """
    middle = polygon.mean(1)
    x, y = (polygon[:, 0] - middle).T
    angle = np.unwrap(np.arctan2(y, x))
    poses = np.column_stack([middle, angle - angle[0]])
    return polygon[0] - middle[0], poses


def _whole(values: np.ndarray) -> list[int]:
    thousandths = np.rint(1000 * np.ravel(values))
    return thousandths.astype(int).tolist()
