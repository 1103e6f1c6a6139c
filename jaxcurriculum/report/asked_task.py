"""The task that a person asks to see, and what its film is called."""

from __future__ import annotations

import pathlib
import zlib
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.spaces import Box, Space

Asked = tuple[float | str, ...]  # one value an axis of a box, or one text


def asked_task(space: Space, task: Asked) -> PyTree:
    """`task` as a batch of one: a text where `space` reads them, else one value an axis.

    Raises:
      RunError: when it is none of `space`.
    """
    read = getattr(space, "read", None)
    if read is None:
        check_values(space, task)
        return jnp.array([task], jnp.float32)
    if len(task) != 1 or not isinstance(task[0], str):
        kind, got = type(space).__name__, " ".join(map(str, task))
        raise RunError(f"`task` takes one text or .txt file of these {kind}, got {got}.")
    try:
        return jax.tree.map(lambda leaf: jnp.asarray(leaf)[None], read(task[0]))
    except ValueError as error:
        raise RunError(f"`task`: {error}") from None


def check_values(space: Space, task: Asked) -> None:
    """Raise a RunError unless `task` has one value an axis of `space`, each within its bounds."""
    if not isinstance(space, Box):
        kind = type(space).__name__
        raise RunError(f"`task` takes one value an axis of a Box, but these tasks are of {kind}.")
    if len(task) != space.dims:
        names = ", ".join(space.names)
        raise RunError(f"`task` takes one value an axis, {names}: {space.dims}, got {len(task)}.")
    for name, value, low, high in zip(space.names, task, space.low, space.high):
        if isinstance(value, str):
            raise RunError(f"`task`: {name} must be a number, got {value!r}.")
        if not low <= value <= high:
            raise RunError(f"`task`: {name} must lie between {low:g} and {high:g}, got {value:g}.")


def file_stem(task: Asked, seed: int | None, track_seed: int) -> str:
    """What to call a film of this episode: the run's own is not written over by one that was asked
    for.

    >>> file_stem((), None, 0), file_stem((1.0, 0.25), 3, 7), file_stem(("my/maze.txt",), None, 0)
    ('film', 'film_1_0.25_seed3_track7', 'film_maze')
    """
    of_seed = [] if seed is None else [f"seed{seed}"]
    on_track = [f"track{track_seed}"] if track_seed else []
    return "_".join(["film", *map(_word, task), *of_seed, *on_track])


def _word(value: Any) -> str:
    """A number, the name of a text file, or the checksum of a text."""
    if not isinstance(value, str):
        return f"{value:g}"
    return pathlib.Path(value).stem if value.endswith(".txt") else f"{zlib.crc32(value.encode()):x}"
