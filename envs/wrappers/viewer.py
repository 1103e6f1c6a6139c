"""How an episode of a wrapped world looks."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from jaxcurriculum.records import PyTree
from jaxcurriculum.viewer import Film, Viewer


@dataclasses.dataclass(frozen=True)
class InnerViewer:
    """Draws what the wrapped world's viewer draws."""

    viewer: Viewer
    inner: Callable[[PyTree, PyTree], tuple[PyTree, PyTree]]  # (state, obs) -> those of that world

    @property
    def steps_per_frame(self) -> int:
        return self.viewer.steps_per_frame

    @property
    def frames_per_second(self) -> float:
        return self.viewer.frames_per_second

    def look(self, level: PyTree, state: PyTree, obs: PyTree) -> PyTree:
        return self.viewer.look(level, *self.inner(state, obs))

    def picture(self, film: Film, frame: int) -> Any:
        return self.viewer.picture(film, frame)
