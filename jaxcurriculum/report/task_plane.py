"""The plane of the first two task axes, in which curricula and test tasks are drawn."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes


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


def projection(meta: dict[str, Any], others: str = "") -> str:
    dims = len(meta["axes"]["names"])
    return f"\n(the first 2 of {dims} task axes{others})" if dims > 2 else ""


def amount(steps: float) -> str:
    return ticker.EngFormatter(sep=" ")(float(f"{steps:.2g}"))
