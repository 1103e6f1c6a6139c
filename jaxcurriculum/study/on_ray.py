"""A study on a Ray cluster: every job is a task, in a process with a JAX of its own.

The process that hands out the jobs computes nothing, so that it takes no accelerator from them. All
that lasts is in the study's folder, which every node must see: when a worker is lost its job goes
on from its checkpoint elsewhere, and when this process is, the next start goes on.
"""

from __future__ import annotations

import io
import pathlib
import platform
import signal
import time
from collections.abc import Callable, Sequence
from typing import Any

import jax
from rich.console import Console

from jaxcurriculum.device.machine import use_cores
from jaxcurriculum.runs.errors import RunError, sentence
from jaxcurriculum.runs.host import Stop, interruptible
from jaxcurriculum.runs.switches import set_switches
from jaxcurriculum.runs.training import keep_programs
from jaxcurriculum.study.cluster import (
    check_shared,
    connected,
    find_places,
    gpus_of_a_job,
    result,
)
from jaxcurriculum.study.collect import publish
from jaxcurriculum.study.jobs import open_jobs
from jaxcurriculum.study.local import prepare, remedies
from jaxcurriculum.study.plan import Plan
from jaxcurriculum.study.study import Study
from jaxcurriculum.study.work import run_job

RETRIES = 20  # lost workers of a job
PAUSE = 1.0  # s until a job is asked for again that another worker has
PATIENCE = 60.0  # s that jobs are given to save what they have


def run_on_ray(
    study: Study,
    folder: str | pathlib.Path,
    address: str = "local",
    cpus_per_job: int = 1,
    gpus_per_job: int | None = None,
    console: Console | None = None,
) -> signal.Signals | None:
    """Run `study` in `folder`, or go on with it, on a Ray cluster.

    Numbers are those of `run_study`, bit for bit, on equal devices and for equal groups.

    Args:
      folder: on a file system that all nodes share.
      address: of the cluster, as HOST:PORT; "auto" for the one that this machine belongs to,
          "local" for one that is made of this machine and ends with the study. A Ray that this
          process has begun is used whatever the address.
      cpus_per_job, gpus_per_job: what a job keeps for itself; by default one GPU where there are
          any.

    Returns:
      the signal that ended it before, or None.

    Raises:
      RunError: when Ray is not installed; when there is no cluster at `address`, no node of it has
          what a job needs, or one does not see `folder`; when a job loses its worker too often;
          when the study cannot be.
    """
    folder, console = pathlib.Path(folder).absolute(), console or Console()
    if cpus_per_job < 1 or (gpus_per_job or 0) < 0:
        asked = f"{cpus_per_job} CPUs and {gpus_per_job} GPUs"
        raise RunError(f"A job must have a CPU, and may have GPUs, but was to have {asked}.")
    with connected(address) as ray, interruptible() as stopped_by:
        nodes = [node for node in ray.nodes() if node["Alive"]]
        gpus = gpus_of_a_job(nodes) if gpus_per_job is None else gpus_per_job
        places = find_places(nodes, cpus_per_job, gpus)
        check_shared(ray, folder, places)
        resources = {"num_cpus": cpus_per_job, "num_gpus": gpus}
        task = ray.remote(max_retries=RETRIES, **resources)(in_worker)
        keep_programs()
        programs = jax.config.values["jax_compilation_cache_dir"]
        start = lambda function, *arguments: task.remote(programs, function, *arguments)
        at_a_time = sum(places.values())
        console.print("Planning, on the cluster's first free worker.", highlight=False)
        plan, told = result(ray, start(prepared, study, folder, at_a_time))
        console.print(told, end="", style="yellow", soft_wrap=True, highlight=False)
        jobs = open_jobs(folder, plan)
        console.print(f"{len(jobs)} jobs to go, {at_a_time} at a time.", highlight=False)
        hand_out(ray, lambda job: start(attempt, folder, job), jobs, console, stopped_by)
        if not stopped_by():
            complete = result(ray, start(publish, folder))
            told = f"{len(complete)} of {len(plan.cells)} runs are complete, in {folder / 'runs'}."
            console.print(told, soft_wrap=True, highlight=False)
    return stopped_by()


def in_worker(programs: str, function: Callable[..., Any], *arguments: Any) -> Any:
    """Call `function` in a worker as the command line would."""
    jax.config.update("jax_compilation_cache_dir", programs)
    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    set_switches()
    use_cores()
    try:
        with remedies():
            return function(*arguments)
    except Exception as error:
        message = sentence(error)
        if message is None:
            raise
        raise RunError(f"{platform.node()}: {message}") from None


def prepared(study: Study, folder: pathlib.Path, at_a_time: int) -> tuple[Plan, str]:
    """The plan, and what `prepare` tells."""
    said = io.StringIO()
    plan = prepare(study, folder, Console(file=said, width=1000), at_a_time)
    return plan, said.getvalue()


def attempt(folder: pathlib.Path, job: str) -> str | None:
    """Run a job. Returns on which host it was completed; None when it is to be tried again."""
    with interruptible() as stopped_by:
        if run_job(folder, job, stopped_by=stopped_by):
            return platform.node()
        if not stopped_by():
            time.sleep(PAUSE)
    return None


def hand_out(
    ray: Any,
    start: Callable[[str], Any],
    jobs: Sequence[str],
    console: Console,
    stopped_by: Stop,
) -> None:
    """Run all `jobs`, as many at a time as there is room for; when one fails, stop the others."""
    waiting = {start(job): job for job in jobs}
    try:
        while waiting and not stopped_by():
            ready, _ = ray.wait([*waiting], timeout=0.5)
            for each in ready:
                job = waiting.pop(each)
                if host := result(ray, each):
                    done = len(jobs) - len(waiting)
                    console.print(f"{done} of {len(jobs)} jobs: {job} on {host}", highlight=False)
                else:
                    waiting[start(job)] = job
    finally:
        for each in waiting:
            ray.cancel(each)
        if waiting:
            ray.wait([*waiting], num_returns=len(waiting), timeout=PATIENCE)
