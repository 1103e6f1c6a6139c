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
    """The mean over seeds of what a run can tell without experts, a row a condition; nothing where
    the axes have no bounds, or are so many that there would be more than `MOST_CELLS`. What is not
    known is nan.
    """
    rows = []
    if 2 ** len(conditions[0].records[0].meta["axes"]["names"]) > MOST_CELLS:
        return rows
    for condition in conditions:
        try:
            rows.append({"condition": condition.name, **_means(condition)})
        except RunError:
            continue
    return rows


def _means(condition: Condition) -> dict[str, float]:
    runs = [record.run for record in condition.records]
    dims = max(1, len(runs[0].meta["axes"]["names"]))
    cells = math.floor(MOST_CELLS ** (1 / dims) + 1e-9)
    found = [lifelong.summary(*task_bins.of_run(run, cells)) for run in runs]
    seeds = {name: np.concatenate([one[name] for one in found]) for name in HEADS}
    return {
        HEADS[name]: float(np.nanmean(values)) if np.isfinite(values).any() else math.nan
        for name, values in seeds.items()
    }


def written(row: dict[str, Any]) -> dict[str, str]:
    """A row as a person reads it."""
    numbers = {name: value for name, value in row.items() if name != "condition"}
    texts = {name: "" if math.isnan(value) else f"{value:.3g}" for name, value in numbers.items()}
    return {"condition": row["condition"], **texts}
