"""A web page that plays a batch of episodes side by side: one file, which needs no network."""

from __future__ import annotations

import importlib.resources
import json
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Box
from jaxcurriculum.cli.settings import title
from jaxcurriculum.envs.walker import viewer
from jaxcurriculum.envs.walker.lidar import ANGLES, RANGE
from jaxcurriculum.envs.walker.viewer import Episode
from jaxcurriculum.report.film import check_path, file_stem, load, play, showpiece
from jaxcurriculum.runs.store import Run, write_file

NUM_EPISODES = 9
# What a page in the dark changes of viewer.COLOURS.
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


def show_page(
    run: Run,
    task: tuple[float, ...] = (),
    seed: int | None = None,
    track_seed: int = 0,
    out: pathlib.Path | None = None,
) -> pathlib.Path:
    """Play nine episodes, on nine tracks of `task` or else on test tasks from all over the space,
    and write a web page of them.

    Returns its path.

    Raises:
      RunError: when the run has no environment, no checkpoint or no such seed, or when the task,
          track or file cannot be.
    """
    actor = load(run, seed, task)
    path = run.figures / f"{file_stem(task, seed, track_seed)}.html" if out is None else out
    check_path(path, ".html")
    tasks = (
        [task]
        if task
        else spread(
            actor.space,
            run.evaluations().select(actor.space.names).unique().rows(),
            showpiece(actor),
        )
    )
    laps = [
        divmod(index, len(tasks)) for index in range(NUM_EPISODES)
    ]  # fewer tasks are shown again, on the next track
    episodes = play(
        actor, [tasks[place] for _, place in laps], [track_seed + lap for lap, _ in laps]
    )
    heading = f"{run.path.resolve().name}: {title(run.config)}, seed {actor.seed}"
    write_file(
        path, lambda temporary: temporary.write_text(page(heading, episodes), encoding="utf-8")
    )
    return path


def spread(
    space: Box, tasks: Sequence[tuple[float, ...]], first: tuple[float, ...]
) -> list[tuple[float, ...]]:
    """At most nine of `tasks`, sorted: `first`, and again and again the one that is farthest in
    `space` from all chosen before.

    >>> spread(Box(names=("height",), low=(0,), high=(4,)), [(float(i),) for i in range(5)], (1.0,))
    [(0.0,), (1.0,), (2.0,), (3.0,), (4.0,)]
    """
    known = sorted({first, *tasks})
    points = np.asarray(jax.vmap(space.to_unit)(jnp.array(known, jnp.float32)))
    chosen = [known.index(first)]
    while len(chosen) < min(NUM_EPISODES, len(known)):
        distances = np.linalg.norm(points[:, None] - points[chosen], axis=-1).min(1)
        chosen.append(int(distances.argmax()))
    return [known[index] for index in sorted(chosen)]


def page(title: str, episodes: Sequence[Episode]) -> str:
    """The HTML of a page that plays `episodes`."""
    content = {
        "title": title,
        "colours": {"light": viewer.COLOURS, "dark": viewer.COLOURS | DARK},
        "framesPerSecond": viewer.FRAMES_PER_SECOND,
        "aspect": viewer.WIDTH / viewer.HEIGHT,
        "rays": _whole(RANGE * np.stack([np.sin(ANGLES), -np.cos(ANGLES)], 1)),
        "episodes": [compact(episode) for episode in episodes],
    }
    template = importlib.resources.files("jaxcurriculum.report") / "page.html"
    text = json.dumps(content, separators=(",", ":")).replace(
        "<", "\\u003c"
    )  # so that no name can end the script that holds it
    return template.read_text(encoding="utf-8").replace("{content}", text)


def compact(episode: Episode) -> dict[str, Any]:
    """`episode` in thousandths (of a metre, a radian, the lidar's range, the return), tables row
    after row.

    The walker's parts are rigid: of each, only its shape and its pose in every frame are told, in
    the order of drawing.
    """
    parts = []
    for index, colour in viewer.drawing_order(len(episode.walker)):
        shape, poses = rigid_motion(episode.walker[index])
        parts.append({"colour": colour, "shape": _whole(shape), "poses": _whole(poses)})
    x = episode.finish
    return {
        "task": episode.task,
        "solved": episode.solved,
        "start": episode.seconds[0],
        "end": episode.seconds[-1],
        "parts": parts,
        "origin": _whole(episode.origin),
        "lidar": _whole(episode.lidar),
        "returns": _whole(episode.returns),
        "camera": _whole(episode.camera),
        "width": episode.width,
        "ground": _whole(episode.ground),
        "obstacles": [_whole(corners) for corners in episode.obstacles],
        "finish": _whole(np.array([x, np.interp(x, *episode.ground.T)])),
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
    return polygon[0] - middle[0], np.column_stack([middle, angle - angle[0]])


def _whole(values: np.ndarray) -> list[int]:
    return np.rint(1000 * np.ravel(values)).astype(int).tolist()
