"""What the jobs of a program take: it is compiled, and some of them are begun in a folder that is
thrown away.

What is compiled is kept, so that the study itself need not.
"""

from __future__ import annotations

import dataclasses
import math
import pathlib
import tempfile
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import jax
import polars as pl
from rich.console import Console

from jaxcurriculum.runs.experiment import Experiment
from jaxcurriculum.runs.host import begin, go_on
from jaxcurriculum.runs.progress import Steps
from jaxcurriculum.runs.rehearse import compile_seconds
from jaxcurriculum.runs.store import Run, parquet
from jaxcurriculum.study.ageing import seconds_of_age
from jaxcurriculum.study.lanes import compiled, experiment_of
from jaxcurriculum.study.local import on_each_device
from jaxcurriculum.study.plan import Plan

SECONDS = 3.0  # that a job computes, unless an evaluation takes longer


@dataclasses.dataclass(frozen=True)
class Cost:
    """What the jobs of a program take."""

    compile_seconds: float
    first_seconds: float  # to trace and load it, once a device
    start_seconds: float  # of a job beside its evaluations
    evaluation_seconds: float
    bytes_an_evaluation: float  # of a lane, on disk
    bytes_of_a_state: float  # of a lane, on disk
    bytes_of_rows: float  # of an evaluation of a lane, in memory


def try_out(plan: Plan, jobs: list[str]) -> Cost:
    """Compile the program of `jobs`, and begin them, one on each device."""
    devices = jax.local_devices()[: len(jobs)]
    by_device = dict(zip(devices, jobs))
    began = time.monotonic()
    compiled(plan, plan.jobs[jobs[0]].program)  # here, as the devices share what is traced
    with compile_seconds() as compiling:
        ready = on_each_device(lambda device: _compiled(plan, by_device[device], device), devices)
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        begun = lambda device: _begun(plan, by_device[device], device, folder)
        trials = on_each_device(begun, devices)
    return Cost(
        compile_seconds=compiling.seconds / len(jobs),  # each device says how long it took
        first_seconds=max(_mean(ready) - began - compiling.spent, 0.0),
        start_seconds=_mean(trial.start_seconds for trial in trials),
        evaluation_seconds=_mean(trial.evaluation_seconds for trial in trials),
        bytes_an_evaluation=_mean(trial.bytes_an_evaluation for trial in trials),
        bytes_of_a_state=_mean(trial.bytes_of_a_state for trial in trials),
        bytes_of_rows=_mean(trial.bytes_of_rows for trial in trials),
    )


def _compiled(plan: Plan, job: str, device: Any) -> float:
    """Compile the program of a job for `device`. Returns when that was done."""
    experiment = experiment_of(plan, plan.jobs[job], device)
    experiment.program.compile(experiment.lanes)
    return time.monotonic()


@dataclasses.dataclass(frozen=True)
class Trial:
    """The first evaluations of one job."""

    start_seconds: float
    evaluation_seconds: float
    bytes_an_evaluation: float  # of a lane
    bytes_of_a_state: float
    bytes_of_rows: float


def _begun(plan: Plan, job: str, device: Any, folder: pathlib.Path) -> Trial:
    """Run the first evaluation of a job, and more where it is short."""
    began = time.monotonic()
    experiment = experiment_of(plan, plan.jobs[job], device)
    run, silent = Run(folder / job), Console(quiet=True)
    run.path.mkdir()
    begin(experiment, run, silent, {})
    seconds, beside = _evaluated(experiment, run, 1)
    start = time.monotonic() - began - seconds
    num = min(1 + math.floor(SECONDS / seconds), experiment.num_advances)
    if num > 1:
        more, more_beside = _evaluated(experiment, run, num)
        # Rows are written twice: as the job goes on, and as the run of its cell.
        seconds = (more + 2 * max(more_beside - beside, 0.0)) / (num - 1)
        seconds += seconds_of_age(experiment, run, experiment.num_advances)
    rows, state = _bytes(run, num, experiment.num_seeds, plan.jobs[job].lanes)
    in_memory = sum(table.estimated_size() for table in (run.episodes(), run.all_evaluations()))
    return Trial(start, seconds, rows, state, in_memory / num / experiment.num_seeds)


def _evaluated(experiment: Experiment, run: Run, num: int) -> tuple[float, float]:
    """Seconds of the evaluations of `run` that are not done yet, until `num` are; and of what is
    read and written beside them.
    """
    spans: list[float] = []
    begun = time.monotonic()

    @contextmanager
    def timed(_: int) -> Iterator[Steps]:
        began = time.monotonic()
        yield Steps()
        spans.append(time.monotonic() - began)

    shorter = dataclasses.replace(experiment, num_advances=num)
    go_on(shorter, run, Console(quiet=True), lambda: None, timed)
    seconds = sum(spans)
    return seconds, time.monotonic() - begun - seconds


def _bytes(
    run: Run, num: int, group: int, lanes: tuple[tuple[str, int], ...]
) -> tuple[float, float]:
    """Bytes on disk of an evaluation of a lane of `run`, which has `num`, and of its state."""
    reports = sum(path.stat().st_size for path in run.path.glob("reports/*")) / group
    # with other cells the same draws of the same seeds would be kept once
    own = [lane for lane, (cell, _) in enumerate(lanes) if cell == lanes[0][0]]
    tables = sum(_size_of_rows(table, own) for table in (run.episodes(), run.all_evaluations()))
    state = max(_size(path) for path in run.path.glob("checkpoints/[0-9]*")) / group
    return (tables / len(own) + reports) / num, state


def _size_of_rows(table: pl.DataFrame, seeds: list[int]) -> int:
    """What the rows of `seeds` take in a file, without what a file takes in any case."""
    rows = table.filter(pl.col("seed").is_in(seeds))
    return len(parquet(rows)) - len(parquet(rows.clear()))


def _size(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _mean(numbers: Iterable[float]) -> float:
    values = list(numbers)
    return sum(values) / len(values)
