"""How far a study is, whoever runs its jobs: this process tells of its own, files of the others."""

from __future__ import annotations

import json
import math
import pathlib
import time
from collections.abc import Sequence
from contextlib import nullcontext

from rich.console import Console

from jaxcurriculum.loop import Report
from jaxcurriculum.runs.host import Show
from jaxcurriculum.runs.progress import Steps, Watch
from jaxcurriculum.study.jobs import is_done, job_folder, steps_of
from jaxcurriculum.study.lanes import loop_of
from jaxcurriculum.study.plan import Plan

SHARE = 0.01  # of the time that may go into reading files


class StudyWatch(Watch):
    """Shows how far `jobs` are, all together; use it in a `with`."""

    def __init__(self, console: Console, folder: pathlib.Path, plan: Plan, jobs: Sequence[str]):
        self.folder, self.plan = folder, plan
        loops = {job: loop_of(plan, plan.jobs[job].lanes[0][0]) for job in jobs}
        groups = {job: plan.programs[plan.jobs[job].program].group for job in jobs}
        self.steps = {job: groups[job] * loops[job].steps_per_advance for job in jobs}
        self.last = {
            job: math.ceil(steps_of(plan, job) / loops[job].steps_per_advance) for job in jobs
        }
        self.evaluations = {job: self._on_disk(job) for job in jobs}
        self.others = set(jobs)  # that this process has not begun
        self.read_next = 0.0
        units = {loop.student.step_unit for loop in loops.values()}
        unit = units.pop() if len(units) == 1 else "steps"
        super().__init__(console, self._sum(self.last), self._sum(self.evaluations), unit)

    def of(self, job: str) -> Show:
        """What shows the evaluations of `job`, told how many are done already."""

        def begin(done: int) -> nullcontext[Steps]:
            with self.lock:
                self.others.discard(job)
                self.evaluations[job] = done
            return nullcontext(OfJob(self, job))

        return begin

    def show_one(self, job: str, report: Report) -> None:
        """An evaluation of `job` is done, and went as `report` says."""
        with self.lock:
            self.evaluations[job] += 1
            self._read()
            self.done = self._sum(self.evaluations)
            self.tell(report)

    def _read(self) -> None:
        """What the other jobs have come to, if it is time to look."""
        began = time.monotonic()
        if began < self.read_next:
            return
        for job in self.others:
            if self.evaluations[job] < self.last[job]:
                self.evaluations[job] = self._on_disk(job)
        now = time.monotonic()
        self.read_next = now + (now - began) / SHARE

    def _on_disk(self, job: str) -> int:
        """The evaluations of a job that are saved."""
        try:
            meta = json.loads((job_folder(self.folder, job) / "meta.json").read_text())
            return meta["evaluations_done"]
        except FileNotFoundError:  # not begun, or in the runs already
            return self.last[job] if is_done(self.folder, self.plan, job) else 0

    def _sum(self, evaluations: dict[str, int]) -> int:
        return sum(self.steps[job] * num for job, num in evaluations.items())


class OfJob(Steps):
    """The evaluations of one job."""

    def __init__(self, watch: StudyWatch, job: str):
        self.watch, self.job = watch, job

    def show(self, steps: int, report: Report) -> None:
        self.watch.show_one(self.job, report)
