"""What a person sees while a run goes on: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import threading
import time

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeRemainingColumn
from rich.table import Column

from jaxcurriculum.loop import Report

SECONDS_BETWEEN_LINES = 5.0


class Steps:
    """Is told what was done, and says nothing of it."""

    def show(self, steps: int, report: Report) -> None:
        """`steps` more are done, and went as `report` says."""


class Watch(Steps):
    """Shows how far a run is; use it in a `with`.

    Args:
      total, done: steps (or episodes) of all seeds together, in the whole run and before this
          start.
      unit: what a step is, "environment steps" or "episodes".
    """

    def __init__(self, console: Console, total: int, done: int, unit: str):
        self.console, self.total, self.done, self.unit = console, total, done, unit
        self.lock = threading.Lock()  # a study has a thread a device
        self.before, self.started, self.printed, self.compiling = (
            done,
            time.monotonic(),
            float("-inf"),
            True,
        )
        time_left = TimeRemainingColumn(table_column=Column(min_width=7, no_wrap=True))
        columns = (
            BarColumn(bar_width=12),
            TextColumn("{task.percentage:3.0f}%"),
            TextColumn("{task.description}"),
            time_left,
        )
        self.bar = (
            Progress(*columns, console=console, refresh_per_second=4, speed_estimate_period=600)
            if console.is_terminal
            else None
        )
        self.task = (
            self.bar.add_task("compiling, then the first steps", total=total, completed=done)
            if self.bar
            else TaskID(0)
        )

    def __enter__(self):
        if self.bar:
            self.bar.start()
        else:
            self.console.print(
                f"{self.total - self.done:,} {self.unit} to go; compiling.", highlight=False
            )
        return self

    def __exit__(self, *_):
        if self.bar:
            self.bar.stop()

    def show(self, steps: int, report: Report) -> None:
        """`steps` more are done, and went as `report` says."""
        with self.lock:
            self.done += steps
            self.tell(report)

    def tell(self, report: Report) -> None:
        """Show how much is done, and that the last of it went as `report` says."""
        now = time.monotonic()
        speed = (self.done - self.before) / (now - self.started)
        text = f"{speed:,.0f} {self.unit.split()[-1]}/s, {outcome(report)}"
        if self.bar:
            self.bar.update(self.task, completed=self.done, description=text)
        elif now - self.printed > SECONDS_BETWEEN_LINES or self.done >= self.total:
            left = (self.total - self.done) / speed
            self.console.print(
                f"{self.done / self.total:4.0%}  {text}, {left:,.0f} s left",
                highlight=False,
                soft_wrap=True,
            )
            self.printed = now
        if self.compiling:  # the first speed counts the time to compile, the next ones do not
            self.before, self.started, self.compiling = self.done, now, False


def outcome(report: Report) -> str:
    """Mean return of the training episodes ("-" when none ended) and share of the test tasks
    that is mastered, over all seeds.
    """
    valid = np.asarray(report.episodes.valid)
    mean = f"{np.asarray(report.episodes.returns)[valid].mean():.2f}" if valid.any() else "-"
    return f"return {mean}, {100 * np.asarray(report.evaluation.solved).mean():.1f} % mastered"
