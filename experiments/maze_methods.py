"""The study of environment design on mazes: its runs tested, tabulated and drawn.

    jaxcurriculum study experiments/maze_methods.toml --folder studies/maze_methods
    jaxcurriculum study experiments/maze_latents.toml --folder studies/maze_latents
    python experiments/maze_methods.py [--studies studies/maze_methods studies/maze_latents]
                                       [--folder experiments/results]

Plays all held-out mazes and 10,000 random ones with every policy that has finished, writes
maze_methods.json and maze_methods.png, and the tables into the page maze_methods.md beside this
program. A method that stands in the file as it is now, or whose study is not there, is not tested
again.
"""

from __future__ import annotations

import argparse
import functools
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from pages import refresh
from policies_tested import SMOOTHED, Play, Results, collect, draw_curves, draw_scores

import jaxcurriculum.envs as envs
from jaxcurriculum import Student, use_cores
from jaxcurriculum.report.statistics import (
    bootstrap_interval,
    interquartile_mean,
    permutation_p_value,
)
from jaxcurriculum.report.style import STYLE
from jaxcurriculum.runs import Run

NUM_HELD_OUT = 100  # attempts at each held-out maze; those made by rule are drawn for each
NUM_RANDOM = 10_000  # mazes of 60 walls with a way
NUM_ATTEMPTS = 5  # at each of those, twice: to rank them, and to score the worst
WORST = (0.1, 0.01)
METHODS = {
    "random": ("random (DR)", "0.45"),
    "plr": ("PLR", "#56B4E9"),
    "robust-plr_score=max_mc": ("robust PLR", "#0072B2"),
    "robust-plr_score=true_regret": ("true regret", "#332288"),
    "accel": ("ACCEL", "#E69F00"),
    "learnability": ("learnability (SFL)", "#009E73"),
    "paired": ("PAIRED", "#CC79A7"),
    "flexible-paired": ("flexible PAIRED", "#882255"),
    "clutr_decoder=cells-13": ("CLUTR, set-wise", "#D55E00"),
    "clutr_decoder=sequences-13": ("CLUTR, sequences", "#661100"),
}
BUILDERS = [name for name in METHODS if name.startswith(("paired", "flexible", "clutr"))]
REPLAYS = [name for name in METHODS if name not in ("random", *BUILDERS)]
PUBLISHED = {  # % solved of the twelve, from minimax (30,000 updates, LSTM, 10 seeds)
    "random": 55,
    "robust-plr_score=max_mc": 82,
    "accel": 83,
    "paired": 63,
}
TESTS = {"8 held-out": envs.EIGHT, "12 held-out": envs.TWELVE}
COLUMNS = (*TESTS, "random mazes", *(f"worst {100 * share:g} %" for share in WORST))
PAGE = pathlib.Path(__file__).with_suffix(".md")
PICTURE = (
    "![Above: % of the held-out mazes solved over training, as a moving average of"
    f" {SMOOTHED} evaluations, left replay and editing, right building, random levels in both;"
    " below: % solved at the end of 8 and 12 held-out mazes and of random ones, bars the"
    " interquartile means, every seed a dot, published scores as black lines]"
    "(results/maze_methods.png)\n\n"
)


def player(student: Student) -> Play:
    """% solved by a student's state: of each held-out maze, of random ones, and of its worst. Of
    two students the first is tested, PAIRED's protagonist.
    """
    names = envs.held_out_names()
    held_out = jax.tree.map(jnp.asarray, envs.held_out_mazes(names, NUM_HELD_OUT))
    random = envs.solvable_mazes(envs.Mazes(num_walls=60), NUM_RANDOM)

    @functools.partial(jax.jit, static_argnums=3)
    def solved(key: jax.Array, state: Any, mazes: envs.Maze, num_attempts: int) -> jax.Array:
        num = len(mazes.direction)
        seeds = jnp.zeros(num, jnp.uint32)
        episodes = student.evaluate(key, state, mazes, seeds, num_attempts, False)
        each = episodes.solved.reshape(num, student.num_learners, num_attempts)
        return 100 * each[:, 0].mean(1)

    def play(key: jax.Array, state: Any) -> dict[str, jax.Array]:
        key_held_out, key_ranking, key_scoring = jax.random.split(key, 3)
        ranking = solved(key_ranking, state, random, NUM_ATTEMPTS)
        scoring = solved(key_scoring, state, random, NUM_ATTEMPTS)
        each = solved(key_held_out, state, held_out, 1).reshape(len(names), -1).mean(1)
        found = dict(zip(names, each)) | {"random mazes": scoring.mean()}
        return found | worst(ranking, scoring)

    return play


