"""What draws episodes: every environment may bring a viewer of its own."""

from __future__ import annotations

import dataclasses
import functools
from typing import Any, Protocol

import jax
import numpy as np

from jaxcurriculum.records import PyTree


@dataclasses.dataclass(frozen=True, kw_only=True, eq=False)
class Film:
    """One episode as it was played, in plain arrays, frame by frame from its start."""

    level: PyTree
    looks: PyTree  # [frames, ...], what `Viewer.look` saw
    returns: np.ndarray  # [frames], sum of all rewards so far
    seconds: np.ndarray  # [frames], s since the start
    task: dict[str, str]  # what is to be said of the task, by name
    solved: bool


class Viewer(Protocol):
    """Draws episodes of an environment, after they were played."""

    @property
    def steps_per_frame(self) -> int:
        """Every how many steps there is a frame."""
        ...

    @property
    def frames_per_second(self) -> float:
        """How fast a film is played."""
        ...

    def look(self, level: PyTree, state: PyTree, obs: PyTree) -> PyTree:
        """What a picture of this moment needs; compiled with the episode."""
        ...

    def picture(self, film: Film, frame: int) -> Any:
        """Frame number `frame` as a Pillow image; both sides are multiples of 16 pixels."""
        ...


@functools.cache
def font(size: int) -> Any:
    """Pillow's own font."""
    from PIL import ImageFont

    return ImageFont.load_default(size)


def caption(film: Film, frame: int) -> str:
    """Time and return so far, as every picture says them."""
    return f"{film.seconds[frame]:.1f} s      return {film.returns[frame]:.3g}"


def frames_of(num_steps: int, steps_per_frame: int) -> np.ndarray:
    """After how many steps an episode is shown: at its start, 0, and after its last one.

    >>> frames_of(5, 2).tolist()
    [0, 1, 3, 5]
    """
    backwards = np.arange(num_steps, 0, -steps_per_frame)
    return np.concatenate([[0], backwards[::-1]])


def to_host(tree: PyTree) -> PyTree:
    """Every leaf as a NumPy array."""
    return jax.tree.map(np.asarray, tree)
