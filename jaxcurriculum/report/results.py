"""The table of a report: a row a condition, with its seeds and steps."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Sequence

import numpy as np
from rich.table import Column, Table

from jaxcurriculum.report.conditions import Condition
from jaxcurriculum.report.statistics import (
    bootstrap_interval,
    interquartile_mean,
    least_p_value,
    permutation_p_value,
    probability_of_improvement,
    welch_p_value,
)
from jaxcurriculum.runs.errors import RunError

FEW = 0.01  # where no p value can be smaller than this, the reader is told


@dataclasses.dataclass(frozen=True, kw_only=True)
class Row:
    """The results of one condition after `steps` of training; what is not known is nan."""

    condition: str
    seeds: int
    steps: int  # of training, of each seed
    evaluation_steps: float  # mean over seeds, as all that follow
    probe_steps: float
    mastered: float  # % of the test tasks
    mastered_sd: float
    mastered_iqm: float
    mastered_iqm_low: float  # of the 95 % interval
    mastered_iqm_high: float
    test_return: float
    improvement: float  # probability that a seed masters more than one of the first condition
    improvement_low: float
    improvement_high: float
    welch_p: float  # of the difference to the first condition
    permutation_p: float
    minutes: float  # of wall time, compilation included


def result_rows(conditions: Sequence[Condition], steps: int) -> list[Row]:
    """The results of each condition at its last evaluation by `steps`. One that ended before its
    next evaluation is not compared with the first.
    """
    places = [place_of(condition, steps) for condition in conditions]
    scores = [condition.mastered[place] for condition, place in zip(conditions, places)]
    next_steps = [one.steps[place] + one.steps[0] for one, place in zip(conditions, places)]
    there = [after > steps for after in next_steps]
    compared = [index for index in range(1, len(conditions)) if there[index]]
    p_values = dict(zip(compared, _p_values(scores[0], [scores[index] for index in compared])))
    return [
        Row(
            condition=condition.name,
            seeds=condition.num_seeds,
            steps=int(condition.steps[place]),
            evaluation_steps=float(condition.joined("evaluation_steps")[:, place].mean()),
            probe_steps=_probe_steps(condition, place),
            test_return=float(condition.returns[place].mean()),
            minutes=condition.minutes,
            permutation_p=p_values.get(index, math.nan),
            **_own(scores[index]),
            **_compared(scores[0], scores[index] if index in p_values else None),
        )
        for index, (condition, place) in enumerate(zip(conditions, places))
    ]


def place_of(condition: Condition, steps: int) -> int:
    """The number of the evaluation after `steps`, or of the last one before (else 0)."""
    return max(0, int(np.searchsorted(condition.steps, steps, side="right")) - 1)


def _probe_steps(condition: Condition, place: int) -> float:
    """Mean over seeds; nan where the files do not say it."""
    try:
        return float(condition.probe_steps(place).mean())
    except RunError:
        return math.nan


def unknown_probes(conditions: Sequence[Condition], rows: Sequence[Row]) -> list[str]:
    """A sentence on each condition whose steps on probes are not known, though it has reports."""
    faults = []
    for condition, row in zip(conditions, rows):
        if not condition.has_reports:
            continue
        try:
            if math.isnan(row.probe_steps):
                condition.probe_steps(place_of(condition, row.steps))
        except RunError as error:
            faults.append(f"What {condition.name} spent on probes is not known: {error}")
    return faults


def _own(mastered: np.ndarray) -> dict[str, float]:
    """What a row says of the % mastered by each seed."""
    low, high = bootstrap_interval(mastered, statistic=interquartile_mean)
    return {
        "mastered": float(mastered.mean()),
        "mastered_sd": float(mastered.std(ddof=1)) if len(mastered) > 1 else math.nan,
        "mastered_iqm": float(interquartile_mean(mastered)),
        "mastered_iqm_low": float(low),
        "mastered_iqm_high": float(high),
    }


def _compared(baseline: np.ndarray, scores: np.ndarray | None) -> dict[str, float]:
    """What a row says of the difference of `scores` to `baseline` [seeds]; nan without scores."""
    names = ("improvement", "improvement_low", "improvement_high", "welch_p")
    if scores is None:
        return dict.fromkeys(names, math.nan)
    low, high = bootstrap_interval(scores, baseline, statistic=probability_of_improvement)
    chance = float(probability_of_improvement(scores, baseline))
    return dict(zip(names, (chance, float(low), float(high), welch_p_value(scores, baseline))))


def _p_values(baseline: np.ndarray, others: Sequence[np.ndarray]) -> list[float]:
    """Of the permutation test of each of `others` against `baseline`."""
    found = np.empty(len(others))
    for num in {len(one) for one in others}:
        alike = [index for index, one in enumerate(others) if len(one) == num]
        found[alike] = permutation_p_value(baseline, np.stack([others[index] for index in alike]))
    return found.tolist()


def written(row: Row) -> dict[str, str]:
    """A row as a person reads it, by the heads of its columns."""
    iqm = (row.mastered_iqm_low, row.mastered_iqm_high)
    improvement = (row.improvement_low, row.improvement_high)
    return {
        "condition": row.condition,
        "seeds": f"{row.seeds:,}",
        "% mastered": f"{row.mastered:.1f}" + _known(" ± {:.1f}", row.mastered_sd),
        "IQM": f"{row.mastered_iqm:.1f}" + _known(" ({:.1f} to {:.1f})", *iqm),
        "P(better)": _known("{:.2f}", row.improvement)
        + _known(" ({:.2f} to {:.2f})", *improvement),
        "Welch p": _known("{:.2g}", row.welch_p),
        "permutation p": _known("{:.2g}", row.permutation_p),
        "test return": f"{row.test_return:.4g}",
        "steps": f"{row.steps:,}",
        "on tests": f"{row.evaluation_steps:,.0f}",
        "on probes": _known("{:,.0f}", row.probe_steps),
        "minutes": f"{row.minutes:.1f}",
    }


def _known(form: str, *values: float) -> str:
    """`values` in the text `form`; nothing where one is not known."""
    return "" if any(math.isnan(value) for value in values) else form.format(*values)


def console_table(rows: Sequence[Row], unit: str) -> Table:
    """The columns that fit a terminal."""
    shown = ("condition", "seeds", "% mastered", "IQM", "P(better)", "permutation p")
    table = Table(
        *(Column(name, overflow="fold") for name in shown),
        title=f"after {span(rows)} {unit} a seed; P and p against {rows[0].condition}",
    )
    for row in rows:
        texts = written(row)
        table.add_row(*(texts[name] for name in shown))
    return table


def span(rows: Sequence[Row]) -> str:
    """After how many steps the rows are: conditions whose rounds differ are not tested at once."""
    low, high = min(row.steps for row in rows), max(row.steps for row in rows)
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def limits(num_seeds: Sequence[int]) -> list[str]:
    """What so few seeds cannot tell, a sentence for each pair of numbers of seeds."""
    first, *others = num_seeds
    least = {num: least_p_value(first, num) for num in others}
    return [
        f"p of {first} against {num} seeds is at least {p:.2g}: only more seeds can make it"
        " smaller."
        for num, p in least.items()
        if p >= FEW
    ]
