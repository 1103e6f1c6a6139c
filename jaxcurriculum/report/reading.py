"""What a report needs of a run, read once."""

from __future__ import annotations

import dataclasses
import math
import pathlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl

from jaxcurriculum.report.to_come import planned
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.store import Run, of_first_learner, read_report
from jaxcurriculum.runs.test_tasks import COLUMNS


@dataclasses.dataclass(frozen=True, eq=False)
class Record:
    """One run: its settings, and its evaluations as arrays."""

    run: Run
    config: dict[str, Any]
    meta: dict[str, Any]
    test_tasks: pl.DataFrame  # a row a task, a column an axis
    steps: np.ndarray  # [evaluations], trained by each seed before it
    returns: np.ndarray  # [seeds, evaluations, tasks], mean over the attempts at a task
    solved: np.ndarray  # [seeds, evaluations, tasks], share of the attempts
    evaluation_steps: np.ndarray  # [seeds, evaluations], spent on tests so far

    @property
    def num_seeds(self) -> int:
        return len(self.returns)

    @property
    def seeds(self) -> range:
        return range(self.meta["first_seed"], self.meta["first_seed"] + self.num_seeds)

    @property
    def planned(self) -> int:
        """How many evaluations the whole run has."""
        steps = self.meta["rounds_per_evaluation"] * self.meta["steps_per_round"]
        return math.ceil(self.config["steps"] / steps)

    @property
    def has_reports(self) -> bool:
        """Whether there is any file of what teacher and student reported."""
        return any((self.run.path / "reports").glob("evaluation-*.npz"))

    @property
    def is_thinned(self) -> bool:
        """Whether only some of its episodes were kept."""
        return "thinned" in self.meta

    @property
    def is_finished(self) -> bool:
        return len(self.steps) >= self.planned

    def report_path(self, evaluation: int) -> pathlib.Path:
        """Of what teacher and student reported at an evaluation."""
        return self.run.path / "reports" / f"evaluation-{evaluation:08d}.npz"

    def probe_steps(self, evaluation: int) -> np.ndarray:
        """What the teacher spent on probing the student until an evaluation, [seeds].

        Raises:
          RunError: when the file that says it is missing or damaged.
        """
        name = "counters.probe_steps"
        counted = read_report(self.report_path(evaluation), {name})
        return counted.get(name, np.zeros(self.num_seeds))


def runs_in(folders: Sequence[pathlib.Path]) -> list[Run]:
    """The runs in `folders`: each is a run, a study with runs in its folder `runs`, or holds runs.

    Raises:
      RunError: when there is none in one of them, or one is no folder.
    """
    found = {}
    for folder in folders:
        if folder.is_file():
            raise RunError(f"{folder} is a file: name the folder of a study or of runs.")
        if not folder.is_dir():
            raise RunError(f"There is no folder {folder}.")
        inside = [Run(folder)] if Run(folder).exists else _below(folder)
        if not inside and planned(folder):
            raise RunError(f"{folder} has nothing to report yet: none of its runs is done.")
        if not inside:
            raise RunError(f"{folder} holds no run: no folder in it has a config.json.")
        found |= {run.path.resolve(): run for run in inside}
    return list(found.values())


def _below(folder: pathlib.Path) -> list[Run]:
    study = folder / "runs"
    paths = (study if study.is_dir() else folder).glob("[!.]*/config.json")  # ".": half written
    return [Run(path.parent) for path in sorted(paths)]


def read_all(runs: Iterable[Run]) -> tuple[list[Record], list[str]]:
    """Those of `runs` that can be read, and a sentence on each that cannot.

    Raises:
      RunError: when none can.
    """
    with ThreadPoolExecutor() as threads:  # most of the time goes to the decoder of the tables
        results = list(threads.map(_attempt, runs))
    records = [result for result in results if isinstance(result, Record)]
    faults = [str(result) for result in results if isinstance(result, RunError)]
    if not records:
        raise RunError(faults[0])
    return records, faults


def _attempt(run: Run) -> Record | RunError:
    try:
        return read(run)
    except RunError as error:
        return error


def read(run: Run) -> Record:
    """The record of `run`.

    Raises:
      RunError: when a file is missing or damaged, or the run has not been evaluated.
    """
    config, meta, tests = run.config, run.meta, run.all_evaluations()
    spent, tests = _lengths(tests), of_first_learner(tests)
    axes = [name for name in tests.columns if name not in COLUMNS]
    if missing := [name for name in meta["axes"]["names"] if name not in axes]:
        raise RunError(f"{run.path} is damaged: its evaluations have no task axis {missing[0]!r}.")
    seeds = range(meta["first_seed"], meta["first_seed"] + meta["num_seeds"])
    if tests["seed"].unique().sort().to_list() != list(seeds):
        raise RunError(f"{run.path} is damaged: its evaluations are not of the seeds it names.")
    tests = tests.sort("seed", "evaluation", "test_task", maintain_order=True)
    shape = tuple(tests[name].n_unique() for name in ("seed", "evaluation", "test_task"))
    if len(tests) % math.prod(shape):
        raise RunError(f"{run.path} is damaged: not every seed was evaluated on every task.")

    def table(name: str) -> np.ndarray:
        return tests[name].to_numpy().astype(np.float64).reshape(*shape, -1)

    return Record(
        run=run,
        config=config,
        meta=meta,
        test_tasks=_first_of_each(tests.head(len(tests) // math.prod(shape[:2])), axes),
        steps=table("steps")[0, :, 0, 0].astype(np.int64),
        returns=table("return").mean(-1),
        solved=table("solved").mean(-1),
        evaluation_steps=spent.reshape(shape[:2]).cumsum(1),
    )


def _lengths(tests: pl.DataFrame) -> np.ndarray:
    """Steps of every test of each seed and evaluation, in their order, [seeds * evaluations]."""
    by_evaluation = tests.group_by("seed", "evaluation").agg(pl.col("length").cast(float).sum())
    return by_evaluation.sort("seed", "evaluation")["length"].to_numpy()


def _first_of_each(tests: pl.DataFrame, axes: list[str]) -> pl.DataFrame:
    return tests.unique("test_task", keep="first", maintain_order=True).select(axes)
