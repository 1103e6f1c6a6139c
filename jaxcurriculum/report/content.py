"""All that the page of a report shows, as one JSON object."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib import colormaps, colors

from jaxcurriculum.report.conditions import Condition, world
from jaxcurriculum.report.curriculum_film import MOST_EVALUATIONS
from jaxcurriculum.report.learning_curves import (
    best_of,
    curve_of,
    profile_of,
    profile_thresholds,
)
from jaxcurriculum.report.packing import evenly, packed
from jaxcurriculum.report.results import Row
from jaxcurriculum.report.style import COLOURS, LINES, ORANGE

MOST_POINTS = 200  # of a learning curve
MOST_SEEDS = 32  # curves of single seeds, of one condition
DASHES = {"-": [], "--": [7, 4], "-.": [7, 3, 2, 3], ":": [2, 3]}  # pixels


def content(
    title: str,
    conditions: Sequence[Condition],
    rows: Sequence[Row],
    films: Sequence[dict[str, Any]],
    walks: Sequence[dict[str, str]],
) -> dict[str, Any]:
    """What `page.html` and its scripts read; `rows` are the results of `conditions`."""
    first, steps = conditions[0].records[0], max(row.steps for row in rows)
    thresholds = profile_thresholds(conditions, steps)
    styles = itertools.cycle(zip(itertools.cycle(COLOURS), itertools.cycle(LINES)))
    best = best_of(conditions, rows)
    shown = [
        condition_content(condition, steps, thresholds, style, condition in best)
        for condition, style in zip(conditions, styles)
    ]
    return {
        "title": title,
        "world": world(first),
        "unit": first.meta["step_unit"],
        "axes": first.meta["axes"],
        "steps": steps,
        "tests": [packed(first.test_tasks[name]) for name in first.meta["axes"]["names"]],
        "testLayouts": first.test_tasks.to_dict(as_series=False).get("layout"),
        "conditions": shown,
        "thresholds": packed(thresholds),
        "improvements": packed(
            [[row.improvement, row.improvement_low, row.improvement_high] for row in rows], 0, 1
        ),
        "films": list(films),
        "opening": opening(films, rows),
        "walks": list(walks),
        "colours": {name: hexes(name) for name in ("viridis", "cividis")} | {"belief": ORANGE},
    }


def opening(films: Sequence[dict[str, Any]], rows: Sequence[Row]) -> int | None:
    """The condition whose film says most at first: of those whose teacher has a picture of its own,
    else of all, the one that masters most.
    """

    def merit(film: dict[str, Any]) -> tuple[bool, float]:
        return film["belief"] is not None, rows[film["condition"]].mastered_iqm

    return max(films, key=merit)["condition"] if films else None


def condition_content(
    condition: Condition,
    steps: int,
    thresholds: np.ndarray,
    style: tuple[str, str],
    is_shown: bool,
) -> dict[str, Any]:
    """One condition: its curves, its profile and what it masters."""
    colour, line = style
    places = evenly(len(condition.steps), MOST_POINTS)
    tested = evenly(len(condition.steps), MOST_EVALUATIONS)
    solved = condition.joined("solved")[:, tested].mean(0)
    return {
        "name": condition.name,
        "seeds": condition.num_seeds,
        "colour": colour,
        "dash": DASHES[line],
        "shown": is_shown,
        "steps": condition.steps[places].tolist(),
        "mastered": curve_content(condition.mastered[places]),
        "returns": curve_content(condition.returns[places]),
        "profile": packed(np.stack(profile_of(condition, steps, thresholds)), 0, 1),
        "tested": condition.steps[tested].tolist(),
        "solved": packed(solved, 0, 1),
    }


def curve_content(values: np.ndarray) -> dict[str, Any]:
    """The interquartile mean and its interval, [3, evaluations], and single seeds, [seeds,
    evaluations], of `values` [evaluations, seeds].
    """
    return {"band": packed(np.stack(curve_of(values))), "seeds": packed(values[:, :MOST_SEEDS].T)}


def hexes(name: str) -> list[str]:
    """A colour map of matplotlib in 32 steps."""
    return [colors.to_hex(colour) for colour in colormaps[name](np.linspace(0, 1, 32))]
