"""What a person sees at the end of a run: the table, and the paths of the pictures."""

from __future__ import annotations

import pathlib
import shlex
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from jaxcurriculum.runs.errors import in_flags, sentence

if TYPE_CHECKING:
    from rich.console import Console

    from jaxcurriculum.runs.experiment import Experiment
    from jaxcurriculum.runs.store import Run


class Again(NamedTuple):
    """How the results of a run are made again, and the words of whoever asked for it."""

    table: str
    figures: str
    film: str
    worded: Callable[[str], str] = str


def draw_results(
    run: Run,
    experiment: Experiment,
    console: Console,
    again: Again,
    pictures: bool = True,
) -> None:
    """Print the table at the end of a run, and draw its pictures.

    What fails is told with how to try `again`.
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

    softly("table", table, again)
    if not pictures:
        return
    softly("figures", figures, again)
    env = experiment.loop.student.environment
    if env is not None and env.viewer is not None:
        softly("film", film, again)


def softly(what: str, work: Callable[[], None], again: Again) -> None:
    """Do `work`, which makes `what`; where it fails, say how to try `again`."""
    try:
        work()
    except (Exception, KeyboardInterrupt) as error:
        interrupted = isinstance(error, KeyboardInterrupt)
        known = "interrupted" if interrupted else sentence(error)
        reason = again.worded(known or f"{type(error).__name__}: {error}")
        tried = f"the run is complete, but not its {what} ({reason.rstrip('.')})"
        print(f"jaxcurriculum: {tried}; try again with: {getattr(again, what)}", file=sys.stderr)
        if interrupted:
            raise


def by_commands(run: Run) -> Again:
    """How the command line makes the results of a run again."""
    resumed = ("train", "--out", run.path.parent, "--name", run.path.name, "--resume")
    return Again(
        table=command_line(*resumed),
        figures=command_line("plot", run.path),
        film=command_line("render", run.path),
        worded=in_flags,
    )


def by_calls(run: Run) -> Again:
    """How Python makes the results of a run again."""
    path = str(run.path)
    return Again(
        table=f"runs.train(loop, {path!r}, ..., resume=True)",
        figures=command_line("plot", run.path),
        film=f"runs.render({path!r}, loop=loop)",
    )


def command_line(*words: str | pathlib.Path) -> str:
    """A command of this program as a shell takes it."""
    return shlex.join(["jaxcurriculum", *map(str, words)])


def show_paths(paths: list[pathlib.Path], console: Console) -> None:
    """One path a line, never wrapped, so that it can be clicked and copied."""
    for path in paths:
        console.print(str(path), soft_wrap=True, highlight=False)
