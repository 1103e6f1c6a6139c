"""The study of target-directed teachers: CURROT, GRADIENT and SPDL beside random tasks.

    python experiments/target_directed.py [--worlds gate ring-maze] [--teachers currot ...]
                                          [--seeds 5] [--folder target_directed]

Writes target_directed.json and a figure a world. A pair of world and teacher that stands in the
file is not run again. All seeds of a pair are one program.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import time
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.colors import LogNorm
from matplotlib.figure import Figure
from target_worlds import WORLDS, World, scores, student_of

from jaxcurriculum import LoopConfig, make_loop, use_cores
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE

GREY = "0.55"
NUM_EVALUATIONS = 40
NUM_TEST_TASKS = 100
NUM_SHOWN = 4  # panels of CURROT's tasks
COLOURS = {"currot": BLUE, "gradient": "#009E73", "self-paced": ORANGE, "random": GREY}


def curves(world: World, name: str, num_seeds: int) -> dict[str, Any]:
    """Scores at every evaluation of every seed, and the tasks of the first seed."""
    tasks = jax.vmap(world.test_target)(jax.random.split(jax.random.key(1), NUM_TEST_TASKS))
    how = LoopConfig(rounds_per_evaluation=world.rounds_per_evaluation, deterministic=False)
    loop = make_loop(world.teachers[name](world.space), student_of(world), tasks, how)
    advance = jax.jit(jax.vmap(loop.advance, in_axes=(0, None)), donate_argnums=0)
    state = jax.vmap(loop.init)(jax.random.split(jax.random.key(0), num_seeds))
    rows, shown, start = [], [], time.perf_counter()
    for index in range(NUM_EVALUATIONS):
        state, report = advance(state, jnp.int32(index * world.rounds_per_evaluation))
        rows.append(jax.vmap(lambda one: scores(world, one))(report.evaluation))
        if index % (NUM_EVALUATIONS // NUM_SHOWN) == NUM_EVALUATIONS // NUM_SHOWN - 1:
            given = report.episodes
            last = np.asarray(given.tasks[0])[np.asarray(given.valid[0])][-NUM_TEST_TASKS:]
            shown.append(last.round(3).tolist())
        seconds = time.perf_counter() - start
        print(
            f"{name} {index + 1}: {np.asarray(rows[-1])[:, 0].round(2)} {seconds:.0f} s", flush=True
        )
    found = np.asarray(jnp.stack(rows))
    return {
        "score": found[..., 0].round(3).tolist(),
        "success": found[..., 1].round(3).tolist(),
        "tasks": shown,
        "steps_per_evaluation": loop.steps_per_advance,
        "seconds": round(time.perf_counter() - start),
    }


def run(folder: pathlib.Path, worlds: list[str], names: list[str], num_seeds: int) -> Any:
    """Run every pair that is not in the folder's file yet, and write the file after each."""
    path = folder / "target_directed.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for world in worlds:
        for name in names:
            if name in results.setdefault(world, {}):
                continue
            results[world][name] = curves(WORLDS[world](), name, num_seeds)
            new = path.with_suffix(".new")
            new.write_text(json.dumps(results) + "\n")
            new.replace(path)
    return results


def figure(name: str, rows: dict[str, Any]) -> Figure:
    """Every seed's score over time, the means bold; below, what tasks CURROT gave."""
    world = WORLDS[name]()
    drawn = Figure(figsize=(9.6, 6.0), layout="constrained")
    panels: Any = drawn.subfigures(2, 1, height_ratios=(1.35, 1))
    top, bottom = panels
    ax = top.subplots()
    for teacher, colour in COLOURS.items():
        if teacher not in rows:
            continue
        score = np.array(rows[teacher]["score"])
        steps = rows[teacher]["steps_per_evaluation"] * np.arange(1, len(score) + 1)
        ax.plot(steps, score, color=colour, linewidth=0.7, alpha=0.45)
        ax.plot(steps, score.mean(1), color=colour, linewidth=2.4, label=teacher)
    ax.axhline(world.goal, color="0.3", linewidth=1, linestyle=":")
    ax.set(xlabel="environment steps", ylabel=f"{world.score} on target tasks", xlim=(0, None))
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))
    ax.legend(frameon=False, loc="center left", bbox_to_anchor=(1.0, 0.5))
    if "currot" in rows:
        _show_tasks(bottom, world, rows["currot"])
    return drawn


def _show_tasks(drawn: Any, world: World, row: dict[str, Any]) -> None:
    space = world.space
    target = jax.vmap(world.test_target)(jax.random.split(jax.random.key(1), NUM_TEST_TASKS))
    axes = drawn.subplots(1, len(row["tasks"]), sharex=True, sharey=True)
    steps = row["steps_per_evaluation"] * NUM_EVALUATIONS // NUM_SHOWN
    for index, (ax, tasks) in enumerate(zip(axes, row["tasks"])):
        given = np.array(tasks)
        ax.scatter(target[:, 0], target[:, 1], color=GREY, marker="x", s=14, linewidths=0.8)
        norm = LogNorm(space.low[-1], space.high[-1])
        depth = {"c": given[:, 2], "norm": norm} if space.dims > 2 else {"color": BLUE}
        points = ax.scatter(given[:, 0], given[:, 1], s=10, linewidths=0, **depth)
        until = ticker.EngFormatter(places=1, sep="")((index + 1) * steps)
        ax.set_title(f"at {until} steps", fontsize=10)
        ax.set(xlabel=space.names[0].replace("_", " "))
    axes[0].set_ylabel(space.names[1].replace("_", " "))
    if space.dims > 2:
        drawn.colorbar(points, ax=axes, label=space.names[2].replace("_", " "))
    drawn.suptitle("tasks that CURROT gave to the first seed; crosses: target tasks", fontsize=11)


def main() -> None:
    """Run the study, then draw what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = list(COLOURS)
    parser.add_argument("--seeds", type=int, default=5, help="seeds of every pair, all at once")
    parser.add_argument("--worlds", nargs="+", choices=WORLDS, default=list(WORLDS))
    parser.add_argument("--teachers", nargs="+", choices=names, default=names)
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("target_directed"))
    options = parser.parse_args()
    use_cores(1)
    options.folder.mkdir(parents=True, exist_ok=True)
    results = run(options.folder, options.worlds, options.teachers, options.seeds)
    with matplotlib.rc_context(STYLE):
        for name, rows in results.items():
            path = options.folder / f"target_directed_{name.replace('-', '_')}.png"
            figure(name, rows).savefig(path, dpi=110)


if __name__ == "__main__":
    main()
