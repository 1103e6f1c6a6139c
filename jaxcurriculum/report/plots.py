"""The figures of a run, drawn from its files alone: learning curve, curriculum, mastery map."""

from __future__ import annotations

import pathlib

import matplotlib
import numpy as np
import polars as pl
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxcurriculum.report.curriculum import curriculum
from jaxcurriculum.report.levels import levels
from jaxcurriculum.report.mastery import mastery_map
from jaxcurriculum.report.style import BLUE, STYLE
from jaxcurriculum.runs.files import naming
from jaxcurriculum.runs.store import Run, title

MOST_LINES = 20  # seeds drawn one by one; more would hide their mean


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
