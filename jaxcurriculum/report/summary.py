"""The table at the end of a run."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
from rich.console import Console
from rich.table import Table

from jaxcurriculum.runs.store import Run, title

MOST_ROWS = 20  # seeds named one by one; of more, quantiles say how they are spread
NOTES = {  # what the counters count
    "nonfinite": "numbers that are not finite",
    "out_of_space": "tasks outside their space",
    "pool_wraps": "times that a round used its tasks again (a larger pool_size has more)",
    "dropped": "episodes beyond what a round can record (a larger pool_size holds more)",
    "probe_steps": "steps on probes",
}
SLOT_NOTES = {  # with assign="slot", where pool_size must be num_envs
    "dropped": "episodes not recorded, after the first two of each environment in a round (with a"
    " smaller num_steps fewer end)",
}
QUANTILES = {"min": 0.0, "lower quartile": 0.25, "median": 0.5, "upper quartile": 0.75, "max": 1.0}


def summarise(run: Run, console: Console) -> None:
    """Print episodes, final test return and mastery of the seeds, and their mean; then time,
    speed and counters.
    """
    meta, reports = run.meta, run.reports()
    console.print(seed_table(run))
    steps = meta["evaluations_done"] * meta["rounds_per_evaluation"] * meta["steps_per_round"]
    total, seconds = steps * meta["num_seeds"], meta["wall_seconds"]
    work = f"{steps:,} {meta['step_unit']} a seed, {total:,} in all"
    console.print(
        f"{work}, in {seconds:,.1f} s ({total / seconds:,.0f} a second, compilation included).",
        highlight=False,
        soft_wrap=True,
    )
    if noted := noted_counts(reports, run.config):
        console.print(f"Noted on the way: {', '.join(noted)}.", highlight=False, soft_wrap=True)
    for sentence in variety_of_replays(reports):
        console.print(sentence, highlight=False, soft_wrap=True)


def noted_counts(reports: dict[str, np.ndarray], config: dict[str, Any]) -> list[str]:
    """What the counters among `reports` ([evaluations, seeds] an array) have counted over all
    seeds, in words for a run of these settings.

    >>> noted_counts({"counters.pool_wraps": np.array([[0], [2]])}, {})
    ['2 times that a round used its tasks again (a larger pool_size has more)']
    """
    is_slot = config.get("student.rollout.assign") == "slot"
    notes = NOTES | (SLOT_NOTES if is_slot else {})
    counts = {
        name.removeprefix("counters."): int(values[-1].sum())
        for name, values in reports.items()
        if name.startswith("counters.")
    }
    return [f"{number:,} {notes.get(name, name)}" for name, number in counts.items() if number]


def variety_of_replays(reports: dict[str, np.ndarray]) -> list[str]:
    """A sentence for each teacher in `reports` ([evaluations, seeds] an array) that replays levels:
    a mean over the seeds that replayed any.

    >>> levels, share = np.array([[0.0, 0.0], [5.0, 0.0]]), np.array([[1.0, 1.0], [0.08, 1.0]])
    >>> variety_of_replays({"teacher.effective_levels": levels, "teacher.effective_share": share})
    ['Replays were as varied as if 8 in 100 were different levels, the others repeats.']
    """
    shares = [
        values[-1][reports[f"{name.removesuffix('share')}levels"][-1] > 0]
        for name, values in reports.items()
        if name.endswith(".effective_share")
    ]
    return [_variety(each) for each in shares]


def _variety(shares: np.ndarray) -> str:
    """What the effective shares of the seeds with replays say."""
    if not len(shares):
        return (
            "No level was replayed: too few are known yet. Teachers that train on replays alone, as"
            " robust PLR and ACCEL, have trained on nothing."
        )
    share = f"{100 * shares.mean():.0f} in 100"
    return f"Replays were as varied as if {share} were different levels, the others repeats."


def seed_table(run: Run) -> Table:
    """A row a seed, or of many seeds the quantiles of each column; then the mean and standard
    deviation over seeds.
    """
    episodes = run.episodes().group_by("seed").agg(pl.len().alias("episodes"))
    last = pl.col("evaluation") == pl.col("evaluation").max()
    tests = (
        run.evaluations()
        .filter(last)
        .group_by("seed")
        .agg(pl.col("return").mean(), pl.col("solved").mean() * 100)
    )
    rows = (
        tests.join(episodes, on="seed", how="left")
        .with_columns(pl.col("episodes").fill_null(0))
        .sort("seed")
    )
    rows = rows.select("seed", "episodes", "return", "solved")
    many, values = len(rows) > MOST_ROWS, rows.drop("seed")
    table = Table(title=f"{run.path.name}: {title(run.config)}")
    for column in (
        f"{len(rows):,} seeds" if many else "seed",
        "training episodes",
        "mean test return",
        "mastered, %",
    ):
        table.add_column(column, justify="right")
    shown = (
        [(name, *values.quantile(q, "linear").row(0)) for name, q in QUANTILES.items()]
        if many
        else rows.iter_rows()
    )
    for name, number, mean, solved in shown:
        table.add_row(str(name), f"{number:,.0f}", f"{mean:.2f}", f"{solved:.1f}")
    if len(rows) > 1:
        spread = lambda name: f"{rows[name].mean():.2f} ± {rows[name].std():.2f}"
        table.add_row(
            "mean ± sd",
            f"{rows['episodes'].mean():,.0f}",
            spread("return"),
            spread("solved"),
            style="bold",
        )
    return table
