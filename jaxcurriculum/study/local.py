"""A study on this machine: one job a device at a time, until none is left."""

from __future__ import annotations

import json
import os
import pathlib
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from queue import Empty, SimpleQueue
from typing import Any

import jax
from rich.console import Console

from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.host import Stop, interruptible
from jaxcurriculum.runs.progress import Watch
from jaxcurriculum.study.collect import publish_all
from jaxcurriculum.study.jobs import job_folder, locked, open_jobs
from jaxcurriculum.study.lanes import experiment_of
from jaxcurriculum.study.plan import PLAN, Plan, cut
from jaxcurriculum.study.study import Study
from jaxcurriculum.study.work import run_job

LOCK = ".lock"
FIRST = {LOCK, f".{PLAN}.partial"}  # all that a study killed in its first moment leaves


def prepare(study: Study, folder: pathlib.Path) -> Plan:
    """The plan of `study` in `folder`, written there; it goes on with the one that is there.

    Raises:
      RunError: see `cut`.
    """
    begun = (folder / PLAN).exists()
    if folder.exists() and not begun and (not folder.is_dir() or set(os.listdir(folder)) - FIRST):
        raise RunError(f"{folder} exists and is not a study: choose another `folder`.")
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK):
        before = Plan.read(folder) if (folder / PLAN).exists() else None
        if before:
            publish_all(folder)
        plan = cut(study, before)
        plan.write(folder)
    return plan


def run_study(
    study: Study, folder: str | pathlib.Path, console: Console | None = None
) -> signal.Signals | None:
    """Run `study` in `folder`, or go on with it, on all devices of this machine.

    Each cell ends as a run, `folder/runs/CELL`. Several processes may do so at once.

    Returns:
      the signal that ended it before, or None.

    Raises:
      RunError: when the study cannot be, or the folder holds another one.
    """
    folder, console = pathlib.Path(folder), console or Console()
    plan = prepare(study, folder)
    with interruptible() as stopped_by:
        run_jobs(folder, open_jobs(folder, plan), console, stopped_by)
    publish_all(folder)
    return stopped_by()


def run_jobs(folder: pathlib.Path, jobs: Sequence[str], console: Console, stopped_by: Stop) -> None:
    """Run `jobs` of the study in `folder`, one on each device at a time."""
    if not jobs:
        return
    devices = jax.local_devices()
    queue: SimpleQueue[str] = SimpleQueue()
    for job in jobs:
        queue.put(job)
    failures: list[Exception] = []

    def work(device: jax.Device) -> None:
        stop = lambda: signal.SIGTERM if failures else stopped_by()
        try:
            _empty(queue, lambda job: run_job(folder, job, device, stop, watch), stop)
        except Exception as error:
            failures.append(error)

    pool = ThreadPoolExecutor(len(devices))
    with _watch(folder, jobs, console) as watch:
        try:
            list(pool.map(work, devices))
        finally:
            pool.shutdown(wait=False)  # a second Ctrl-C does not wait for steps in hand
    if failures:
        raise failures[0]


def _empty(queue: SimpleQueue[str], run: Callable[[str], Any], stopped_by: Stop) -> None:
    """Run what is in `queue` until there is nothing, or it is to stop."""
    while not stopped_by():
        try:
            job = queue.get_nowait()
        except Empty:
            return
        run(job)


def _watch(folder: pathlib.Path, jobs: Sequence[str], console: Console) -> Watch:
    """Shows how far `jobs` are, all together."""
    plan = Plan.read(folder)
    total = done = 0
    unit = ""
    for job in jobs:
        experiment = experiment_of(plan, plan.jobs[job], jax.local_devices()[0])
        steps = experiment.loop.steps_per_advance * experiment.num_seeds
        total += steps * experiment.num_advances
        done += steps * _evaluations_done(job_folder(folder, job))
        unit = experiment.loop.student.step_unit
    return Watch(console, total, done, unit)


def _evaluations_done(job: pathlib.Path) -> int:
    try:
        return json.loads((job / "meta.json").read_text())["evaluations_done"]
    except FileNotFoundError:
        return 0
