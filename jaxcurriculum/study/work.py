"""One job: what every executor calls, in any process on any machine that sees the folder."""

from __future__ import annotations

import pathlib
from contextlib import nullcontext
from typing import Any

from rich.console import Console

from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.host import Show, Stop, begin, go_on
from jaxcurriculum.runs.progress import Steps
from jaxcurriculum.runs.store import Run
from jaxcurriculum.study.collect import is_cleared, publish, remedy, revive
from jaxcurriculum.study.jobs import claimed, is_done, job_folder, set_done
from jaxcurriculum.study.lanes import experiment_of
from jaxcurriculum.study.plan import Plan


def run_job(
    study: str | pathlib.Path,
    job: str,
    device: Any = None,
    stopped_by: Stop = lambda: None,
    show: Show = lambda _: nullcontext(Steps()),
) -> bool:
    """Run a job of the study in the folder `study` from its last checkpoint to its end.

    Then write the run of every cell whose last job it was.

    Args:
      device: by default the first.
      stopped_by: says whether to stop early, once all is saved.
      show: is told how many evaluations are done, and gives what is told of every other.

    Returns:
      whether the job is complete; False when it was stopped, and while another worker has it.

    Raises:
      RunError: when the folder holds no study or no such job, or the job's files are damaged or
          of another study.
    """
    study = pathlib.Path(study)
    plan = Plan.read(study)
    if job not in plan.jobs:
        raise RunError(f"The study in {study} has no job {job!r}; it has {len(plan.jobs)}.")
    folder = job_folder(study, job)
    with claimed(folder) as is_mine:
        if is_mine and not is_done(study, plan, job):
            experiment = experiment_of(plan, plan.jobs[job], device)
            run, silent = Run(folder), Console(quiet=True)
            begin(experiment, run, silent, {})
            if is_cleared(folder):
                revive(study, plan, job, experiment)
            with remedy(folder):
                if go_on(experiment, run, silent, stopped_by, show):
                    return False
            set_done(study, plan, job)
    if not is_done(study, plan, job):
        return False
    publish(study, {cell for cell, _ in plan.jobs[job].lanes})
    return True
