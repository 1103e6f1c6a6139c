"""What a search inside the program saves: ALP-GMM's refit period and exploration on a toy grid.

    python experiments/search_study.py [--repeats 16] [--folder results/search]

The full grid trains 81 settings for the whole budget, 8 seeds each. Successive halving and
Hyperband draw settings at random and stop most of them early; each is repeated with other random
numbers. Halving begins with many settings that are judged after one unit, or with fewer that are
judged after nine. What a search chose is trained again with fresh seeds, as is the best of the
grid. Writes search.json, search.md and search.png; a part that stands in the file is not run again.
"""

from __future__ import annotations

import argparse
import functools
import json
import pathlib
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib.figure import Figure
from scipy import stats

from jaxcurriculum import Box, Loop, LoopConfig, Report, make_loop, map_seeds, teachers, use_cores
from jaxcurriculum.report.statistics import bootstrap_interval
from jaxcurriculum.report.style import BLUE, ORANGE, STYLE
from jaxcurriculum.search import (
    Found,
    Rung,
    brackets,
    cost,
    hyperband,
    mean_return,
    rungs,
    successive_halving,
    with_values,
)
from jaxcurriculum.students import simulated

UNITS = 27  # the whole budget of a setting, each of 250 episodes
NUM_SEEDS = 8  # of each setting of the grid
NUM_FRESH = 8  # seeds with which a choice is trained again
SIDE = 9  # values of each setting in the grid
EARLY = rungs(81, UNITS)  # 81 settings for 1 unit, 27 for 3, 9 for 9, 3 for 27
LATE = (Rung(18, 9), Rung(6, UNITS))
NUM_DRAWS = 4000  # of random search, all of the same grid
JUDGED = (1, 3, 9)  # units after which rungs end
GROUP = 16  # searches side by side, at most

STUDENT = simulated.ToyGridConfig(cells=6, episodes_per_round=5)
LOOP = LoopConfig(rounds_per_evaluation=50)
TEACHER = teachers.AlpGmmConfig(window=100, max_components=5, history=2000, return_range=None)
SPACE = Box(
    names=("fit_every", "exploration"),
    low=(10, 0.02),
    high=(500, 1.0),
    units=("episodes", ""),
    log=(True, True),
)


def build(values: dict[str, jax.Array]) -> Loop:
    """The loop of one setting."""
    student = simulated.toy_grid(STUDENT)
    assert isinstance(student.task_space, Box)
    teacher = teachers.alp_gmm(student.task_space, with_values(TEACHER, values))
    return make_loop(teacher, student, simulated.toy_grid_test_tasks(STUDENT), LOOP)


def score(report: Report) -> jax.Array:
    """The mean competence of all cells, %."""
    return 100 * mean_return(report)


def curve(key: jax.Array, setting: jax.Array) -> jax.Array:
    """Scores of one curriculum after each unit, [UNITS], with `setting` of `SPACE`."""
    loop = build(dict(zip(SPACE.names, setting)))

    def advance(state: Any, start: jax.Array) -> tuple[Any, jax.Array]:
        state, report = loop.advance(state, start)
        return state, score(report)

    starts = loop.config.rounds_per_evaluation * jnp.arange(UNITS, dtype=jnp.int32)
    return jax.lax.scan(advance, loop.init(key), starts)[1]


def grid() -> np.ndarray:
    """All settings, [SIDE * SIDE, 2]; the period changes slowest."""
    place = (np.arange(SIDE) + 0.5) / SIDE
    unit = np.stack(np.meshgrid(place, place, indexing="ij"), axis=-1).reshape(-1, 2)
    return np.asarray(jax.vmap(SPACE.from_unit)(jnp.asarray(unit, jnp.float32)))


