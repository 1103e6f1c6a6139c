"""The levels of a curriculum as pictures, where a task is a layout.

A task space whose columns have one called "layout" holds levels as text, rows joined by "/": '#'
is a wall, '.' is free, 'G' the goal, and '>', 'v', '<' or '^' the agent.
"""

from __future__ import annotations

import numpy as np
import polars as pl
from matplotlib.axes import Axes
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure

from jaxcurriculum.runs.store import Run, title

NUM_STRETCHES, NUM_SHOWN = 4, 3  # of time, and levels in each
WALL, FREE, GOAL = "#39424a", "#ffffff", "#009e73"
AGENT = "#d55e00"
MARKERS = {">": ">", "v": "v", "<": "<", "^": "^"}


def levels(run: Run) -> Figure:
    """Levels that the first seed was given, a column a stretch of time, evenly over it."""
    meta, seed = run.meta, run.meta["first_seed"]
    episodes = run.episodes().filter(pl.col("seed") == seed)
    figure = Figure(figsize=(3 * NUM_STRETCHES, 3.3 * NUM_SHOWN), layout="constrained")
    axes = figure.subplots(NUM_SHOWN, NUM_STRETCHES)
    places = np.linspace(0, len(episodes) - 1, NUM_STRETCHES * NUM_SHOWN).round().astype(int)
    for ax, place in zip(axes.T.ravel(), places):
        row = episodes.row(int(place), named=True)
        steps = (row["round"] + 1) * meta["steps_per_round"]
        draw_layout(ax, row["layout"])
        ax.set_title(f"{steps:,} steps, return {row['return']:.2f}", fontsize=9)
    num = meta.get("num_learners", 1)
    whose = f"\n(each return is of one of the {num} students that learn)" if num > 1 else ""
    figure.suptitle(
        f"{title(run.config)}\nlevels given to seed {seed}: time runs down each column,"
        f" and on at the top of the next{whose}"
    )
    return figure


def cropped(layout: str) -> np.ndarray:
    """The cells of a level, without the walls on the right and at the bottom that fill it up.

    >>> cropped(">.G##/.#.##/#####").tolist()
    [['>', '.', 'G'], ['.', '#', '.']]
    """
    cells = np.array([list(row) for row in layout.split("/")])
    rows, columns = np.nonzero(cells != "#")
    return cells[: rows.max() + 1, : columns.max() + 1]


def draw_layout(ax: Axes, layout: str) -> None:
    """Draw one level."""
    cells = cropped(layout)
    kinds = np.where(cells == "#", 1, np.where(cells == "G", 2, 0))
    ax.imshow(kinds, cmap=ListedColormap([FREE, WALL, GOAL]), vmin=0, vmax=2)
    for sign, marker in MARKERS.items():
        for y, x in np.argwhere(cells == sign):
            ax.plot(x, y, marker, color=AGENT, markersize=7)
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set(visible=True, color=WALL)
