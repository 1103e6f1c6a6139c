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
import json
import pathlib
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

import jaxcurriculum.envs as envs
from jaxcurriculum import Student, tree, use_cores
from jaxcurriculum.report.statistics import bootstrap_interval, permutation_p_value
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE
from jaxcurriculum.rollout.evaluate import attempt
from jaxcurriculum.runs import Run
from jaxcurriculum.runs.host import restore
from jaxcurriculum.runs.rebuilding import rebuilt

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
}
PAGE = pathlib.Path(__file__).with_suffix(".md")
BEGIN, END = "<!-- results -->\n", "<!-- end of results -->\n"  # what of the page is written
PICTURE = (
    "![% of eleven tasks solved over training, probes counted; % of 100 levels of each test solved"
    " at the end, every seed a dot, published scores as black lines]"
    "(results/obstacle_tracks.png)\n\n"
)
SMOOTHED = 4  # evaluations in a point of the curve, each of one episode a task


def player(student: Student) -> Callable[[jax.Array, Any], tuple[jax.Array, jax.Array]]:
    """Return and success of a student's state on every test, [tests, NUM_LEVELS] each."""
    env = envs.bipedal_walker(hardcore=True)
    rows = np.repeat(envs.obstacle_tasks_2022()[: len(ON_TRACKS)], NUM_LEVELS, axis=0)
    seeds = jnp.arange(NUM_LEVELS, dtype=jnp.uint32)
    act, memory = student.act, student.memory
    assert act is not None and memory is not None

    def play(key: jax.Array, state: Any) -> tuple[jax.Array, jax.Array]:
        def policy(key, memory, obs, first):
            return *act(key, state, memory, obs, first, True), ()

        key_tracks, key_hardcore = jax.random.split(key)
        tracks = student.evaluate(
            key_tracks, state, jnp.asarray(rows), jnp.tile(seeds, len(ON_TRACKS)), 1, True
        )
        tasks = jnp.ones((NUM_LEVELS, 1))  # of roughness 1
        hard = attempt(key_hardcore, env, policy, memory(NUM_LEVELS), tasks, seeds, 1)

        def joined(on_tracks: jax.Array, on_hardcore: jax.Array) -> jax.Array:
            each = on_tracks.reshape(len(ON_TRACKS), NUM_LEVELS)
            return jnp.concatenate([each[:1], on_hardcore[None], each[1:]])

        return joined(tracks.returns, hard.returns), joined(tracks.solved, hard.solved)

    return jax.jit(play)


def tested(run: Run, play: Callable | None) -> tuple[dict[str, Any], Callable]:
    """What a run's policies come to on every test, its curve, and what it cost."""
    experiment = rebuilt(run)
    play = player(experiment.loop.student) if play is None else play
    states = restore(experiment, run).student
    seeds = range(run.meta["num_seeds"])
    found = [play(jax.random.key(0), tree.take(states, seed)) for seed in seeds]
    returns, solved = (np.stack([np.asarray(each) for each in kind]) for kind in zip(*found))
    steps, mastered = run.mastered()
    meta = run.meta
    content = {
        "solved": (100 * solved.mean(2)).round(1).tolist(),  # [seeds, tests]
        "returns": returns.mean(2).round(1).tolist(),
        "steps": steps.tolist(),
        "mastered": mastered.round(1).tolist(),  # [evaluations, seeds]
        "probe_steps": run.reports()["counters.probe_steps"].tolist(),
        "seconds": round(meta["wall_seconds"]),
        "revision": meta["git_revision"],
    }
    return content, play


def collect(study: pathlib.Path, folder: pathlib.Path) -> dict[str, Any]:
    """Test every finished run that is not in the folder's file yet, and write the file after each.

    Raises:
      SystemExit: when no run has finished.
    """
    path = folder / "obstacle_tracks.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    play = None
    for name in TEACHERS:
        run = Run(study / "runs" / f"obstacle-tracks_ppo_{name}")
        if name in results or not run.exists:
            continue
        results[name], play = tested(run, play)
        print(f"{name}: {np.mean(results[name]['solved'], axis=0).round(1)} % solved", flush=True)
        new = path.with_suffix(".new")
        new.write_text(json.dumps(results) + "\n")
        new.replace(path)
    if not results:
        raise SystemExit(f"{study} has no finished run: start the study, or go on with it.")
    return results


