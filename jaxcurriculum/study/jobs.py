"""The jobs of a study on disk: a folder each, who works at it, and whether it is done.

    STUDY/jobs/00000/  claim.json   who works at it, or was when its process was killed
                       done.json    who completed it, and for how many steps a seed
                       and the files of a run whose seeds are the job's lanes

A claim is a lock of the system's: it ends with the process that holds it, however that ends.
"""

from __future__ import annotations

import datetime
import json
import os
import pathlib
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from filelock import FileLock, Timeout

from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import naming, write_json
from jaxcurriculum.study.plan import Plan

DONE, CLAIM, LOCK = "done.json", "claim.json", ".claim"


def job_folder(study: pathlib.Path, job: str) -> pathlib.Path:
    """Where the files of a job are."""
    return study / "jobs" / job


def steps_of(plan: Plan, job: str) -> float:
    """The budget of each lane of a job."""
    cell, _ = plan.jobs[job].lanes[0]
    return plan.cells[cell].config["steps"]


def is_done(study: pathlib.Path, plan: Plan, job: str) -> bool:
    """Whether a job is complete."""
    path = job_folder(study, job) / DONE
    try:
        with naming(path):
            return json.loads(path.read_text())["steps"] >= steps_of(plan, job)
    except FileNotFoundError:
        return False
    except (ValueError, KeyError, TypeError) as error:
        again = "remove it, and the study finds out again what is left of the job"
        raise RunError(f"{path} is damaged ({error!r}): {again}.") from None


def open_jobs(study: pathlib.Path, plan: Plan) -> list[str]:
    """The jobs that are not complete, in their order."""
    return [job for job in plan.jobs if not is_done(study, plan, job)]


def set_done(study: pathlib.Path, plan: Plan, job: str) -> None:
    """Note that a job is complete."""
    write_json(job_folder(study, job) / DONE, {"steps": steps_of(plan, job)} | worker())


@contextmanager
def claimed(folder: pathlib.Path) -> Iterator[bool]:
    """Whether the job in `folder` is this worker's own inside; False while another has it."""
    folder.mkdir(parents=True, exist_ok=True)
    with locked(folder / LOCK, timeout=0) as is_mine:
        if is_mine:
            write_json(folder / CLAIM, worker())
        yield is_mine
        if is_mine:
            (folder / CLAIM).unlink(missing_ok=True)


@contextmanager
def locked(path: pathlib.Path, timeout: float = -1) -> Iterator[bool]:
    """Whether the lock `path` is held inside; the system lets go of it when a process ends.

    Args:
      timeout: seconds to wait for it; -1: for ever.
    """
    lock = FileLock(path, timeout=timeout, fallback_to_soft=False, thread_local=False)
    try:
        with naming(path):
            lock.acquire()
    except Timeout:
        yield False
        return
    try:
        yield True
    finally:
        lock.release()


def worker() -> dict[str, Any]:
    """Who works here, and since when."""
    now = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {"host": platform.node(), "process": os.getpid(), "since": now}
