"""What a study will take, as `trial.py` measures it, in two tables."""

from __future__ import annotations

import pathlib
import resource
import shutil
import sys
from collections.abc import Iterable

import jax
from rich.console import Console
from rich.table import Column, Table

from jaxcurriculum.device.memory import memory_bytes
from jaxcurriculum.runs.amounts import counted, size_text, time_text
from jaxcurriculum.runs.host import warn
from jaxcurriculum.study.jobs import open_jobs
from jaxcurriculum.study.lanes import experiment_of
from jaxcurriculum.study.local import check_folder, planned_in
from jaxcurriculum.study.plan import Plan, cut
from jaxcurriculum.study.schedule import makespan
from jaxcurriculum.study.study import Study
from jaxcurriculum.study.trial import Cost, try_out

NAMES = 3  # of runs that are listed of a program
COPIES = 5  # of a run's rows, while it is put together from its jobs: 4.9 were measured


def plan_study(study: Study, folder: pathlib.Path, console: Console) -> None:
    """Print how `study` is cut, and what is left of it in `folder` takes. Writes nothing there.

    Raises:
      RunError: when the study cannot be, or the folder holds another one.
    """
    check_folder(folder)
    before = planned_in(folder)
    plan = cut(study, before)
    left = open_jobs(folder, plan)
    console.print(_overview(plan, left), highlight=False)
    costs = {}
    for program in dict.fromkeys(plan.jobs[job].program for job in left):
        jobs = [job for job in left if plan.jobs[job].program == program]
        costs[program] = try_out(plan, jobs[: len(jax.local_devices())])
    console.print(_programs(plan, left, costs))
    if not left:
        console.print("Nothing is left to do.")
        return
    needed, free = _disk(plan, left, costs), free_bytes(folder)
    on_disk = f"about {size_text(needed)} of {size_text(free)}"
    console.print(_totals(plan, left, costs, on_disk))
    if not before and (told := told_copies(plan)):  # a group stays as it was begun
        warn(console, told)
    if needed > free:
        warn(console, f"The disk has room for {size_text(free)}, not for {size_text(needed)}.")


def told_copies(plan: Plan) -> str | None:
    """A sentence where more than half of the lanes of all jobs are copies, else None."""
    lanes = sum(len(job.lanes) for job in plan.jobs.values())
    places = sum(plan.programs[job.program].group for job in plan.jobs.values())
    if 2 * lanes >= places:
        return None
    return (
        f"Of the {places:,} lanes of its jobs {places - lanes:,} are copies, whose results are"
        " dropped: a smaller group would take less time and memory."
    )


def _overview(plan: Plan, left: list[str]) -> str:
    num_lanes = sum(len(cell.seeds) for cell in plan.cells.values())
    num_programs = len({cell.program for cell in plan.cells.values()})
    done = len(plan.jobs) - len(left)
    return (
        f"{counted(len(plan.cells), 'run')}, {num_lanes:,} curricula, in"
        f" {counted(num_programs, 'compiled program')} and {counted(len(plan.jobs), 'job')},"
        f" of which {done:,} are done."
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
            told = [time_text(cost.compile_seconds), time_text(_seconds(plan, jobs[0], cost))]
        table.add_row("\n".join(shown), str(plan.programs[program].group), str(len(jobs)), *told)
    return table


def _totals(plan: Plan, left: list[str], costs: dict[str, Cost], on_disk: str) -> Table:
    num_devices = len(jax.local_devices())
    to_compile = sum(cost.compile_seconds for cost in costs.values())
    table = Table(title="what is left", show_header=False)
    table.add_row("compile time, at the first start", f"about {time_text(to_compile)}")
    run_time = time_text(_run_seconds(plan, left, costs))
    table.add_row(f"run time on {counted(num_devices, 'device')}", f"about {run_time}")
    needed = size_text(peak_bytes() + _bytes_of_rows(plan, left, costs))
    table.add_row("memory", f"at most {needed} of {size_text(memory_bytes())}")
    table.add_row("on disk", on_disk)
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


def _bytes_of_rows(plan: Plan, jobs: Iterable[str], costs: dict[str, Cost]) -> float:
    """Bytes of the host's memory in which the largest of the runs of `jobs` is put together; none
    where a device has a memory of its own.
    """
    if jax.local_devices()[0].platform != "cpu":
        return 0.0
    of_cells: dict[str, float] = {}
    for job in jobs:
        a_lane = _evaluations(plan, job) * costs[plan.jobs[job].program].bytes_of_rows
        for cell, _ in plan.jobs[job].lanes:
            of_cells[cell] = of_cells.get(cell, 0.0) + COPIES * a_lane
    return max(of_cells.values())


def _evaluations(plan: Plan, job: str) -> int:
    return experiment_of(plan, plan.jobs[job]).num_advances


def free_bytes(folder: pathlib.Path) -> int:
    """What the disk of `folder`, which need not be there yet, has free."""
    path = folder.absolute()
    return shutil.disk_usage(next(each for each in (path, *path.parents) if each.exists())).free


def peak_bytes() -> int:
    """The most memory that was used so far: of a device, or of the process on a CPU."""
    statistics = jax.local_devices()[0].memory_stats() or {}
    if "peak_bytes_in_use" in statistics:
        return statistics["peak_bytes_in_use"]
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
