"""A study on this machine: one job a device at a time, until none is left."""

from __future__ import annotations

import os
import pathlib
import signal
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from queue import Empty, SimpleQueue
from typing import Any

import jax
from rich.console import Console

from jaxcurriculum.runs.errors import RunError, is_full_disk, is_out_of_memory
from jaxcurriculum.runs.host import Stop, interruptible, warn
from jaxcurriculum.runs.meta import changed_versions
from jaxcurriculum.runs.training import keep_programs
from jaxcurriculum.study.collect import publish
from jaxcurriculum.study.jobs import locked, open_jobs
from jaxcurriculum.study.plan import PLAN, Plan, cut
from jaxcurriculum.study.study import Study
from jaxcurriculum.study.watch import StudyWatch
from jaxcurriculum.study.work import run_job
from jaxcurriculum.study.workers import ALONE, Worker

LOCK = ".lock"
FIRST = {LOCK, f".{PLAN}.partial"}  # all that a study killed in its first moment leaves


def prepare(
    study: Study,
    folder: pathlib.Path,
    console: Console | None = None,
    at_a_time: int | None = None,
) -> Plan:
    """The plan of `study` in `folder`, written there; it goes on with the one that is there.

    A new one is cut for `at_a_time` jobs side by side, by default one a device of this process.
    What computes otherwise than when it was begun is told on `console`.

    Raises:
      RunError: see `cut`; and when the folder holds something else.
    """
    check_folder(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK):
        before = planned_in(folder)
        if before:
            with suppress(RunError):  # told again at the end, when all others are done
                publish(folder)
        plan = cut(study, before, at_a_time)
        plan.write(folder)
    if before and (changed := ", ".join(changed_versions(before.versions, plan.versions))):
        text = f"Going on with {changed}: not bit for bit as without the change."
        warn(console or Console(), text)
    return plan


def check_folder(folder: pathlib.Path) -> None:
    """Check that a study can be, or is, in `folder`.

    Raises:
      RunError: when something else is.
    """
    if not folder.exists() or (folder / PLAN).exists():
        return
    if not folder.is_dir() or set(os.listdir(folder)) - FIRST:
        raise RunError(f"{folder} exists and is not a study: choose another `folder`.")


def planned_in(folder: pathlib.Path) -> Plan | None:
    """The plan in `folder`, None where no study was begun."""
    return Plan.read(folder) if (folder / PLAN).exists() else None


def run_study(
    study: Study,
    folder: str | pathlib.Path,
    console: Console | None = None,
    worker: Worker = ALONE,
) -> signal.Signals | None:
    """Run `study` in `folder`, or go on with it, on all devices of this machine.

    Each cell ends as a run, `folder/runs/CELL`. Several processes may do so at once, best as
    `worker` 0, 1, ... of as many: each does its share first, and then helps the others.

    Returns:
      the signal that ended it before, or None.

    Raises:
      RunError: when the study cannot be, or the folder holds another one.
    """
    keep_programs()
    folder, console = pathlib.Path(folder), console or Console()
    plan = prepare(study, folder, console, worker.count * len(jax.local_devices()))
    left = {*open_jobs(folder, plan)}
    jobs = [job for job in worker.order([*plan.jobs]) if job in left]
    with interruptible() as stopped_by, remedies():
        if jobs:
            with StudyWatch(console, folder, plan, jobs) as watch:
                run_jobs(folder, jobs, watch, stopped_by)
        complete = publish(folder)
    told = f"{len(complete)} of {len(plan.cells)} runs are complete, in {folder / 'runs'}."
    console.print(told, soft_wrap=True, highlight=False)
    if not stopped_by() and (others := open_jobs(folder, plan)):
        jobs = f"{len(others)} job{'s' if len(others) > 1 else ''}"
        told = f"Another process still works at {jobs}, and writes what is left of the runs."
        console.print(told, soft_wrap=True, highlight=False)
    return stopped_by()


@contextmanager
def remedies() -> Iterator[None]:
    """Inside, a full disk or memory is told as what to do about it in a study."""
    try:
        yield
    except Exception as error:
        if is_full_disk(error):
            kept = "what is finished is kept: make room, then start the study again"
            raise RunError(f"The disk is full, or a quota is used up; {kept}.") from error
        if is_out_of_memory(error):
            fewer = "begin it in another folder with a smaller group in its file"
            raise RunError(
                f"There is not enough memory for a job of the study; {fewer}."
            ) from error
        raise


def run_jobs(
    folder: pathlib.Path, jobs: Sequence[str], watch: StudyWatch, stopped_by: Stop
) -> None:
    """Run `jobs` of the study in `folder`, one on each device at a time.

    What a person can put right ends its job alone, and is raised when all others are done; another
    failure stops the others once their state is saved.
    """
    devices = jax.local_devices()
    queue: SimpleQueue[str] = SimpleQueue()
    for job in jobs:
        queue.put(job)
    failures: list[Exception] = []
    faults: list[RunError] = []

    def work(device: Any) -> None:
        stop = lambda: signal.SIGTERM if failures else stopped_by()

        def run(job: str) -> None:
            try:
                run_job(folder, job, device, stop, watch.of(job))
            except RunError as fault:
                faults.append(fault)

        try:
            _empty(queue, run, stop)
        except Exception as error:
            failures.append(error)

    on_each_device(work, devices)
    if errors := [*failures, *faults]:
        raise errors[0]


def on_each_device(work: Callable[[Any], Any], devices: Sequence[Any]) -> list[Any]:
    """What `work` returns for each of `devices`, in a thread each."""
    pool = ThreadPoolExecutor(len(devices))
    try:
        return list(pool.map(work, devices))
    finally:
        pool.shutdown(wait=False)  # a second Ctrl-C does not wait for steps in hand


def _empty(queue: SimpleQueue[str], run: Callable[[str], Any], stopped_by: Stop) -> None:
    """Run what is in `queue` until there is nothing, or it is to stop."""
    while not stopped_by():
        try:
            job = queue.get_nowait()
        except Empty:
            return
        run(job)
