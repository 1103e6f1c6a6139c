"""What a study will take: its first jobs, begun for some seconds in a folder that is thrown away.

The programs that it compiles are kept, so that the study itself need not.
"""

from __future__ import annotations

import dataclasses
import pathlib
import resource
import signal
import sys
import tempfile
import threading
import time
from collections import defaultdict
from collections.abc import Iterable

import jax
import polars as pl
from rich.console import Console
from rich.table import Column, Table

from jaxcurriculum.device.memory import memory_bytes
from jaxcurriculum.fields import LARGEST_INTEGER
from jaxcurriculum.loop import Report
from jaxcurriculum.runs.progress import Steps
from jaxcurriculum.runs.rehearse import compile_seconds
from jaxcurriculum.runs.store import Run, parquet
from jaxcurriculum.study.jobs import job_folder, open_jobs
from jaxcurriculum.study.lanes import experiment_of
from jaxcurriculum.study.local import check_folder, planned_in, run_jobs
from jaxcurriculum.study.plan import Plan, cut
from jaxcurriculum.study.schedule import makespan
from jaxcurriculum.study.study import Study

SECONDS = 3.0  # of a trial, once it computes
NAMES = 3  # of runs that are listed of a program


@dataclasses.dataclass(frozen=True)
class Cost:
    """What the jobs of a program take."""

    compile_seconds: float
    first_seconds: float  # to trace and load it, once a device
    start_seconds: float  # before the first evaluation of a job
    evaluation_seconds: float
    bytes_an_evaluation: float  # of a lane, on disk
    bytes_of_a_state: float  # of a lane, on disk


class Clock(Steps):
    """Notes when each job of a trial showed an evaluation, and says when that is enough."""

    def __init__(self, seconds: float):
        self.seconds, self.started = seconds, time.monotonic()
        self.times: dict[int, list[float]] = defaultdict(list)

    def show(self, steps: int, report: Report) -> None:
        self.times[threading.get_ident()].append(time.monotonic())

    def stopped_by(self) -> signal.Signals | None:
        """A signal when this thread's job has been watched for long enough."""
        own = self.times[threading.get_ident()]
        is_enough = own and (self.seconds == 0 or len(own) > 1 and own[-1] - own[0] > self.seconds)
        return signal.SIGTERM if is_enough else None

    @property
    def first(self) -> float:
        """Seconds to the first evaluation."""
        return _mean(own[0] - self.started for own in self.times.values() if own)

    @property
    def each(self) -> float | None:
        """Seconds from one evaluation to the next; None where there was one alone."""
        spans = [(own[-1] - own[0]) / (len(own) - 1) for own in self.times.values() if own[1:]]
        return _mean(spans) if spans else None


def plan_study(study: Study, folder: pathlib.Path, console: Console) -> None:
    """Print how `study` is cut, and what is left of it in `folder` takes. Writes nothing there.

    Raises:
      RunError: when the study cannot be, or the folder holds another one.
    """
    check_folder(folder)
    plan = cut(study, planned_in(folder))
    left = open_jobs(folder, plan)
    console.print(_overview(plan, left), highlight=False)
    costs = {}
    for program in dict.fromkeys(plan.jobs[job].program for job in left):
        jobs = [job for job in left if plan.jobs[job].program == program]
        costs[program] = rehearse(plan, jobs[: len(jax.local_devices())])
    console.print(_programs(plan, left, costs))
    if left:
        console.print(_totals(plan, left, costs))


def rehearse(plan: Plan, jobs: list[str]) -> Cost:
    """Begin `jobs` of one program, one on each device, twice: the first time compiles."""
    with tempfile.TemporaryDirectory() as one, tempfile.TemporaryDirectory() as other:
        with compile_seconds() as compiling:
            first = _trial(plan, jobs, pathlib.Path(one), 0)
        clock = _trial(plan, jobs, pathlib.Path(other), SECONDS)
        each = clock.each or clock.first
        a_lane, a_state = _bytes(plan, jobs, pathlib.Path(other))
    start = max(clock.first - each, 0.0)
    a_compilation = sum(compiling) / len(jobs)  # each device says how long it took
    again = max(first.first - clock.first - a_compilation, 0.0)
    return Cost(a_compilation, again, start, each, a_lane, a_state)


def _trial(plan: Plan, jobs: list[str], folder: pathlib.Path, seconds: float) -> Clock:
    endless = {
        name: dataclasses.replace(cell, config=cell.config | {"steps": float(LARGEST_INTEGER)})
        for name, cell in plan.cells.items()
    }
    dataclasses.replace(plan, cells=endless).write(folder)  # a job that ends leaves no files
    clock = Clock(seconds)
    run_jobs(folder, jobs, clock, clock.stopped_by)
    return clock


