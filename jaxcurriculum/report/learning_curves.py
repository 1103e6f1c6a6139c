"""The figures that compare conditions: learning curves, and what rliable draws."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from jaxcurriculum.report.conditions import Condition, plain
from jaxcurriculum.report.results import Row, place_of
from jaxcurriculum.report.statistics import (
    bootstrap_interval,
    interquartile_mean,
    performance_profile,
)
from jaxcurriculum.report.style import BLUE, COLOURS, LINES

MOST_DRAWN = 12  # colours and lines tell so many apart
NUM_THRESHOLDS = 101  # of a profile


def learning_curves(conditions: Sequence[Condition]) -> Figure:
    """% of the test tasks mastered over training: the interquartile mean over seeds and its 95 %
    interval.
    """
    figure, ax, columns = _canvas(conditions)
    for condition, style in _styled(conditions):
        curve = curve_of(condition.mastered)
        _draw_band(ax, condition.steps, *curve, style, _label(condition))
    unit = conditions[0].records[0].meta["step_unit"]
    ax.set(xlabel=f"{unit} a seed", ylabel="test tasks mastered (%)", xlim=(0, None))
    ax.set_ylim(0, None)
    ax.set_title("interquartile mean over seeds, with its 95 % bootstrap interval")
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=" "))
    figure.legend(frameon=False, loc="outside lower center", ncols=columns)
    return figure


def curve_of(values: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The interquartile mean of `values` [evaluations, seeds] and its interval, [evaluations]."""
    return interquartile_mean(values), *bootstrap_interval(values, statistic=interquartile_mean)


def profiles(conditions: Sequence[Condition], steps: int) -> Figure:
    """The share of (seed, test task) pairs whose return after `steps` is above each threshold."""
    figure, ax, columns = _canvas(conditions)
    thresholds = profile_thresholds(conditions, steps)
    for condition, style in _styled(conditions):
        share, low, high = profile_of(condition, steps, thresholds)
        _draw_band(ax, thresholds, share, low, high, style, _label(condition))
    ax.set(xlabel="return τ", ylabel="share of test episodes above τ", ylim=(0, 1.01))
    ax.set_title(f"performance profile after {steps:,} steps, with its 95 % bootstrap interval")
    figure.legend(frameon=False, loc="outside lower center", ncols=columns)
    return figure


def profile_thresholds(conditions: Sequence[Condition], steps: int) -> np.ndarray:
    """Evenly over the returns of all."""
    every = np.concatenate([final_returns(one, steps).ravel() for one in conditions])
    known = every[np.isfinite(every)]
    low, high = (known.min(), known.max()) if known.size else (0.0, 0.0)
    margin = 0.02 * (high - low) or 1.0
    return np.linspace(low - margin, high + margin, NUM_THRESHOLDS)


def profile_of(
    condition: Condition, steps: int, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The profile and its interval, [thresholds]; seeds are drawn again whole, with all their
    tasks.
    """
    by_seed = performance_profile(final_returns(condition, steps), thresholds)
    return by_seed.mean(1), *bootstrap_interval(by_seed)


def final_returns(condition: Condition, steps: int) -> np.ndarray:
    """The return on each test task after `steps`, or where it was last evaluated before, [seeds,
    tasks].
    """
    return condition.joined("returns")[:, place_of(condition, steps)]


def improvements(rows: Sequence[Row]) -> Figure:
    """How likely a seed of each condition masters more than one of the first."""
    shown = [row for row in rows[1:] if not np.isnan(row.improvement)][:MOST_DRAWN]
    figure = Figure(figsize=(8, 1.3 + 0.35 * max(1, len(shown))), layout="constrained")
    ax = figure.subplots()
    for place, row in enumerate(shown):
        ax.plot(row.improvement, place, "o", color=BLUE)
        ax.plot([row.improvement_low, row.improvement_high], [place, place], color=BLUE)
    ax.axvline(0.5, color="0.5", linewidth=0.8, zorder=0)
    ax.set_yticks(range(len(shown)), [plain(row.condition) for row in shown])
    ax.set(xlim=(-0.02, 1.02), ylim=(len(shown) - 0.4, -0.6))
    ax.set_xlabel(f"probability of improvement over {plain(rows[0].condition)}")
    return figure


def best_of(conditions: Sequence[Condition], rows: Sequence[Row]) -> list[Condition]:
    """The first condition and the best others, at most `MOST_DRAWN`, in their order."""
    others = sorted(range(1, len(rows)), key=lambda place: -rows[place].mastered_iqm)
    return [conditions[place] for place in sorted([0, *others[: MOST_DRAWN - 1]])]


def _canvas(conditions: Sequence[Condition]) -> tuple[Figure, Axes, int]:
    """An empty figure with room for the legend below, and the columns of that."""
    longest = max(len(_label(condition)) for condition in conditions)
    columns = max(1, 95 // (longest + 8))  # some 95 characters fit beside one another
    height = 4.5 + 0.25 * -(-len(conditions) // columns)
    figure = Figure(figsize=(8, height), layout="constrained")
    ax = figure.subplots()
    ax.grid(alpha=0.25)
    return figure, ax, columns


def _styled(conditions: Sequence[Condition]):
    styles = zip(itertools.cycle(COLOURS), itertools.cycle(LINES))
    return zip(conditions, styles)


def _label(condition: Condition) -> str:
    num = condition.num_seeds
    return f"{plain(condition.name)} ({num:,} seed{'s' if num > 1 else ''})"


def _draw_band(ax: Axes, x, middle, low, high, style: tuple[str, str], label: str) -> None:
    colour, line = style
    marker = "o" if len(x) == 1 else None
    ax.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    ax.plot(x, middle, line, color=colour, linewidth=2, marker=marker, label=label)
