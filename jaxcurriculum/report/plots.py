"""The figures of a run, drawn from its files alone: learning curve, curriculum, mastery map."""

from __future__ import annotations

import pathlib
from typing import Any

import matplotlib
import numpy as np
import polars as pl
from matplotlib import patheffects, ticker
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.patches import Ellipse, Rectangle

from jaxcurriculum.report.levels import levels
from jaxcurriculum.runs.store import Run, naming, title

BLUE, ORANGE = "#0072B2", "#D55E00"  # Okabe and Ito's, told apart by colour-blind readers
NUM_PANELS = 4  # stretches of time in the curriculum picture
POINTS_PER_PANEL = 500
MOST_LINES = 20  # seeds drawn one by one; more would hide their mean
# Whatever a person's matplotlibrc says, figures look alike and need nothing, as LaTeX.
DEFAULTS = {name: value for name, value in matplotlib.rcParamsDefault.items() if name != "backend"}
STYLE: dict[Any, Any] = DEFAULTS | {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "font.size": 11,
    "axes.titlesize": 11,
    "savefig.dpi": 130,
}


def draw(run: Run) -> list[pathlib.Path]:
    """Draw every figure of `run` into its folder `figures`. Returns their paths."""
    paths, figures = [], [learning_curve, curriculum, mastery_map]
    if "layout" in run.evaluations().columns:
        figures.append(levels)
    with matplotlib.rc_context(STYLE):
        for make in figures:
            figure = make(run)
            path = run.figures / f"{make.__name__}.png"
            with naming(path):
                figure.savefig(path)
            paths.append(path)
    return paths


def learning_curve(run: Run) -> Figure:
    """Share of the test tasks mastered, and mean test return, over training."""
    table = (
        run.evaluations()
        .group_by("steps", "seed")
        .agg(pl.col("solved").mean() * 100, pl.col("return").mean())
        .sort("steps", "seed")
    )
    steps, num_seeds = np.unique(table["steps"]), table["seed"].n_unique()
    figure = Figure(figsize=(10, 4), layout="constrained")
    axes = figure.subplots(1, 2)
    for ax, name, label in zip(
        axes, ("solved", "return"), ("test tasks mastered (%)", "mean test return")
    ):
        draw_seeds(ax, steps, table[name].to_numpy().reshape(len(steps), num_seeds), BLUE)
        ax.set(xlabel=f"{run.meta['step_unit']} a seed", ylabel=label, xlim=(0, None))
        ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=" "))
        ax.grid(alpha=0.25)
    axes[0].set_ylim(
        0, max(5, 1.05 * axes[0].get_ylim()[1]) if table["solved"].to_numpy().max() < 95 else 101
    )
    thin = f"the first {MOST_LINES} thin" if num_seeds > MOST_LINES else "thin"
    seeds = (
        f"{num_seeds:,} seeds ({thin}), mean and standard deviation" if num_seeds > 1 else "1 seed"
    )
    figure.suptitle(f"{title(run.config)}\n{seeds}")
    return figure


def draw_seeds(
    ax: Axes,
    steps: np.ndarray,
    values: np.ndarray,
    colour: str,
    line: str = "-",
    label: str | None = None,
) -> None:
    """The first seeds as thin lines; over them the mean of all, and a band of one standard
    deviation.

    Args:
      steps, values: of the curve, [evaluations] and [evaluations, seeds].
    """
    mean, spread = values.mean(1), values.std(1, ddof=1) if values.shape[1] > 1 else 0
    marker = "o" if len(steps) == 1 else None
    ax.plot(steps, values[:, :MOST_LINES], color=colour, linewidth=0.8, alpha=0.4)
    ax.fill_between(
        steps, mean - spread, mean + spread, color=colour, alpha=0.2, linewidth=0, zorder=2.5
    )
    ax.plot(
        steps,
        mean,
        color=colour,
        linestyle=line,
        linewidth=2.5,
        marker=marker,
        zorder=3,
        label=label,
    )


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
    total = meta["evaluations_done"] * meta["rounds_per_evaluation"] * meta["steps_per_round"]
    edges = np.linspace(0, total, NUM_PANELS + 1)
    shown = [
        _thin(np.flatnonzero((steps > low) & (steps <= high)))
        for low, high in zip(edges, edges[1:])
    ]
    progress = [learning_progress(tasks, returns, indices) for indices in shown]
    every = np.concatenate([*progress, [0.0]])
    colours = Normalize(0, np.quantile(every, 0.95) or every.max() or 1.0)

    figure = Figure(figsize=(3.2 * NUM_PANELS + 0.8, 3.9), layout="constrained")
    axes = figure.subplots(1, NUM_PANELS, sharex=True, sharey=True)
    reports = run.reports()
    for ax, low, high, indices, alp in zip(axes, edges, edges[1:], shown, progress):
        order = np.argsort(alp)  # what makes progress lies on top
        x, y = _plane(tasks[indices], returns[indices])
        points = ax.scatter(
            x[order], y[order], c=alp[order], norm=colours, cmap="viridis", s=12, linewidths=0
        )
        if tasks.shape[1] > 1:
            _draw_belief(ax, reports, max(0, round(high / total * meta["evaluations_done"]) - 1))
        ax.set_title(f"{_amount(low)} to {_amount(high)}")
        _frame(ax, meta)
    for ax in axes[1:]:
        ax.set_ylabel("")
    figure.colorbar(
        points,
        ax=axes,
        label="learning progress: |return - return of\nthe nearest earlier task|",
        extend="max",
        pad=0.01,
    )
    gaussians, boxes = "teacher.covariances" in reports, "teacher.low" in reports
    belief = (
        "; ellipses: the Gaussians at the end of a stretch (2 sd)"
        if gaussians
        else "; boxes: the teacher's regions at the end of a stretch"
    )
    belief = belief if gaussians or boxes else ""
    figure.suptitle(
        f"{title(run.config)}\ntasks given to seed {seed} over"
        f" {meta['step_unit']}{belief}{_projection(meta)}"
    )
    return figure


