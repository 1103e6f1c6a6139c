"""What a person sees at the end of a run: the table, and the paths of the pictures."""

from __future__ import annotations

import pathlib
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING

from jaxcurriculum.runs.errors import sentence

if TYPE_CHECKING:
    from rich.console import Console

    from jaxcurriculum.runs.experiment import Experiment
    from jaxcurriculum.runs.store import Run


def draw_results(run: Run, experiment: Experiment, console: Console, pictures: bool = True) -> None:
    """Print the table at the end of a run, and draw its pictures; what fails says how to try
    again.
    """

    def table():
        from jaxcurriculum.report.summary import summarise

        summarise(run, console)

    def figures():
        from jaxcurriculum.report.plots import draw

        show_paths(draw(run), console)

    def film():
        from jaxcurriculum.report.film import animate

        show_paths([animate(run, experiment)], console)

    softly("table", table, "train", "--out", run.path.parent, "--name", run.path.name, "--resume")
    if not pictures:
        return
    softly("figures", figures, "plot", run.path)
    env = experiment.loop.student.environment
    if env is not None and env.viewer is not None:
        softly("film", film, "render", run.path)


def softly(what: str, work: Callable[[], None], *again: str | pathlib.Path) -> None:
    """Do `work`, which makes `what`; where it fails, say with which command to try `again`."""
    try:
        work()
    except (Exception, KeyboardInterrupt) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        known = "interrupted" if interrupted else sentence(error)
        reason = known or f"{type(error).__name__}: {error}"
        tried = f"the run is complete, but not its {what} ({reason.rstrip('.')})"
        print(f"jaxcurriculum: {tried}; try again with: {command_line(*again)}", file=sys.stderr)
        if interrupted:
            raise


def command_line(*words: str | pathlib.Path) -> str:
    """A command of this program as a shell takes it."""
    return shlex.join(["jaxcurriculum", *map(str, words)])


def show_paths(paths: list[pathlib.Path], console: Console) -> None:
    """One path a line, never wrapped, so that it can be clicked and copied."""
    for path in paths:
        console.print(str(path), soft_wrap=True, highlight=False)
