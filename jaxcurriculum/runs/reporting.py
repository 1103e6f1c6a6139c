"""The report of a study, in one call."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from rich.console import Console

from jaxcurriculum.runs.errors import RunError


def report(
    folders: str | pathlib.Path | Sequence[str | pathlib.Path],
    out: str | pathlib.Path | None = None,
    walks: bool = False,
    console: Console | None = None,
) -> list[pathlib.Path]:
    """Report on a study or on runs, as the command line does.

    Prints a row a condition (runs that differ in nothing but their seeds), and writes the table,
    figures and a web page with the curricula as films: `runs.report("studies/mine")`. Runs that
    were tested on other tasks, as those of another world, have a folder of their own.

    Args:
      folders: a study, a folder of runs, a run, or several of them.
      out: the folder that is written, by default `report` in the study.
      walks: also play students on test tasks, in the page; their world is compiled for it.

    Returns:
      the paths of the files, the page first.

    Raises:
      RunError: when there is no run, none can be read, or they were never tested after the same
          number of steps.
    """
    from jaxcurriculum.report import study_report

    named = [folders] if isinstance(folders, str | pathlib.Path) else folders
    paths = [pathlib.Path(folder) for folder in named]
    if not paths:
        raise RunError("report needs at least one folder, got none.")
    folder = None if out is None else pathlib.Path(out)
    return study_report.report(paths, folder, walks, console or Console())
