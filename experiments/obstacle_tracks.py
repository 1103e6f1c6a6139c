"""The study of level replay on obstacle tracks: its runs tested, tabulated and drawn.

    jaxcurriculum study experiments/obstacle_tracks.toml --folder studies/obstacle_tracks
    python experiments/obstacle_tracks.py [--study studies/obstacle_tracks]
                                          [--folder experiments/results]

Plays the published test set with every policy that has finished, writes obstacle_tracks.json and
obstacle_tracks.png, and the tables into the page obstacle_tracks.md beside this program. A teacher
that stands in the file is not tested again.
"""

from __future__ import annotations

import argparse
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from pages import refresh
from policies_tested import SMOOTHED, Play, Results, collect, draw_curves, draw_scores, total_steps

import jaxcurriculum.envs as envs
from jaxcurriculum import Student, use_cores
from jaxcurriculum.report.statistics import bootstrap_interval, permutation_p_value
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE
from jaxcurriculum.rollout.evaluate import attempt
from jaxcurriculum.runs import Run

NUM_LEVELS = 100  # of each test
HARDCORE = "Hardcore"
ON_TRACKS = ("Walker-v3", "Stairs", "PitGap", "Stump", "Rough")  # rows of the test set of 2022
TESTS = ("Walker-v3", HARDCORE, *ON_TRACKS[1:])
PUBLISHED = {  # % solved after 20,000 updates, mean of 10 seeds, from the authors' result files
    "random": (83.6, 1.4, 0.7, 0.2, 0.0, 3.3),
    "robust-plr": (99.2, 15.8, 4.5, 4.0, 0.6, 24.4),
    "accel": (99.8, 62.9, 20.6, 31.0, 49.1, 76.4),
}
TEACHERS = {
    "random": ("random (DR)", "0.55"),
    "plr": ("PLR", "#56B4E9"),
    "robust-plr": ("robust PLR", BLUE),
    "accel": ("ACCEL", ORANGE),
    "learnability": ("learnability (SFL)", "#009E73"),
    "paired": ("PAIRED", "#CC79A7"),
    "flexible-paired": ("flexible PAIRED", "#882255"),
}
PAGE = pathlib.Path(__file__).with_suffix(".md")
PICTURE = (
    "![% of eleven tasks solved over training, probes counted, as a moving average of"
    f" {SMOOTHED} evaluations; % of 100 levels of each test solved at the end, bars the means,"
    " every seed a dot, published scores as black lines]"
    "(results/obstacle_tracks.png)\n\n"
)


def player(student: Student) -> Play:
    """The mean return of a student's state on every test, and % solved, [tests] each. Of two
    students the first is tested, PAIRED's protagonist.
    """
    env = envs.bipedal_walker(hardcore=True)
    rows = np.repeat(envs.obstacle_tasks_2022()[: len(ON_TRACKS)], NUM_LEVELS, axis=0)
    seeds = jnp.arange(NUM_LEVELS, dtype=jnp.uint32)
    act, memory = student.act, student.memory
    assert act is not None and memory is not None

    def play(key: jax.Array, state: Any) -> dict[str, jax.Array]:
        def policy(key, memory, obs, first):
            return *act(key, state, memory, obs, first, True), ()

        key_tracks, key_hardcore = jax.random.split(key)
        tracks = student.evaluate(
            key_tracks, state, jnp.asarray(rows), jnp.tile(seeds, len(ON_TRACKS)), 1, True
        )
        tasks = jnp.ones((NUM_LEVELS, 1))  # of roughness 1
        hard = attempt(key_hardcore, env, policy, memory(NUM_LEVELS), tasks, seeds, 1)

        def joined(on_tracks: jax.Array, on_hardcore: jax.Array) -> jax.Array:
            of_first = on_tracks.reshape(-1, student.num_learners)[:, 0]
            each = of_first.reshape(len(ON_TRACKS), NUM_LEVELS)
            return jnp.concatenate([each[:1], on_hardcore[None], each[1:]]).mean(1)

        return {
            "return": joined(tracks.returns, hard.returns),
            "solved": 100 * joined(tracks.solved, hard.solved),
        }

    return jax.jit(play)


