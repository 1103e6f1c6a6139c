"""Tests that every policy of a study plays once, after training: kept in one file, and drawn."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable, Mapping
from typing import Any

import jax
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes

from jaxcurriculum import Student, tree
from jaxcurriculum.report.statistics import bootstrap_interval
from jaxcurriculum.runs import Run
from jaxcurriculum.runs.host import restore
from jaxcurriculum.runs.rebuilding import rebuilt

Results = dict[str, Any]
Play = Callable[[jax.Array, Any], Any]  # of a key and a student's state
SMOOTHED = 4  # evaluations in a point of a curve


def collect(
    runs: Mapping[str, Run], path: pathlib.Path, player: Callable[[Student], Play]
) -> dict[str, Results]:
    """Play the tests with every run of `runs` that has finished and is not in the file `path` as it
    is now; the file is written after each.

    Raises:
      SystemExit: when no run has finished.
    """
    results = json.loads(path.read_text()) if path.exists() else {}
    for name, run in runs.items():
        if not run.exists:
            continue
        cost = _cost(run)
        if results.get(name, {}).get("mastered") == cost["mastered"]:
            continue
        results[name] = cost | {"tests": _tested(run, player)}
        print(f"{name}: {np.mean(results[name]['mastered'][-1]):.1f} % of the tasks", flush=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(results) + "\n")
        new.replace(path)
    if not results:
        raise SystemExit("No run has finished: start the study, or go on with it.")
    return {name: results[name] for name in runs if name in results}


def _tested(run: Run, player: Callable[[Student], Play]) -> list[Any]:
    """What each seed's policy comes to."""
    experiment = rebuilt(run)
    play = player(experiment.loop.student)
    states = restore(experiment, run).student
    seeds = range(run.meta["num_seeds"])
    found = [play(jax.random.key(0), tree.take(states, seed)) for seed in seeds]
    return [jax.tree.map(lambda leaf: np.asarray(leaf).round(4).tolist(), one) for one in found]


def _cost(run: Run) -> Results:
    """Its curve, [evaluations, seeds], and what it took."""
    steps, mastered = run.mastered()
    return {
        "steps": steps.tolist(),
        "mastered": mastered.round(1).tolist(),
        "probe_steps": run.reports()["counters.probe_steps"].tolist(),
        "seconds": round(run.meta["wall_seconds"]),
        "revision": run.meta["git_revision"],
    }


def total_steps(row: Results) -> np.ndarray:
    """Steps of training and of probes at every evaluation, mean over seeds, [evaluations]."""
    return np.array(row["steps"]) + np.array(row["probe_steps"]).mean(1)


def draw_curves(ax: Axes, results: dict[str, Results], methods: Mapping[str, Any]) -> None:
    """% of the tasks of the evaluations over all steps, a moving average of `SMOOTHED` evaluations:
    mean of seeds, with its 95 % interval.
    """
    for name, row in results.items():
        title, colour = methods[name]
        window = np.ones(SMOOTHED) / SMOOTHED
        each = np.array(row["mastered"]).T
        smooth = np.array([np.convolve(seed, window, mode="valid") for seed in each])
        steps = total_steps(row)[SMOOTHED - 1 :]
        low, high = bootstrap_interval(smooth.T)
        ax.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(steps, smooth.mean(0), color=colour, linewidth=2, label=title)
    ax.set(xlabel="environment steps, those of probes too", xlim=(0, None), ylim=(0, None))
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))
    ax.grid(alpha=0.25)


def draw_scores(
    ax: Axes,
    scores: Mapping[str, np.ndarray],
    methods: Mapping[str, Any],
    published: Mapping[str, Any],
    middle: Callable[..., np.ndarray] = np.mean,
) -> None:
    """% solved of each test, [seeds, tests] of each method: a bar as high as the `middle` of the
    seeds (of an array and `axis`) and a dot a seed; published ones as black lines.
    """
    width = 0.8 / len(scores)
    for index, (name, solved) in enumerate(scores.items()):
        title, colour = methods[name]
        place = np.arange(solved.shape[1]) + (index + 0.5) * width - 0.4
        ax.bar(place, middle(solved, axis=0), width * 0.9, color=colour, alpha=0.6, label=title)
        ax.scatter(np.tile(place, len(solved)), solved.ravel(), color=colour, s=8, zorder=3)
        if name in published:
            ax.scatter(place, published[name], marker="_", s=90, color="black", zorder=4)
    ax.set(ylabel="solved (%)", ylim=(0, 103))
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
