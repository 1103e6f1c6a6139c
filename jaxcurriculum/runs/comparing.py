"""Several runs side by side, in one call."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from rich.console import Console

from jaxcurriculum.runs.store import Run, run_at


def compare(
    runs: Sequence[Run | str | pathlib.Path],
    out: str | pathlib.Path = "comparison.png",
    console: Console | None = None,
) -> pathlib.Path:
    """Compare runs that were tested on the same tasks, as the command line does.

    Prints a row a run, with a permutation test of its difference to the first, and draws the
    learning curves of all: `runs.compare(["runs/random", "runs/mine"])`.

    Args:
      out: the figure, of any kind that matplotlib writes.

    Returns:
      the path of the figure.

    Raises:
      RunError: when there are fewer than two runs, when one is given twice, when they were not
          tested on the same tasks, or one for the first time after another had ended, and when
          the figure cannot be.
    """
    from jaxcurriculum.report import compare as report

    every = [run_at(run) for run in runs]
    return report.compare(every, pathlib.Path(out), console or Console())