def total_steps(row: dict[str, Any]) -> np.ndarray:
    """Steps of training and of probes at every evaluation, mean over seeds, [evaluations]."""
    return np.array(row["steps"]) + np.array(row["probe_steps"]).mean(1)


def at_equal_steps(row: dict[str, Any]) -> np.ndarray:
    """% of the eleven tasks solved by each seed, when training and probes together have taken as
    many steps as training alone in the end; mean of the latest evaluations.
    """
    last = int(np.searchsorted(total_steps(row), row["steps"][-1], side="right"))
    return np.array(row["mastered"])[max(0, last - SMOOTHED) : last].mean(0)


def table(results: dict[str, Any]) -> str:
    """% solved on every test, mean ± sd over seeds; then costs and equal steps; as Markdown."""
    lines = ["| teacher | " + " | ".join(TESTS) + " | mean of six |", "|---|" + "---|" * 7]
    means = {name: np.array(row["solved"]).mean(1) for name, row in results.items()}
    for name in results:
        solved = np.column_stack([results[name]["solved"], means[name]])
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
        hardcore = np.array(row["returns"])[:, TESTS.index(HARDCORE)].mean()
        probes = np.array(row["probe_steps"])[-1].mean() / 1e6
        equal = at_equal_steps(row)
        lines.append(
            f"| {TEACHERS[name][0]} | {low:.1f} to {high:.1f} | {p_value} | {hardcore:.0f} |"
            f" {probes:.1f} | {equal.mean():.1f} ± {equal.std(ddof=1):.1f} |"
            f" {row['seconds'] / 60:.0f} |"
        )
    return "\n".join(lines) + "\n"


def with_results(page: str, found: str) -> str:
    """`page` with `found` between its marks.

    >>> with_results("a\\n" + BEGIN + "old\\n" + END + "b\\n", "new\\n").split("\\n")[2:4]
    ['new', '<!-- end of results -->']
    """
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}{found}{END}{rest.partition(END)[2]}"


def _curves(ax: Axes, results: dict[str, Any]) -> None:
    for name, row in results.items():
        title, colour = TEACHERS[name]
        window = np.ones(SMOOTHED) / SMOOTHED
        each = np.array(row["mastered"]).T
        smooth = np.array([np.convolve(seed, window, mode="valid") for seed in each])
        steps = total_steps(row)[SMOOTHED - 1 :]
        low, high = bootstrap_interval(smooth.T)
        ax.fill_between(steps, low, high, color=colour, alpha=0.15, linewidth=0)
        ax.plot(steps, smooth.mean(0), color=colour, linewidth=2, label=title)
    ax.set(xlabel="environment steps, those of probes too", ylabel="of eleven tasks solved (%)")
    ax.set(xlim=(0, None), ylim=(0, None))
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))
    ax.grid(alpha=0.25)


def _tests(ax: Axes, results: dict[str, Any]) -> None:
    width = 0.8 / len(results)
    for index, (name, row) in enumerate(results.items()):
        title, colour = TEACHERS[name]
        solved = np.array(row["solved"])
        place = np.arange(len(TESTS)) + (index + 0.5) * width - 0.4
        ax.bar(place, solved.mean(0), width * 0.9, color=colour, alpha=0.6, label=title)
        ax.scatter(np.tile(place, len(solved)), solved.ravel(), color=colour, s=8, zorder=3)
        if name in PUBLISHED:
            ax.scatter(place, PUBLISHED[name], marker="_", s=90, color="black", zorder=4)
    ax.set(xticks=range(len(TESTS)), xticklabels=TESTS, ylabel="solved (%)", ylim=(0, 103))
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))


def figure(results: dict[str, Any]) -> Figure:
    """Left: tasks solved over training; right: the published tests at the end, every seed a dot,
    published scores as black lines.
    """
    drawn = Figure(figsize=(11.5, 4.0), layout="constrained")
    left, right = drawn.subplots(1, 2, width_ratios=(1, 1.5))
    _curves(left, results)
    _tests(right, results)
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
    results = collect(options.study, options.folder)
    PAGE.write_text(with_results(PAGE.read_text(), PICTURE + table(results)))
    with matplotlib.rc_context(STYLE):
        figure(results).savefig(options.folder / "obstacle_tracks.png", dpi=110)


if __name__ == "__main__":
    main()