def each_test(row: Results, what: str) -> np.ndarray:
    """What each seed came to on each test, [seeds, tests]."""
    return np.array([seed[what] for seed in row["tests"]])


def at_equal_steps(row: Results) -> np.ndarray:
    """% of the eleven tasks solved by each seed, when training and probes together have taken as
    many steps as training alone in the end; mean of the latest evaluations.
    """
    last = int(np.searchsorted(total_steps(row), row["steps"][-1], side="right"))
    return np.array(row["mastered"])[max(0, last - SMOOTHED) : last].mean(0)


def table(results: dict[str, Results]) -> str:
    """% solved on every test, mean ± sd over seeds; then costs and equal steps; as Markdown."""
    lines = ["| teacher | " + " | ".join(TESTS) + " | mean of six |", "|---|" + "---|" * 7]
    scores = {name: each_test(row, "solved") for name, row in results.items()}
    means = {name: solved.mean(1) for name, solved in scores.items()}
    for name in results:
        solved = np.column_stack([scores[name], means[name]])
        each = [f"{one.mean():.1f} ± {one.std(ddof=1):.1f}" for one in solved.T]
        lines.append(f"| {TEACHERS[name][0]} | {' | '.join(each)} |")
        if name in PUBLISHED:
            told = [*PUBLISHED[name], np.mean(PUBLISHED[name])]
            lines.append("| published | " + " | ".join(f"*{one:.1f}*" for one in told) + " |")
    lines += [
        "",
        "| teacher | mean of six, 95 % interval | p against random | return on Hardcore | probe"
        " steps, millions | eleven tasks at equal steps, % | minutes |",
        "|---|---|---|---|---|---|---|",
    ]
    for name, row in results.items():
        low, high = bootstrap_interval(means[name])
        p_value = ""
        if name != "random" and "random" in means:
            p_value = f"{float(permutation_p_value(means['random'], means[name])):.2g}"
        hardcore = each_test(row, "return")[:, TESTS.index(HARDCORE)].mean()
        probes = np.array(row["probe_steps"])[-1].mean() / 1e6
        equal = at_equal_steps(row)
        lines.append(
            f"| {TEACHERS[name][0]} | {low:.1f} to {high:.1f} | {p_value} | {hardcore:.0f} |"
            f" {probes:.1f} | {equal.mean():.1f} ± {equal.std(ddof=1):.1f} |"
            f" {row['seconds'] / 60:.0f} |"
        )
    return "\n".join(lines) + "\n"


def figure(results: dict[str, Results]) -> Figure:
    """Left: tasks solved over training; right: the published tests at the end, every seed a dot,
    published scores as black lines.
    """
    drawn = Figure(figsize=(11.5, 4.0), layout="constrained")
    left, right = drawn.subplots(1, 2, width_ratios=(1, 1.5))
    draw_curves(left, results, TEACHERS)
    left.set_ylabel("of eleven tasks solved (%)")
    scores = {name: each_test(row, "solved") for name, row in results.items()}
    draw_scores(right, scores, TEACHERS, PUBLISHED)
    right.set_xticks(range(len(TESTS)), TESTS)
    return drawn


def main() -> None:
    """Test what has finished, then draw and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--study", type=pathlib.Path, default="studies/obstacle_tracks")
    parser.add_argument("--folder", type=pathlib.Path, default="experiments/results")
    options = parser.parse_args()
    use_cores(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    folder = options.study / "runs"
    runs = {name: Run(folder / f"obstacle-tracks_ppo_{name}") for name in TEACHERS}
    results = collect(runs, options.folder / "obstacle_tracks.json", player)
    refresh(PAGE, "obstacle_tracks.py", PICTURE + table(results))
    with matplotlib.rc_context(STYLE):
        figure(results).savefig(options.folder / "obstacle_tracks.png", dpi=110)


if __name__ == "__main__":
    main()
