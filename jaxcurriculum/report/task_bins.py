"""Continuous tasks in bins: how a run does on each, and when it practises it."""

from __future__ import annotations

import pathlib
from typing import Any, Literal

import numpy as np
import polars as pl

from jaxcurriculum.fields import is_integer
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.store import Run, run_at

MOST_BINS = 10_000
PRACTISED = 0.5  # of the episodes that an even share would give a bin


def of_run(
    run: Run | str | pathlib.Path, cells: int, measure: Literal["return", "solved"] = "return"
) -> tuple[np.ndarray, np.ndarray]:
    """What `lifelong.summary` asks of a run: scores, and what was practised; both [seeds,
    evaluations, bins].

    The task space is cut into `cells` an axis. Bins that hold a test task are kept, and scored by
    the mean of their tests. One is practised before an evaluation where, since the one before, it
    got at least half the episodes that an even share would give it.

    Raises:
      RunError: when the axes have no bounds, or there would be no bin, or more than 10,000.
    """
    run = run_at(run)
    meta, axes = run.meta, run.meta["axes"]
    num_bins = _num_bins(run, axes, cells)
    number = pl.col("round") // meta["rounds_per_evaluation"]
    is_done = pl.col("evaluation") < meta["evaluations_done"]
    tests = run.evaluations().filter(is_done)
    episodes = run.episodes().with_columns(evaluation=number).filter(is_done)
    kept, place = np.unique(_bins(tests, axes, cells), return_inverse=True)
    scores = _sums(tests, place, len(kept), meta, tests[measure].to_numpy())
    scores /= _sums(tests, place, len(kept), meta)
    counts = _sums(episodes, _bins(episodes, axes, cells), num_bins, meta)
    even = counts.sum(axis=2, keepdims=True) / num_bins
    return scores, ((counts > 0) & (counts >= PRACTISED * even))[..., kept]


def bin_of(tasks: np.ndarray, low: np.ndarray, high: np.ndarray, cells: int) -> np.ndarray:
    """The bin of each of `tasks` ([num, dims]) in a grid of `cells` an axis, the last axis fastest.

    >>> bin_of(np.array([[0.1, 0.9], [1.0, 0.0]]), np.zeros(2), np.ones(2), 2).tolist()
    [1, 2]
    """
    width = np.where(high > low, high - low, 1.0)
    along = np.clip(np.floor((tasks - low) / width * cells), 0, cells - 1).astype(int)
    return np.asarray(np.ravel_multi_index(tuple(along.T), (cells,) * tasks.shape[1]))


def _num_bins(run: Run, axes: dict[str, Any], cells: int) -> int:
    if not axes["names"] or None in (*axes["low"], *axes["high"]):
        raise RunError(f"{run.path}: only tasks whose axes have bounds can be put into bins.")
    num_axes = len(axes["names"])
    if not is_integer(cells, 1) or cells**num_axes > MOST_BINS:
        raise RunError(
            f"cells must be a positive integer that makes at most {MOST_BINS:,} bins, got"
            f" {cells!r} on {num_axes} axes."
        )
    return cells**num_axes


def _bins(table: pl.DataFrame, axes: dict[str, Any], cells: int) -> np.ndarray:
    tasks = table.select(axes["names"]).to_numpy()
    return bin_of(tasks, np.array(axes["low"]), np.array(axes["high"]), cells)


def _sums(
    table: pl.DataFrame,
    bins: np.ndarray,
    num_bins: int,
    meta: dict[str, Any],
    values: np.ndarray | None = None,
) -> np.ndarray:
    """The sum of `values`, by default the number of rows, [seeds, evaluations, bins]."""
    shape = (meta["num_seeds"], meta["evaluations_done"], num_bins)
    seed = table["seed"].to_numpy() - meta["first_seed"]
    places = np.ravel_multi_index((seed, table["evaluation"].to_numpy(), bins), shape)
    return np.bincount(places, values, minlength=np.prod(shape)).reshape(shape)