def mastery_map(run: Run) -> Figure:
    """At the last evaluation: the share of seeds that master each test task, and the mean return on
    it.

    Of test tasks that differ in other axes than the first two, which would hide one another, the
    mean is drawn.
    """
    meta, names = run.meta, run.meta["axes"]["names"]
    last = run.evaluations().filter(pl.col("evaluation") == pl.col("evaluation").max())
    means = [
        pl.col("solved").mean() * 100,
        pl.col("return").mean(),
        *(pl.col(name).first() for name in names),
    ]
    table = last.group_by("test_task").agg(means).group_by(names[:2]).mean().sort("test_task")
    x, y = _plane(table.select(names).to_numpy(), table["return"].to_numpy())
    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    panels = (
        ("solved", "seeds that master the task (%)", "cividis", (0, 100)),
        ("return", "mean test return", "viridis", (None, None)),
    )
    for ax, (name, label, colours, (low, high)) in zip(figure.subplots(1, 2), panels):
        points = ax.scatter(
            x,
            y,
            c=table[name],
            cmap=colours,
            vmin=low,
            vmax=high,
            s=110,
            edgecolors="0.4",
            linewidths=0.6,
            clip_on=False,
        )
        figure.colorbar(points, ax=ax, label=label)
        _frame(ax, meta)
    mastered, steps = last["solved"].mean(), last["steps"].to_numpy()[0]
    num_tasks, num_seeds = last["test_task"].n_unique(), last["seed"].n_unique()
    seeds = f", mean of {num_seeds:,} seeds" if num_seeds > 1 else ""
    others = _projection(meta, "; mean over the others" if len(table) < num_tasks else "")
    when = f"after {_amount(steps)} {meta['step_unit']}"
    figure.suptitle(
        f"{title(run.config)}\n{mastered:.1%} of the {num_tasks:,} test tasks mastered"
        f" {when}{seeds}{others}"
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


def _draw_belief(ax: Axes, reports: dict[str, np.ndarray], evaluation: int) -> None:
    """Draw the first seed's Gaussians or boxes, as reported at `evaluation`, on the first two
    axes; strong lines where tasks are likely.
    """
    own = {
        name.removeprefix("teacher."): values[evaluation, 0]
        for name, values in reports.items()
        if name.startswith("teacher.")
    }
    if "covariances" in own:
        valid, shapes = (
            own["valid"],
            [_ellipse(*one) for one in zip(own["means"], own["covariances"])],
        )
        liked = own.get(
            "preference", own["means"][:, -1]
        )  # older runs are of ALP-GMM, which prefers mean progress
    elif "low" in own:
        low, high = (own[name].reshape(-1, own[name].shape[-1]) for name in ("low", "high"))
        valid, shapes = np.atleast_1d(own.get("leaf", True)), [_box(*one) for one in zip(low, high)]
        liked = own.get("alp", np.ones(len(low)))
        _mark_points(ax, low[valid, :2], high[valid, :2])
    else:
        return
    strongest = max(np.max(liked[valid], initial=0.0), 1e-9)
    for shape, is_valid, share in zip(shapes, valid, np.maximum(liked, 0) / strongest):
        if is_valid:
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


def _plane(tasks: np.ndarray, returns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The first two task axes; a task of one axis is drawn against its return."""
    return tasks[:, 0], tasks[:, 1] if tasks.shape[1] > 1 else returns


def _frame(ax: Axes, meta: dict[str, Any]) -> None:
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


def _projection(meta: dict[str, Any], others: str = "") -> str:
    dims = len(meta["axes"]["names"])
    return f"\n(the first 2 of {dims} task axes{others})" if dims > 2 else ""


def _amount(steps: float) -> str:
    return ticker.EngFormatter(sep=" ")(float(f"{steps:.2g}"))
