"""Which test tasks are mastered at the end."""

from __future__ import annotations

import polars as pl
from matplotlib.figure import Figure

from jaxcurriculum.report.task_plane import amount, frame, plane, projection
from jaxcurriculum.runs.store import Run, title


def mastery_map(run: Run) -> Figure:
    """At the last evaluation: the share of attempts that master each test task (of seeds, where
    each makes one), and the mean return on it.

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
    x, y = plane(table.select(names).to_numpy(), table["return"].to_numpy())
    figure = Figure(figsize=(10.5, 4.2), layout="constrained")
    who = "attempts" if meta.get("num_test_episodes", 1) > 1 else "seeds"
    panels = (
        ("solved", f"{who} that master the task (%)", "cividis", (0, 100)),
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
        frame(ax, meta)
    mastered, steps = last["solved"].mean(), last["steps"].to_numpy()[0]
    num_tasks, num_seeds = last["test_task"].n_unique(), last["seed"].n_unique()
    seeds = f", mean of {num_seeds:,} seeds" if num_seeds > 1 else ""
    others = projection(meta, "; mean over the others" if len(table) < num_tasks else "")
    when = f"after {amount(steps)} {meta['step_unit']}"
    what = f"the {num_tasks:,} test tasks mastered" if num_tasks > 1 else f"{who} master the task"
    figure.suptitle(f"{title(run.config)}\n{mastered:.1%} of {what} {when}{seeds}{others}")
    return figure
