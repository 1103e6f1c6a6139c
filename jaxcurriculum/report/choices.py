"""What a bandit's arms are called: by the tasks that each gave."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from jaxcurriculum.report.reading import Record


def choice_names(record: Record, place: int, arms: np.ndarray, num_arms: int) -> list[str]:
    """A name for each of `arms` of the seed at `place` of a run: its number and, on each axis, the
    range of the tasks that it gave, whose `origin` it is.

    Args:
      num_arms: that the run's own teacher has; where origins go beyond, as those of a teacher made
        of several, an arm is named by its number alone.
    """
    episodes = record.run.episodes().filter(pl.col("seed") == record.seeds[place])
    axes, names = record.meta["axes"], record.meta["axes"]["names"]
    if episodes["origin"].to_numpy().max(initial=-1) >= num_arms:
        return [f"choice {arm}" for arm in arms]
    ranges = episodes.group_by("origin").agg(
        *(pl.col(name).min().alias(f"low {name}") for name in names),
        *(pl.col(name).max().alias(f"high {name}") for name in names),
    )
    known = {row["origin"]: row for row in ranges.iter_rows(named=True)}
    return [f"choice {arm}, which {_gave(known.get(arm), axes)}" for arm in arms.tolist()]


def _gave(row: dict[str, Any] | None, axes: dict[str, Any]) -> str:
    if row is None:
        return "was never taken"
    words = []
    for name, unit in zip(axes["names"], axes["units"]):
        low, high = (f"{row[f'{bound} {name}']:.3g}" for bound in ("low", "high"))
        bounds = low if low == high else f"{low} to {high}"
        words.append(f"{name.replace('_', ' ')} {bounds} {unit}".strip())
    return f"gave {', '.join(words)}"
