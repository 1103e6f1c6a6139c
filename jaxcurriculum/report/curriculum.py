"""Which tasks a teacher gave, and what it believed."""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle

from jaxcurriculum.report.beliefs import Belief, belief_of
from jaxcurriculum.report.style import ORANGE
from jaxcurriculum.report.task_plane import amount, frame, plane, projection
from jaxcurriculum.runs.store import Run, title

NUM_PANELS = 4  # stretches of time in the curriculum picture, at most one a round
POINTS_PER_PANEL = 500


def curriculum(run: Run) -> Figure:
    """The tasks that the first seed was given, in stretches of time, coloured by learning
    progress, with the teacher's Gaussians.
    """
    meta, seed = run.meta, run.meta["first_seed"]
    episodes = run.episodes().filter(pl.col("seed") == seed)
    steps = (episodes["round"].to_numpy() + 1) * meta["steps_per_round"]
    tasks, returns = (
        episodes.select(meta["axes"]["names"]).to_numpy(),
        episodes["return"].to_numpy(),
    )
    rounds = meta["evaluations_done"] * meta["rounds_per_evaluation"]
    total, num_panels = rounds * meta["steps_per_round"], max(1, min(NUM_PANELS, rounds))
    edges = np.linspace(0, total, num_panels + 1)
    shown = [
        _thin(np.flatnonzero((steps > low) & (steps <= high)))
        for low, high in zip(edges, edges[1:])
    ]
    progress = [learning_progress(tasks, returns, indices) for indices in shown]
    every = np.concatenate([*progress, [0.0]])
    colours = Normalize(0, np.quantile(every, 0.95) or every.max() or 1.0)

    figure = Figure(figsize=(3.2 * max(2, num_panels) + 0.8, 3.9), layout="constrained")
    axes = figure.subplots(1, num_panels, sharex=True, sharey=True, squeeze=False)[0]
    belief = belief_of(run.reports(), 0, meta["axes"]) if tasks.shape[1] > 1 else None
    for ax, low, high, indices, alp in zip(axes, edges, edges[1:], shown, progress):
        order = np.argsort(alp)  # what makes progress lies on top
        x, y = plane(tasks[indices], returns[indices])
        points = ax.scatter(
            x[order], y[order], c=alp[order], norm=colours, cmap="viridis", s=12, linewidths=0
        )
        if belief is not None:
            _draw_belief(ax, belief, max(0, round(high / total * meta["evaluations_done"]) - 1))
        ax.set_title(f"{amount(low)} to {amount(high)}")
        frame(ax, meta)
    for ax in axes[1:]:
        ax.set_ylabel("")
    figure.colorbar(
        points,
        ax=axes,
        label="learning progress: |return - return of\nthe nearest earlier task|",
        extend="max",
        pad=0.01,
    )
    drawn = belief is not None and belief.kind in ("gaussians", "boxes")
    shapes = f"; {belief.legend}, at the end of a stretch" if belief and drawn else ""
    figure.suptitle(
        f"{title(run.config)}\ntasks given to seed {seed} over"
        f" {meta['step_unit']}{shapes}{projection(meta)}"
    )
    return figure


def learning_progress(tasks: np.ndarray, returns: np.ndarray, indices: np.ndarray) -> np.ndarray:
    """|r - r_nearest| of the episodes `indices`, the nearest among all episodes before each; 0 for
    the very first.

    Args:
      tasks, returns: of all episodes in order, [num, dims] in the axes' own units and [num].

    >>> learning_progress(np.array([[0.0], [1.0], [0.1]]), np.array([0.0, 5.0, 3.0]), np.arange(3))
    array([0., 5., 3.])
    """
    tasks, returns = (
        tasks.astype(np.float64),
        returns.astype(np.float64),
    )  # squares of wide axes overflow float32
    progress = np.zeros(len(indices))
    for place, index in enumerate(indices):
        if index > 0:
            nearest = np.argmin(((tasks[:index] - tasks[index]) ** 2).sum(1))
            progress[place] = abs(returns[index] - returns[nearest])
    return progress


def _thin(indices: np.ndarray) -> np.ndarray:
    """At most `POINTS_PER_PANEL` of `indices`, evenly over time."""
    return indices[:: max(1, -(-len(indices) // POINTS_PER_PANEL))]


def _draw_belief(ax: Axes, belief: Belief, evaluation: int) -> None:
    """Draw Gaussians or boxes as reported at `evaluation`, on the first two axes; strong lines
    where tasks are likely.
    """
    strength = belief.strength[evaluation]
    valid = np.isfinite(strength)
    own = {name: values[evaluation][valid] for name, values in belief.shapes.items()}
    if belief.kind == "gaussians":
        shapes = [_ellipse(*one) for one in zip(own["mean"], own["covariance"])]
    elif belief.kind == "boxes":
        shapes = [_box(*one) for one in zip(own["low"], own["high"])]
        _mark_points(ax, own["low"][:, :2], own["high"][:, :2])
    else:
        return
    strongest = max(np.max(strength[valid], initial=0.0), 1e-9)
    for shape, share in zip(shapes, strength[valid] / strongest):
        line = 0.6 + 1.8 * share
        halo = [patheffects.withStroke(linewidth=line + 1.6, foreground="white")]
        shape.set(fill=False, edgecolor=ORANGE, linewidth=line, path_effects=halo)
        ax.add_patch(shape)


def _mark_points(ax: Axes, low: np.ndarray, high: np.ndarray) -> None:
    """A cross where a box has no size and would not be seen, as that with which ADR begins."""
    points = low[(low == high).all(1)]
    halo = [patheffects.withStroke(linewidth=4, foreground="white")]
    ax.plot(*points.T, "+", color=ORANGE, markersize=14, markeredgewidth=2.4, path_effects=halo)


def _ellipse(mean: np.ndarray, covariance: np.ndarray) -> Ellipse:
    """Two standard deviations of a Gaussian on the first two axes."""
    variances, directions = np.linalg.eigh(covariance[:2, :2])
    width, height = 4 * np.sqrt(np.maximum(variances, 0))
    return Ellipse(
        (mean[0], mean[1]),
        width,
        height,
        angle=np.degrees(np.arctan2(directions[1, 0], directions[0, 0])),
    )


def _box(low: np.ndarray, high: np.ndarray) -> Rectangle:
    return Rectangle((low[0], low[1]), high[0] - low[0], high[1] - low[1])
