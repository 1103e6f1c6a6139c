"""The curriculum of one seed as a page plays it: tasks, returns and the teacher's picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl

from jaxcurriculum.report.beliefs import Belief, belief_of
from jaxcurriculum.report.choices import choice_names
from jaxcurriculum.report.curriculum import learning_progress
from jaxcurriculum.report.packing import evenly, packed
from jaxcurriculum.report.reading import Record
from jaxcurriculum.runs.store import read_report

MOST_EPISODES = 3000  # of a film
MOST_LAYOUTS = 360
MOST_EVALUATIONS = 60


def film_of(record: Record, place: int) -> dict[str, Any]:
    """The film of the seed at `place` among those of a run, whose episodes are thinned evenly.

    Raises:
      RunError: when a table of episodes is missing or damaged.
    """
    meta, seed = record.meta, record.seeds[place]
    episodes = record.run.episodes().filter(pl.col("seed") == seed)
    steps = (episodes["round"].to_numpy() + 1) * meta["steps_per_round"]
    returns = episodes["return"].to_numpy().astype(np.float64)
    names = meta["axes"]["names"]
    tasks = episodes.select(names).to_numpy().astype(np.float64)
    shown = evenly(len(episodes), MOST_EPISODES)
    film = {
        "seed": seed,
        "total": int(record.steps[-1]),
        "steps": packed(steps[shown], 0.0, float(record.steps[-1])),
        "tasks": [packed(column) for column in tasks[shown].T],
        "returns": packed(returns[shown]),
        "progress": packed(learning_progress(tasks, returns, shown)),
    }
    if "layout" in episodes.columns:
        walls = evenly(len(episodes), MOST_LAYOUTS)
        film["layouts"] = {
            "steps": packed(steps[walls], 0.0, float(record.steps[-1])),
            "returns": packed(returns[walls]),
            "texts": episodes["layout"].gather(walls).to_list(),
        }
    return film


def belief_film(record: Record, place: int) -> dict[str, Any] | None:
    """What the teacher of a seed reports, at some evaluations; None where that gives no picture.

    Raises:
      RunError: when one of its files is missing or damaged.
    """
    shown = evenly(len(record.steps), MOST_EVALUATIONS)
    files = [read_report(path) for path in map(record.report_path, shown)]
    reports = {name: np.stack([file[name] for file in files]) for name in files[0]}
    belief = belief_of(reports, place, record.meta["axes"])
    if belief is None:
        return None
    return {
        "kind": belief.kind,
        "legend": belief.legend,
        "steps": record.steps[shown].tolist(),
        "strength": packed(belief.strength, 0.0),
        "shapes": {name: packed(values) for name, values in unit_shapes(belief, record).items()},
        **(bars_content(belief, record, place, reports) if belief.kind == "bars" else {}),
    }


def bars_content(
    belief: Belief, record: Record, place: int, reports: dict[str, np.ndarray]
) -> dict[str, Any]:
    """What bars are called."""
    if belief.arms is None:
        return {"across": "levels that the teacher holds", "choices": None}
    own = reports.get("teacher.probabilities")
    names = choice_names(record, place, belief.arms, 0 if own is None else own.shape[-1])
    is_cut = len(belief.arms) <= belief.arms[-1]
    across = f"the {len(names)} likeliest choices, in their order" if is_cut else "choice"
    return {"across": across, "choices": names}


def unit_shapes(belief: Belief, record: Record) -> dict[str, np.ndarray]:
    """The shapes in fractions of the axes; Gaussians by deviations and correlations, which keep
    their digits when packed.
    """
    low, high = (np.array(record.meta["axes"][bound], np.float64) for bound in ("low", "high"))
    width = np.where(high > low, high - low, 1.0)
    shapes = {
        name: (values - low) / width
        for name, values in belief.shapes.items()
        if name != "covariance"
    }
    if belief.kind == "gaussians":
        covariance = belief.shapes["covariance"]
        deviation = np.sqrt(np.maximum(np.diagonal(covariance, axis1=-2, axis2=-1), 0))
        both = deviation[..., :, None] * deviation[..., None, :]
        shapes["deviation"] = deviation / width
        shapes["correlation"] = covariance / np.where(both > 0, both, 1.0)
    return shapes
