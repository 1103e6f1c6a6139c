"""How a walker's episodes look: as pictures, films, and as a web page that draws them itself."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Sequence
from typing import Any

import jax

from jaxcurriculum.envs.walker.bodies import Body
from jaxcurriculum.envs.walker.engine.terrain import FINISH
from jaxcurriculum.viewer import Film

NUM_RAYS = 10  # of the lidar, the last of the observations


@dataclasses.dataclass(frozen=True)
class WalkerViewer:
    """Draws a walker with `body` on its track; every second step is a frame."""

    body: Body
    steps_per_frame: int = 2
    frames_per_second: float = 25.0

    def look(self, level: Any, state: Any, obs: jax.Array) -> tuple[Any, ...]:
        """The polygons of the walker, the origin of its lidar, and how far that sees."""
        from jaxcurriculum.envs.walker.drawing import silhouette

        polygons, origin = silhouette(self.body, level, state)
        return polygons, origin, obs[-NUM_RAYS:]

    def picture(self, film: Film, frame: int) -> Any:
        """The walker, its track and its lidar, with time, return and task."""
        from jaxcurriculum.envs.walker.drawing import draw_frame

        return draw_frame(as_episode(film), frame)

    def page(self, title: str, films: Sequence[Film]) -> str:
        """A web page that plays `films` side by side, and needs no network."""
        from jaxcurriculum.envs.walker.page import page

        return page(title, [as_episode(film) for film in films])


@functools.lru_cache(maxsize=16)
def as_episode(film: Film) -> Any:
    """What is drawn of `film`."""
    from jaxcurriculum.envs.walker.drawing import Episode, scene

    walker, origin, lidar = film.looks
    ground, obstacles = scene(film.level)
    return Episode(
        walker=walker,
        origin=origin,
        lidar=lidar,
        returns=film.returns,
        seconds=film.seconds,
        ground=ground,
        obstacles=obstacles,
        finish=FINISH,
        task=film.task,
        solved=film.solved,
    )
