"""The plane of the first two task axes, in which curricula and test tasks are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.axis import Axis

PATH_LENGTH = "path_length"  # of mazes, moves; -1: there is no way


def plane(tasks: np.ndarray, returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first two task axes; a task of one axis is drawn against its return."""
    return tasks[:, 0], tasks[:, 1] if tasks.shape[1] > 1 else returns


def frame(ax: Axes, meta: dict[str, Any]) -> None:
    """Name the axes of the task plane and show the whole of it."""
    names, units, low, high = (meta["axes"][key] for key in ("names", "units", "low", "high"))
    labels = [
        f"{name.replace('_', ' ')} ({unit})" if unit else name.replace("_", " ")
        for name, unit in zip(names, units)
    ]
    ax.set(xlabel=labels[0], ylabel=labels[1] if len(labels) > 1 else "return")
    for set_limits, start, end in zip((ax.set_xlim, ax.set_ylim), low, high):
        if start is None or end is None:
            continue
        margin = 0.03 * (end - start) or 0.5
        set_limits(start - margin, end + margin)
    for axis, name in zip((ax.xaxis, ax.yaxis), names):
        if name == PATH_LENGTH:
            _name_no_way(axis)


def _name_no_way(axis: Axis) -> None:
    """Call -1 by what it means; a path with a way is at least 1 long."""
    axis.set_major_formatter(lambda value, _: f"{value:g}" if value > 0 else "")
    axis.set_minor_locator(ticker.FixedLocator([-1]))
    axis.set_minor_formatter(ticker.FixedFormatter(["no way"]))


def projection(meta: dict[str, Any], others: str = "") -> str:
    dims = len(meta["axes"]["names"])
    return f"\n(the first 2 of {dims} task axes{others})" if dims > 2 else ""


def amount(steps: float) -> str:
    return ticker.EngFormatter(sep=" ")(float(f"{steps:.2g}"))
