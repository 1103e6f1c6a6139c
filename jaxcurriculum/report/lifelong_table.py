"""The lifelong metrics of each condition, over cells of the task space."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from jaxcurriculum.report import lifelong, task_bins
from jaxcurriculum.report.conditions import Condition
from jaxcurriculum.runs.errors import RunError

MOST_CELLS = 16  # of the space: transfer is told of all pairs of them
HEADS = {
    "maintenance": "maintenance",
    "forward_transfer_ratio": "forward transfer",
    "backward_transfer_ratio": "backward transfer",
    "recovery": "recovery",
}


def lifelong_rows(conditions: Sequence[Condition]) -> list[dict[str, Any]]:
    """What a run can tell without experts, a row a condition: the mean over those seeds that have
    episodes. What is not known is nan.

    There is no row where the axes have no bounds, where episodes are thinned, or where no seed has
    any; and none at all where the axes are so many that there would be more than `MOST_CELLS`.
    """
    rows = []
    if 2 ** len(conditions[0].records[0].meta["axes"]["names"]) > MOST_CELLS:
        return rows
    for condition in conditions:
        if condition.is_thinned:
            continue
        try:
            means = _means(condition)
        except RunError:
            continue
        if means["seeds"]:
            rows.append({"condition": condition.name, **means})
    return rows


def _means(condition: Condition) -> dict[str, float]:
    """How many seeds have episodes, and the mean of each metric over them."""
    runs = [record.run for record in condition.records]
    dims = max(1, len(runs[0].meta["axes"]["names"]))
    cells = math.floor(MOST_CELLS ** (1 / dims) + 1e-9)
    binned = [task_bins.of_run(run, cells) for run in runs]
    found = [lifelong.summary(scores, practised) for scores, practised in binned]
    seeds = {name: np.concatenate([one[name] for one in found]) for name in HEADS}
    means = {
        HEADS[name]: float(np.nanmean(values)) if np.isfinite(values).any() else math.nan
        for name, values in seeds.items()
    }
    return {"seeds": sum(int(on.any((1, 2)).sum()) for _, on in binned), **means}


def written(row: dict[str, Any]) -> dict[str, str]:
    """A row as a person reads it."""
    numbers = {name: row[name] for name in HEADS.values()}
    texts = {name: "" if math.isnan(value) else f"{value:.3g}" for name, value in numbers.items()}
    return {"condition": row["condition"], "seeds": f"{row['seeds']:,}", **texts}
