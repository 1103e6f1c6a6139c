"""The study of teachers on toy grids: % of cells mastered against episodes, teacher by teacher.

    python experiments/toy_study.py [--seeds 100] [--grids 2-D-10 ...] [--teachers riac ...]
                                    [--folder toy_study]

Writes toy_study.json, a figure a grid, and toy_study.md (the table). A pair of grid and teacher
that stands in the file is not run again, so a study that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import dataclasses
import json
import pathlib
import time
from typing import Any

import jax
import jax.numpy as jnp
import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.figure import Figure

from jaxcurriculum import map_seeds, use_cores
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.cli.tables import TEACHERS
from jaxcurriculum.report.statistics import permutation_p_value
from jaxcurriculum.report.style import BLUE, STYLE

NUM_EVALUATIONS = 20
GREY = "0.55"
LEVEL = 0.05  # of significance, over all teachers of a grid together (Holm)


@dataclasses.dataclass(frozen=True)
class Grid:
    """A toy grid, practised for 1.3 to 2.6 times the episodes (76 a cell) of the best order."""

    dims: int
    cells: int
    irrelevant_dims: int
    episodes: int

    def settings(self, teacher: str, num_seeds: int) -> Settings:
        """What the command line would be told."""
        size = {"dims": self.dims, "cells": self.cells, "irrelevant_dims": self.irrelevant_dims}
        student = {f"student.{name}": value for name, value in size.items()}
        every = self.episodes // NUM_EVALUATIONS
        own = self._knowledge(teacher)
        return Settings(
            student="toy-grid",
            teacher=teacher,
            seeds=num_seeds,
            steps=self.episodes,
            evaluate_every=every,
            fields={**student, **own},
        )

    def _knowledge(self, teacher: str) -> dict[str, Any]:
        """What experts tell oracle and ADR (as in meta-ACL's toy runs); cells of bandits."""
        zeros = (0.0,) * (self.dims + self.irrelevant_dims)
        if teacher == "oracle":
            return {"teacher.step": (0.05,) * self.dims + (0.0,) * self.irrelevant_dims}
        if teacher == "adr":
            told = {"teacher.initial_mean": zeros}
            return told | {"teacher.judge_every": 10, "teacher.step_size": 0.05}
        if hasattr(TEACHERS[teacher].config, "cells"):
            # An axis: 81 to 125 arms, 243 on five axes.
            return {"teacher.cells": max(1, round(100 ** (1 / len(zeros))))}
        return {}


GRIDS = {
    "2-D-10": Grid(dims=2, cells=10, irrelevant_dims=0, episodes=20_000),
    "2-D-20": Grid(dims=2, cells=20, irrelevant_dims=0, episodes=40_000),
    "3-D-6": Grid(dims=3, cells=6, irrelevant_dims=0, episodes=25_000),
    "2-D-10-irrelevant-3": Grid(dims=2, cells=10, irrelevant_dims=3, episodes=20_000),
    "4-D-4": Grid(dims=4, cells=4, irrelevant_dims=0, episodes=25_000),
    "5-D-3": Grid(dims=5, cells=3, irrelevant_dims=0, episodes=25_000),
}


def curves(grid: Grid, teacher: str, num_seeds: int) -> np.ndarray:
    """% of cells mastered at every evaluation by every seed, [num_seeds, NUM_EVALUATIONS]."""
    experiment = build(grid.settings(teacher, num_seeds))
    loop, group = experiment.loop, experiment.group

    def one_seed(key: jax.Array) -> jax.Array:
        def advance(state, start):
            state, report = loop.advance(state, start)
            return state, 100 * jnp.mean(report.evaluation.solved, dtype=jnp.float32)

        starts = loop.config.rounds_per_evaluation * jnp.arange(NUM_EVALUATIONS, dtype=jnp.int32)
        return jax.lax.scan(advance, loop.init(key), starts)[1]

    keys = jax.random.split(jax.random.key(0), num_seeds)
    return np.asarray(map_seeds(one_seed, num_seeds, group=group)(keys))


def run(
    folder: pathlib.Path, grids: list[str], teachers: list[str], num_seeds: int
) -> dict[str, Any]:
    """Run every pair that is not in the folder's file yet, and write the file after each."""
    path = folder / "toy_study.json"
    results = read(path) if path.exists() else {"num_seeds": num_seeds, "grids": {}}
    if results["num_seeds"] != num_seeds:
        raise SystemExit(
            f"{path} holds a study of {results['num_seeds']} seeds, not of {num_seeds}: choose"
            " another --folder."
        )
    for grid in grids:
        rows = results["grids"].setdefault(grid, {})
        for teacher in teachers:
            if teacher in rows:
                continue
            start = time.perf_counter()
            scores = curves(GRIDS[grid], teacher, num_seeds)
            rows[teacher] = {
                "mean": scores.mean(0).round(2).tolist(),
                "sd": scores.std(0, ddof=1).round(2).tolist(),
                "final": scores[:, -1].round(2).tolist(),
                "seconds": round(time.perf_counter() - start, 1),
            }
            final, took = scores[:, -1].mean(), rows[teacher]["seconds"]
            print(f"{grid} {teacher}: {final:.1f} % in {took} s", flush=True)
            new = path.with_suffix(".new")
            new.write_text(json.dumps(results) + "\n")
            new.replace(path)
    return results


def read(path: pathlib.Path) -> dict[str, Any]:
    """The results that `path` holds.

    Raises:
      SystemExit: when it is damaged, or holds something else; nothing is written then.
    """
    try:
        results = json.loads(path.read_text())
        expected = [NUM_EVALUATIONS, NUM_EVALUATIONS, results["num_seeds"]]
        pairs = [
            (GRIDS[grid], TEACHERS[teacher], row)
            for grid, rows in results["grids"].items()
            for teacher, row in rows.items()
        ]
        lengths = [[len(row[key]) for key in ("mean", "sd", "final")] for _, _, row in pairs]
        is_whole = all(found == expected for found in lengths)
        why = "" if is_whole else "scores are missing"
    except ValueError as error:
        why = str(error)
    except (KeyError, TypeError, AttributeError):
        why = "not a table of this study's grids and teachers"
    if why:
        raise SystemExit(
            f"{path} is damaged ({why}): restore it, move it away to begin anew, or choose another"
            " --folder."
        )
    return results


def holm(p_values: dict[str, float]) -> dict[str, float]:
    """p values corrected for their number (Holm 1979).

    >>> holm({"a": 0.01, "b": 0.04})
    {'a': 0.02, 'b': 0.04}
    """
    corrected, largest = {}, 0.0
    for rank, name in enumerate(sorted(p_values, key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[name]))
        corrected[name] = largest
    return corrected


def table(results: dict[str, Any]) -> str:
    """Final scores, mean ± sd over seeds, as Markdown; bold above random's, * below it.

    Above or below is what differs significantly.
    """
    names = [name for name in TEACHERS if any(name in rows for rows in results["grids"].values())]
    lines = [
        "| teacher | " + " | ".join(results["grids"]) + " |",
        "|---|" + "---|" * len(results["grids"]),
    ]
    cells = {grid: _cells(rows) for grid, rows in results["grids"].items()}
    lines += [
        f"| {name} | " + " | ".join(cells[grid].get(name, "") for grid in results["grids"]) + " |"
        for name in names
    ]
    return "\n".join(lines) + "\n"


def _cells(rows: dict[str, Any]) -> dict[str, str]:
    base = np.array(rows["random"]["final"])
    finals = {name: np.array(row["final"]) for name, row in rows.items()}
    others = {name: final for name, final in finals.items() if name != "random"}
    p_values = holm(
        {name: float(permutation_p_value(base, final)) for name, final in others.items()}
    )
    cells = {}
    for name, final in finals.items():
        text = f"{final.mean():.1f} ± {final.std(ddof=1):.1f}"
        if p_values.get(name, 1.0) < LEVEL:
            text = f"**{text}**" if final.mean() > base.mean() else f"{text} *"
        cells[name] = text
    return cells


def figure(name: str, rows: dict[str, Any]) -> Figure:
    """A panel a teacher: mean and standard deviation in blue, random's mean in grey."""
    grid = GRIDS[name]
    others = [teacher for teacher in TEACHERS if teacher in rows and teacher != "random"]
    episodes = grid.episodes / NUM_EVALUATIONS * np.arange(1, NUM_EVALUATIONS + 1)
    columns = min(7, len(others))
    num_rows = -(-len(others) // columns)
    drawn = Figure(figsize=(2.1 * columns + 0.6, 1.75 * num_rows + 1.0), layout="constrained")
    axes = np.atleast_1d(drawn.subplots(num_rows, columns, sharex=True, sharey=True)).ravel()
    for ax, teacher in zip(axes, others):
        mean, sd = np.array(rows[teacher]["mean"]), np.array(rows[teacher]["sd"])
        ax.plot(episodes, rows["random"]["mean"], color=GREY, linewidth=1.5)
        ax.fill_between(episodes, mean - sd, mean + sd, color=BLUE, alpha=0.2, linewidth=0)
        ax.plot(episodes, mean, color=BLUE, linewidth=2)
        ax.set_title(teacher, fontsize=10)
        ax.set(xlim=(0, None), ylim=(0, 100))
        ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=""))
        ax.xaxis.set_major_locator(ticker.MaxNLocator(3))
        ax.grid(alpha=0.25)
    for ax in axes[len(others) :]:
        ax.set_visible(False)
    for ax in axes[max(0, len(others) - columns) : len(others)]:  # the lowest panel of every column
        ax.tick_params(labelbottom=True)
    drawn.supxlabel("episodes")
    drawn.supylabel("cells mastered (%)")
    irrelevant = f" and {grid.irrelevant_dims} irrelevant axes" if grid.irrelevant_dims else ""
    drawn.suptitle(
        f"Toy grid of {grid.cells} cells on each of {grid.dims} axes{irrelevant}: mean and standard"
        f" deviation of {len(rows['random']['final'])} seeds (blue), random teacher (grey)",
        fontsize=11,
    )
    return drawn


def main() -> None:
    """Run the study, then draw and write what it found."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=int, default=100, help="seeds of every pair, 2 at least")
    parser.add_argument("--grids", nargs="+", choices=GRIDS, default=list(GRIDS))
    parser.add_argument("--teachers", nargs="+", choices=TEACHERS, default=list(TEACHERS))
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("toy_study"))
    options = parser.parse_args()
    if options.seeds < 2:
        parser.error(f"--seeds must be at least 2, to have a spread, got {options.seeds}.")
    use_cores()
    options.folder.mkdir(parents=True, exist_ok=True)
    teachers = list(dict.fromkeys(["random", *options.teachers]))
    results = run(options.folder, options.grids, teachers, options.seeds)
    (options.folder / "toy_study.md").write_text(table(results))
    with matplotlib.rc_context(STYLE):
        for name, rows in results["grids"].items():
            figure(name, rows).savefig(options.folder / f"{name}.png", dpi=110)


if __name__ == "__main__":
    main()