def _bytes(plan: Plan, jobs: list[str], folder: pathlib.Path) -> tuple[float, float]:
    """Bytes on disk of an evaluation of a lane, and of its state."""
    rows, states = [], []
    for job in jobs:
        run, planned = Run(job_folder(folder, job)), plan.jobs[job]
        group, done = plan.programs[planned.program].group, run.meta["evaluations_done"]
        reports = sum(path.stat().st_size for path in run.path.glob("reports/*")) / group
        # with other cells the same draws of the same seeds would be kept once
        own = [lane for lane, (cell, _) in enumerate(planned.lanes) if cell == planned.lanes[0][0]]
        tables = sum(_size_of_rows(table, own) for table in (run.episodes(), run.evaluations()))
        rows.append((tables / len(own) + reports) / done)
        states.append(max(_size(path) for path in run.path.glob("checkpoints/[0-9]*")) / group)
    return _mean(rows), _mean(states)


def _size_of_rows(table: pl.DataFrame, seeds: list[int]) -> int:
    """What the rows of `seeds` take in a file, without what a file takes in any case."""
    rows = table.filter(pl.col("seed").is_in(seeds))
    return len(parquet(rows)) - len(parquet(rows.clear()))


def _size(folder: pathlib.Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _overview(plan: Plan, left: list[str]) -> str:
    num_lanes = sum(len(cell.seeds) for cell in plan.cells.values())
    num_programs = len({cell.program for cell in plan.cells.values()})
    done = len(plan.jobs) - len(left)
    return (
        f"{len(plan.cells)} runs, {num_lanes} curricula, in {num_programs} compiled"
        f" programs and {len(plan.jobs)} jobs, of which {done} are done."
    )


def _programs(plan: Plan, left: list[str], costs: dict[str, Cost]) -> Table:
    name = Column("runs that share a program", overflow="fold")
    table = Table(name, "lanes a job", "jobs", "compiles", "a job")
    for program in dict.fromkeys(cell.program for cell in plan.cells.values()):
        names = [name for name, cell in plan.cells.items() if cell.program == program]
        shown = names[:NAMES] + [f"and {len(names) - NAMES} more"] * (len(names) > NAMES)
        jobs = [job for job in left if plan.jobs[job].program == program]
        told = ["", "done"]
        if jobs:
            cost = costs[program]
            told = [f"{cost.compile_seconds:,.0f} s", f"{_seconds(plan, jobs[0], cost):,.1f} s"]
        table.add_row("\n".join(shown), str(plan.programs[program].group), str(len(jobs)), *told)
    return table


def _totals(plan: Plan, left: list[str], costs: dict[str, Cost]) -> Table:
    num_devices = len(jax.local_devices())
    to_compile = sum(cost.compile_seconds for cost in costs.values())
    table = Table(title="what is left", show_header=False)
    table.add_row("compile time, at the first start", f"about {to_compile:,.0f} s")
    table.add_row(
        f"run time on {num_devices} devices", f"about {_run_seconds(plan, left, costs):,.0f} s"
    )
    table.add_row("memory", f"{peak_bytes() / 2**20:,.0f} of {memory_bytes() / 2**20:,.0f} MiB")
    table.add_row("on disk", f"about {_disk(plan, left, costs) / 2**20:,.1f} MiB")
    return table


def _run_seconds(plan: Plan, jobs: Iterable[str], costs: dict[str, Cost]) -> float:
    """Seconds until the last job ends, without what is compiled."""
    first = {program: cost.first_seconds for program, cost in costs.items()}
    programs = [(job, plan.jobs[job].program) for job in jobs]
    seconds = [(program, _seconds(plan, job, costs[program])) for job, program in programs]
    return makespan(seconds, len(jax.local_devices()), first)


def _seconds(plan: Plan, job: str, cost: Cost) -> float:
    return cost.start_seconds + _evaluations(plan, job) * cost.evaluation_seconds


def _disk(plan: Plan, jobs: Iterable[str], costs: dict[str, Cost]) -> float:
    """Bytes of the runs that come of `jobs`."""
    total = 0.0
    for job in jobs:
        cost = costs[plan.jobs[job].program]
        a_lane = _evaluations(plan, job) * cost.bytes_an_evaluation + cost.bytes_of_a_state
        total += len(plan.jobs[job].lanes) * a_lane
    return total


def _evaluations(plan: Plan, job: str) -> int:
    return experiment_of(plan, plan.jobs[job]).num_advances


def peak_bytes() -> int:
    """The most memory that was used so far: of a device, or of the process on a CPU."""
    statistics = jax.local_devices()[0].memory_stats() or {}
    if "peak_bytes_in_use" in statistics:
        return statistics["peak_bytes_in_use"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak


def _mean(numbers: Iterable[float]) -> float:
    values = list(numbers)
    return sum(values) / len(values)
