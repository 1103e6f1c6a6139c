"""Several runs side by side, the short form of a report: one table and one figure."""

from __future__ import annotations

import pathlib

import matplotlib
from matplotlib.backend_bases import FigureCanvasBase
from rich.console import Console

from jaxcurriculum.report.conditions import (
    check_comparable,
    differing_settings,
    last_steps,
    named_by_run,
)
from jaxcurriculum.report.learning_curves import learning_curves
from jaxcurriculum.report.reading import read
from jaxcurriculum.report.results import console_table, limits, result_rows
from jaxcurriculum.report.style import STYLE
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import naming
from jaxcurriculum.runs.store import Run


def compare(runs: list[Run], out: pathlib.Path, console: Console) -> pathlib.Path:
    """Print a row a run, at its last evaluation by the steps that all have, and draw their curves
    into `out`.

    The first run is the one that others are compared with. Settings in which the runs differ are
    named, and so is the least p value that so few seeds can give.

    Raises:
      RunError: when fewer than two runs are given, or one twice, they were not tested on the same
        tasks in the same unit, one was first evaluated after another had ended, or `out` is not a
        kind of picture.
    """
    check_given(runs, out)
    records = [read(run) for run in runs]
    check_comparable(records)
    conditions = named_by_run(records)
    rows = result_rows(conditions, last_steps(conditions))
    lines = limits([row.seeds for row in rows])
    if different := differing_settings(conditions):
        lines.append(f"They differ in {', '.join(different)}.")
    with matplotlib.rc_context(STYLE), naming(out):
        learning_curves(conditions).savefig(out)
    console.print(console_table(rows, records[0].meta["step_unit"]))
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    return out


def check_given(runs: list[Run], out: pathlib.Path) -> None:
    """Check that several runs are given, each once, and a kind of picture.

    Raises:
      RunError: when they are not.
    """
    if len(runs) < 2:
        raise RunError(f"compare needs at least two runs, got {len(runs)}.")
    for index, run in enumerate(runs):
        if run in runs[:index]:
            raise RunError(f"compare takes every run once, but {run.path} was given twice.")
    if out.suffix.lstrip(".") not in (kinds := FigureCanvasBase.get_supported_filetypes()):
        raise RunError(f"`out` must end in one of {', '.join(sorted(kinds))}, got {str(out)!r}.")