def run_grid() -> dict[str, Any]:
    """Scores of the grid after each unit, [settings, seeds, UNITS]."""
    settings = jnp.asarray(grid())

    def of_seed(key: jax.Array) -> jax.Array:
        return jax.vmap(curve, in_axes=(None, 0))(key, settings)

    keys = jax.random.split(jax.random.key(0), NUM_SEEDS)
    scores = np.asarray(map_seeds(of_seed, NUM_SEEDS, NUM_SEEDS // 2)(keys))
    return {"scores": scores.swapaxes(0, 1).round(1).tolist()}


def run_search(name: str, num_repeats: int) -> dict[str, Any]:
    """What each of the searches chose, and what it took for its score."""
    find = SEARCHES[name]

    def of_repeat(key: jax.Array) -> tuple[jax.Array, jax.Array]:
        found = find(key)
        return jnp.stack([found.values[name] for name in SPACE.names]), found.score

    keys = jax.random.split(jax.random.key(1), num_repeats)
    chosen, claimed = map_seeds(of_repeat, num_repeats, min(GROUP, num_repeats // 2))(keys)
    return {"chosen": np.asarray(chosen).tolist(), "claimed": np.asarray(claimed).tolist()}


SEARCHES: dict[str, Callable[[jax.Array], Found]] = {
    "early": lambda key: successive_halving(key, build, SPACE, EARLY, score),
    "late": lambda key: successive_halving(key, build, SPACE, LATE, score),
    "hyperband": lambda key: hyperband(key, build, SPACE, UNITS, score=score),
}
NAMES = {"early": "halving, early", "late": "halving, late", "hyperband": "Hyperband"}


def retrain(results: dict[str, Any]) -> dict[str, Any]:
    """Final scores of what was chosen with fresh seeds, [choices, NUM_FRESH] by search."""
    first = best_of_grid(np.array(results["grid"]["scores"]))
    chosen = {"grid": grid()[[first]]}
    chosen |= {name: np.array(results[name]["chosen"]) for name in SEARCHES}
    settings = jnp.asarray(np.concatenate(list(chosen.values())), jnp.float32)

    def of_seed(key: jax.Array) -> jax.Array:
        return jax.vmap(curve, in_axes=(None, 0))(key, settings)[:, -1]

    keys = jax.random.split(jax.random.key(2), NUM_FRESH)
    scores = np.asarray(map_seeds(of_seed, NUM_FRESH, NUM_FRESH // 2)(keys)).T.round(2)
    ends = np.cumsum([len(each) for each in chosen.values()])[:-1]
    return {name: each.tolist() for name, each in zip(chosen, np.split(scores, ends))}


def best_of_grid(scores: np.ndarray) -> int:
    """The setting with the highest mean final score; `scores` are [settings, seeds, UNITS]."""
    return int(scores[:, :, -1].mean(axis=1).argmax())


def run(folder: pathlib.Path, num_repeats: int) -> dict[str, Any]:
    """Run every part that is not in the folder's file yet, and write the file after each."""
    path = folder / "search.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    parts = {
        "grid": run_grid,
        **{name: functools.partial(run_search, name, num_repeats) for name in SEARCHES},
        "fresh": lambda: retrain(results),
    }
    for name, part in parts.items():
        if name in results:
            continue
        start = time.perf_counter()
        results[name] = part()
        results[name]["seconds"] = round(time.perf_counter() - start, 1)
        print(f"{name}: {results[name]['seconds']} s", flush=True)
        path.write_text(json.dumps(results) + "\n")
    return results


def costs() -> dict[str, int]:
    """Units that each search takes."""
    return {
        "grid": SIDE**2 * NUM_SEEDS * UNITS,
        "early": cost(EARLY),
        "late": cost(LATE),
        "hyperband": sum(map(cost, brackets(UNITS))),
    }


def random_search(scores: np.ndarray, num: int) -> np.ndarray:
    """Final scores of what random search chooses of `num` settings, one seed each, [NUM_DRAWS].

    Drawn from the grid: the choice by one of the seeds, its score by the mean over the others.
    """
    rng = np.random.default_rng(0)
    final = scores[:, :, -1]
    found = []
    for _ in range(NUM_DRAWS):
        settings, seeds = rng.choice(len(final), num), rng.integers(final.shape[1], size=num)
        first = final[settings, seeds].argmax()
        others = np.delete(final[settings[first]], seeds[first])
        found.append(others.mean())
    return np.array(found)


def rows(results: dict[str, Any]) -> list[tuple[str, int, np.ndarray]]:
    """A row a search: its name, its cost, and the true scores of what it chose.

    One score a repeat; of the whole grid, which is run once, one a fresh seed.
    """
    scores = np.array(results["grid"]["scores"])
    fresh = {name: np.array(results["fresh"][name]) for name in costs()}
    spent = costs()
    num = round(spent["late"] / UNITS)
    return [
        (f"grid of {SIDE**2}, {NUM_SEEDS} seeds each", spent["grid"], fresh["grid"][0]),
        ("grid, one seed each", SIDE**2 * UNITS, random_search(scores, SIDE**2)),
        *((NAMES[name], spent[name], fresh[name].mean(axis=1)) for name in SEARCHES),
        (f"random search, {num} settings", num * UNITS, random_search(scores, num)),
        ("a setting drawn at random", UNITS, random_search(scores, 1)),
    ]


def table(results: dict[str, Any]) -> str:
    """Cost and score of each search, as Markdown."""
    lines = ["| search | units | true score of its choice, mean | a tenth is below |"]
    lines.append("|---|---|---|---|")
    for name, units, found in rows(results):
        low, high = _interval(found)
        between = f" ({low:.1f} to {high:.1f})" if high > low else ""
        worst = "" if name.startswith("grid of") else f"{np.quantile(found, 0.1):.1f}"
        lines.append(f"| {name} | {units:,} | {found.mean():.1f}{between} | {worst} |")
    final = np.array(results["grid"]["scores"])
    order = [
        stats.spearmanr(final[:, :, unit - 1].mean(axis=1), final[:, :, -1].mean(axis=1))[0]
        for unit in JUDGED
    ]
    words = ", ".join(f"{each:.2f} after {unit}" for each, unit in zip(order, JUDGED))
    lines += ["", f"Rank correlation of the grid's scores with those at the end: {words} units."]
    return "\n".join(lines) + "\n"


def _interval(found: np.ndarray) -> tuple[float, float]:
    """95 % of the mean; no width where draws from one grid would make it too narrow."""
    if len(found) == NUM_DRAWS:
        return float(found.mean()), float(found.mean())
    low, high = bootstrap_interval(found)
    return float(low), float(high)


def figure(results: dict[str, Any]) -> Figure:
    """The grid with what the searches chose, and score against cost."""
    drawn = Figure(figsize=(10.5, 4.2), layout="constrained")
    left, right = drawn.subplots(1, 2)
    _draw_grid(drawn, left, results)
    for index, (name, units, found) in enumerate(rows(results)):
        low, high = _interval(found)
        bars = [[found.mean() - low], [high - found.mean()]]
        right.errorbar(
            units, found.mean(), yerr=bars, fmt=MARKERS[index], label=name, color=COLOURS[index]
        )
    right.set(xscale="log", xlabel="units spent (250 episodes each)", ylabel="mean competence (%)")
    right.set_title("true score of what is chosen, 95 % interval")
    right.grid(alpha=0.25)
    right.legend(frameon=False, fontsize=8)
    return drawn


def _draw_grid(drawn: Figure, ax: Any, results: dict[str, Any]) -> None:
    final = np.array(results["grid"]["scores"])[:, :, -1].mean(axis=1).reshape(SIDE, SIDE)
    edges = [np.geomspace(low, high, SIDE + 1) for low, high in zip(SPACE.low, SPACE.high)]
    mesh = ax.pcolormesh(*edges, final.T, cmap="viridis")
    for name, colour, marker in zip(SEARCHES, ("white", ORANGE, "black"), "ox+"):
        chosen = np.array(results[name]["chosen"])
        ax.scatter(*chosen.T, color=colour, marker=marker, s=30, label=NAMES[name])
    drawn.colorbar(mesh, ax=ax, label="mean competence after all units (%)")
    ax.set(xscale="log", yscale="log", xlabel="episodes between two fits", ylabel="exploration")
    ax.set_title("the grid, and what each search chose")
    ax.legend(loc="lower right", fontsize=8, facecolor="0.35", labelcolor="white")


COLOURS = ("black", "0.45", BLUE, ORANGE, "black", "0.45", "0.45")
MARKERS = ("s", "s", "o", "x", "+", "^", "v")


def main() -> None:
    """Run the study, then draw and write what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    results = pathlib.Path(__file__).parent / "results" / "search"
    parser.add_argument("--repeats", type=int, default=16, help="searches, an even number")
    parser.add_argument("--folder", type=pathlib.Path, default=results)
    options = parser.parse_args()
    if options.repeats < 2 or options.repeats % 2:
        parser.error(f"--repeats must be a positive even number, got {options.repeats}.")
    use_cores()
    options.folder.mkdir(parents=True, exist_ok=True)
    results = run(options.folder, options.repeats)
    (options.folder / "search.md").write_text(table(results))
    with matplotlib.rc_context(STYLE):
        figure(results).savefig(options.folder / "search.png", dpi=110)


if __name__ == "__main__":
    main()