def worst(ranking: jax.Array, scoring: jax.Array) -> dict[str, jax.Array]:
    """The mean of `scoring` over those shares of the mazes that are lowest in `ranking` (CVaR).

    Ranked and scored by different attempts, it is no lower for chance alone.

    >>> scores = jnp.arange(1000.0)
    >>> [float(mean) for mean in worst(-scores, scores).values()]
    [949.5, 994.5]
    """
    order = scoring[jnp.argsort(ranking)]
    return {
        f"worst {100 * share:g} %": order[: round(len(order) * share)].mean() for share in WORST
    }


def scores_of(row: Results) -> np.ndarray:
    """% solved by each seed, [seeds, columns]."""

    def of_seed(seed: dict[str, float]) -> list[Any]:
        means = [np.mean([seed[name] for name in names]) for names in TESTS.values()]
        return means + [seed[name] for name in COLUMNS[len(TESTS) :]]

    return np.array([of_seed(seed) for seed in row["tests"]])


def table(results: dict[str, Results]) -> str:
    """Interquartile means over seeds with their intervals, then costs, as Markdown."""
    lines = ["| method | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    scores = {name: scores_of(row) for name, row in results.items()}
    for name, each in scores.items():
        low, high = bootstrap_interval(each.T, statistic=interquartile_mean)
        means = interquartile_mean(each, axis=0)
        cells = [f"{mean:.1f} ({a:.0f} to {b:.0f})" for mean, a, b in zip(means, low, high)]
        lines.append(f"| {METHODS[name][0]} | {' | '.join(cells)} |")
    lines += [
        "",
        "| method | 12 held-out, each seed | p against random | published | million steps of"
        " students | of probes | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        twelve = scores[name][:, 1]
        p_value = ""
        if name != "random" and "random" in scores:
            p_value = f"{float(permutation_p_value(scores['random'][:, 1], twelve)):.2g}"
        probes = np.array(row["probe_steps"])[-1].mean() / 1e6
        each = ", ".join(f"{score:.0f}" for score in twelve)
        lines.append(
            f"| {METHODS[name][0]} | {each} | {p_value} | {PUBLISHED.get(name, '')} |"
            f" {row['steps'][-1] / 1e6:.1f} | {probes:.1f} | {row['seconds'] / 60:.0f} |"
        )
    return "\n".join(lines) + "\n"


def figure(results: dict[str, Results]) -> Figure:
    """Above: held-out mazes solved over training, by replay and editing, and by building; below:
    every test at the end.
    """
    drawn = Figure(figsize=(12, 8), layout="constrained")
    axes = drawn.subplot_mosaic([["replay and editing", "building"], ["tests", "tests"]])
    tests = axes.pop("tests")
    for (title, ax), left_out in zip(axes.items(), (BUILDERS, REPLAYS)):
        draw_curves(ax, {name: results[name] for name in results if name not in left_out}, METHODS)
        ax.set(title=title, ylabel="of all held-out mazes solved (%)")
        ax.legend(frameon=False, loc="lower right", fontsize=9)
    for ax in axes.values():
        ax.set_ylim(0, max(each.get_ylim()[1] for each in axes.values()))
    published = {name: [np.nan, score, *[np.nan] * 3] for name, score in PUBLISHED.items()}
    scores = {name: scores_of(row) for name, row in results.items()}
    draw_scores(tests, scores, METHODS, published, interquartile_mean)
    tests.set_xticks(range(len(COLUMNS)), [name.replace(" ", "\n", 1) for name in COLUMNS])
    return drawn


def run_of(method: str, studies: Sequence[pathlib.Path]) -> Run:
    """The run of a method, in the first of `studies` that has one."""
    paths = [study / "runs" / f"maze_ppo-gru_{method}" for study in studies]
    return Run(next((path for path in paths if path.exists()), paths[0]))


def main() -> None:
    """Test what has finished, then draw and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    both = [pathlib.Path("studies/maze_methods"), pathlib.Path("studies/maze_latents")]
    parser.add_argument("--studies", nargs="+", type=pathlib.Path, default=both)
    parser.add_argument("--folder", type=pathlib.Path, default="experiments/results")
    options = parser.parse_args()
    use_cores(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    runs = {name: run_of(name, options.studies) for name in METHODS}
    results = collect(runs, options.folder / "maze_methods.json", player)
    refresh(PAGE, "maze_methods.py", PICTURE + table(results))
    with matplotlib.rc_context(STYLE):
        figure(results).savefig(options.folder / "maze_methods.png", dpi=110)


if __name__ == "__main__":
    main()
