"""Which teachers of the toy study scale to more axes, and to axes that do not matter.

    python experiments/toy_scaling.py [--folder experiments/results]

Reads toy_study.json; writes toy_scaling.png and toy_scaling.md.
"""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from scipy.stats import rankdata
from toy_study import read

from jaxcurriculum.report.statistics import bootstrap_interval
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE

DIMENSIONS = {2: "2-D-10", 3: "3-D-6", 4: "4-D-4", 5: "5-D-3"}
PLAIN, IRRELEVANT = "2-D-10", "2-D-10-irrelevant-3"
LEAST = 10.0  # % of cells mastered in two dimensions, of which a share is told
GREEN, PINK = "#009E73", "#CC79A7"
OFFSETS = {  # of labels [points] that would lie on each other
    "robust-plr": (5, -3),
    "accel": (5, -5),
    "setter-solver": (-48, 3),
    "ucb-advantage": (-10, 5),
    "alp-gmm": (-15, 5),
    "plr": (-8, 5),
    "riac": (4, -6),
}
FAMILIES = {
    "mixtures": (BLUE, ("covar-gmm", "alp-gmm")),
    "regions and boxes": (ORANGE, ("riac", "adr")),
    "level replay": (GREEN, ("plr", "robust-plr", "accel")),
    "bandits over cells": (PINK, ("tscl", "exp3", "ucb-advantage")),
    "others": ("0.45", ("setter-solver", "oracle", "random")),
}


def finals(results: dict[str, Any], grid: str) -> dict[str, np.ndarray]:
    """% of cells mastered at the end, [seeds], of every teacher."""
    return {name: np.array(row["final"]) for name, row in results["grids"][grid].items()}


def ranks(scores: dict[str, np.ndarray]) -> dict[str, int]:
    """Place of every teacher by its mean; 1 is the best.

    >>> ranks({"a": np.array([1.0]), "b": np.array([3.0])})
    {'a': 2, 'b': 1}
    """
    places = rankdata([-score.mean() for score in scores.values()], method="min")
    return {name: int(place) for name, place in zip(scores, places)}


def _share(kept: np.ndarray, plain: np.ndarray, axis: int = -1) -> np.ndarray:
    return kept.mean(axis=axis) / plain.mean(axis=axis)


def share(kept: np.ndarray, plain: np.ndarray) -> str:
    """The mean of `kept` as a share of the mean of `plain`, with a bootstrap interval."""
    low, high = bootstrap_interval(kept, plain, statistic=_share)
    return f"{_share(kept, plain):.2f} ({low:.2f} to {high:.2f})"


def table(results: dict[str, Any]) -> str:
    """Places by number of axes, and what is kept of the score in two, as Markdown."""
    scores = {grid: finals(results, grid) for grid in (*DIMENSIONS.values(), IRRELEVANT)}
    places = {grid: ranks(each) for grid, each in scores.items()}
    plain = scores[PLAIN]
    lines = [
        "| teacher | place in 2-D | 3-D | 4-D | 5-D | with irrelevant axes | kept in 5-D |"
        " kept with irrelevant axes |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in sorted(plain, key=lambda name: places[DIMENSIONS[5]][name]):
        if plain[name].mean() < LEAST:
            continue
        each = " | ".join(str(places[grid][name]) for grid in scores)
        kept = [share(scores[grid][name], plain[name]) for grid in (DIMENSIONS[5], IRRELEVANT)]
        lines.append(f"| {name} | {each} | {' | '.join(kept)} |")
    return "\n".join(lines) + "\n"


def _by_dimension(ax: Axes, results: dict[str, Any], family: str) -> None:
    colour, names = FAMILIES[family]
    for name, marker in zip(names, "osD"):
        scores = [finals(results, grid)[name] for grid in DIMENSIONS.values()]
        means = np.array([each.mean() for each in scores])
        ends = np.array([bootstrap_interval(each) for each in scores]).T
        errors = np.abs(ends - means)
        ax.errorbar(
            list(DIMENSIONS), means, errors, color=colour, marker=marker, markersize=5, label=name
        )
    ax.set(title=family, xticks=list(DIMENSIONS), xlabel="axes", ylim=(0, 105))
    ax.legend(frameon=False, fontsize=8, loc="upper center")
    ax.grid(alpha=0.25)


def _with_irrelevant_axes(ax: Axes, results: dict[str, Any]) -> None:
    plain, kept = finals(results, PLAIN), finals(results, IRRELEVANT)
    ax.plot([0, 105], [0, 105], color="0.8", linewidth=1)
    for colour, names in FAMILIES.values():
        for name in names:
            place = (plain[name].mean(), kept[name].mean())
            ax.scatter(*place, color=colour, s=18)
            shift = OFFSETS.get(name, (4, 3))
            ax.annotate(name, place, shift, textcoords="offset points", fontsize=7)
    ax.set(xlim=(0, 112), ylim=(0, 80), xlabel="cells mastered without (%)")
    ax.set(ylabel="with them (%)", title="3 irrelevant axes")


def figure(results: dict[str, Any]) -> Figure:
    """A panel a family: % mastered against the number of axes; the last: irrelevant ones."""
    drawn = Figure(figsize=(11.5, 6.4), layout="constrained")
    axes = drawn.subplots(2, 3).ravel()
    for ax, family in zip(axes, FAMILIES):
        _by_dimension(ax, results, family)
    for ax in axes[[0, 3]]:
        ax.set_ylabel("cells mastered (%)")
    _with_irrelevant_axes(axes[-1], results)
    return drawn


def main() -> None:
    """Read the study, then draw and write what it says of scaling."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("experiments/results"))
    folder = parser.parse_args().folder
    path = folder / "toy_study.json"
    if not path.exists():
        parser.error(f"{path} does not exist: run toy_study.py with this --folder first.")
    results = read(path)
    (folder / "toy_scaling.md").write_text(table(results))
    with matplotlib.rc_context(STYLE):
        figure(results).savefig(folder / "toy_scaling.png", dpi=110)


if __name__ == "__main__":
    main()
