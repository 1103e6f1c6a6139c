"""Several runs side by side: % mastered over training, and whether the first differs from the
others.
"""

from __future__ import annotations

import itertools
import pathlib
import re

import matplotlib
import numpy as np
from matplotlib import ticker
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Column, Table

from jaxcurriculum.report.plots import MOST_LINES, draw_seeds
from jaxcurriculum.report.statistics import (
    bootstrap_interval,
    interquartile_mean,
    least_p_value,
    permutation_p_value,
)
from jaxcurriculum.report.style import STYLE
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.store import Run, differ, naming
from jaxcurriculum.runs.test_tasks import different_tasks, tasks_of

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito's
LINES = ("-", "--", "-.", ":")
FEW = 0.01  # where no p value can be smaller than this, the reader is told


def compare(runs: list[Run], out: pathlib.Path, console: Console) -> pathlib.Path:
    """Print a row a run, at the last number of steps at which all were evaluated, and draw their
    curves into `out`.

    The p value is of the difference to the first run. Settings in which the runs differ are named,
    and so is the least p value that so few seeds can give.

    Raises:
      RunError: when fewer than two runs are given, or one twice, they were not tested on the same
        tasks in the same unit, never at the same number of steps, or `out` is not a kind of
        picture.
    """
    check_comparable(runs)
    if out.suffix.lstrip(".") not in (kinds := FigureCanvasBase.get_supported_filetypes()):
        raise RunError(f"`out` must end in one of {', '.join(sorted(kinds))}, got {str(out)!r}.")
    curves = {run: run.mastered() for run in runs}
    common = sorted(set.intersection(*[set(steps.tolist()) for steps, _ in curves.values()]))
    if not common:
        raise RunError(
            "These runs were never evaluated at the same number of steps: give them the same"
            " `rounds_per_evaluation`."
        )
    at_common = {
        run: percent[np.searchsorted(steps, common[-1])] for run, (steps, percent) in curves.items()
    }
    table = comparison_table(at_common, common[-1])
    lines = limits({run: len(last) for run, last in at_common.items()})
    if different := differing_settings(runs):
        lines.append(f"They differ in {', '.join(different)}.")
    with matplotlib.rc_context(STYLE), naming(out):
        learning_curves(curves).savefig(out)
    console.print(table)
    for line in lines:
        console.print(line, highlight=False, soft_wrap=True)
    return out


def comparison_table(mastered_by: dict[Run, np.ndarray], steps: int) -> Table:
    """A row a run; `mastered_by` holds the % mastered by each of its seeds, [seeds], after
    `steps`.
    """
    first, names = next(iter(mastered_by)), short_names(list(mastered_by))
    title = (
        f"after {steps:,} {first.meta['step_unit']} a seed; p: of the difference to {names[first]}"
    )
    table = Table(
        Column("run", overflow="fold"),
        "seeds",
        "% mastered",
        "IQM",
        "95 % interval",
        "p",
        "minutes",
        title=title,
    )
    for run, last in mastered_by.items():
        low, high = bootstrap_interval(last)
        spread = f" ± {last.std(ddof=1):.1f}" if len(last) > 1 else ""
        table.add_row(
            names[run],
            f"{len(last):,}",
            f"{last.mean():.1f}{spread}",
            f"{interquartile_mean(last):.1f}",
            f"{low:.1f} to {high:.1f}",
            "" if run is first else f"{permutation_p_value(mastered_by[first], last):.2g}",
            f"{run.meta['wall_seconds'] / 60:.1f}",
        )
    return table


def limits(num_seeds: dict[Run, int]) -> list[str]:
    """What so few seeds cannot tell, a sentence for each pair of numbers of seeds."""
    first, *others = num_seeds.values()
    least = {num: least_p_value(first, num) for num in others}
    return [
        f"p of {first} against {num} seeds is at least {p:.2g}: only more seeds can make it"
        " smaller."
        for num, p in least.items()
        if p >= FEW
    ]


def check_comparable(runs: list[Run]) -> None:
    """Check that the runs answer the same question: the same test tasks in the same world.

    Raises:
      RunError: naming what differs.
    """
    if len(runs) < 2:
        raise RunError(f"compare needs at least two runs, got {len(runs)}.")
    first, *others = runs
    for index, run in enumerate(others, 1):
        if run in runs[:index]:
            raise RunError(f"compare takes every run once, but {run.path} was given twice.")
        if difference := different_tests(first, run):
            raise RunError(f"{run.path} cannot be compared with {first.path}: {difference}.")


def world(run: Run) -> str:
    """What the test tasks of a run are of: its environment, or the simulated student.

    One that a challenge makes harder is the same, by whatever name the run knows it.
    """
    known = run.meta.get("world") or run.config["env"] or run.config["student"]
    return known.partition(",")[0]


def different_tests(one: Run, other: Run) -> str | None:
    """In what the tests of two runs differ; None where they are the same."""
    if world(one) != world(other):
        return f"its tasks are of {world(other)}, not of {world(one)}"
    return different_tasks(tasks_of(one), tasks_of(other))


def differing_settings(runs: list[Run]) -> list[str]:
    """Names of the settings in which `runs` differ, but for a teacher's own, that another
    teacher does not have.
    """
    first, *others = (run.config for run in runs)
    shared = [name for name in first if all(name in config for config in others)]
    return [name for name in shared if any(differ(first[name], other[name]) for other in others)]


def short_names(runs: list[Run]) -> dict[Run, str]:
    """What to call each run: its folder's name, or the whole path where another folder has the
    same name.
    """
    own = {run: run.path.resolve().name for run in runs}
    return {
        run: str(run.path) if list(own.values()).count(name) > 1 else name
        for run, name in own.items()
    }


def labels(runs: list[Run]) -> dict[Run, str]:
    """The names of the runs, with the teacher where it differs between them and is not the name
    itself.
    """
    teachers = {run: run.config["teacher"] for run in runs}
    differ = len(set(teachers.values())) > 1
    named = {}
    for run, name in short_names(runs).items():
        shown = re.sub(
            "^_", " _", name.replace("$", r"\$")
        )  # matplotlib reads formulas, and hides _
        named[run] = f"{shown}: {teachers[run]}" if differ and name != teachers[run] else shown
    return named


def learning_curves(curves: dict[Run, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """% of the test tasks mastered over training, a colour and a style of line for each run."""
    named = labels(list(curves))
    columns = max(
        1, 75 // (max(len(label) for label in named.values()) + 20)
    )  # some 75 characters fit beside one another
    figure = Figure(figsize=(8, 4.5 + 0.25 * -(-len(curves) // columns)), layout="constrained")
    ax = figure.subplots()
    for (run, (steps, percent)), colour, line in zip(
        curves.items(), itertools.cycle(COLOURS), itertools.cycle(LINES)
    ):
        num_seeds = percent.shape[1]
        draw_seeds(
            ax,
            steps,
            percent,
            colour,
            line,
            f"{named[run]} ({num_seeds:,} seed{'s' if num_seeds > 1 else ''})",
        )
    first = next(iter(curves))
    ax.set(
        xlabel=f"{first.meta['step_unit']} a seed",
        ylabel="test tasks mastered (%)",
        xlim=(0, None),
        ylim=(0, None),
    )
    ax.set_title(_caption(list(curves), max(percent.shape[1] for _, percent in curves.values())))
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=" "))
    ax.grid(alpha=0.25)
    figure.legend(frameon=False, loc="outside lower center", ncols=columns)
    return figure


def _caption(runs: list[Run], most_seeds: int) -> str:
    config, unit = runs[0].config, runs[0].meta["step_unit"]
    alike = len({run.config["teacher"] for run in runs}) == 1
    who = f"{config['teacher']} teaching {config['student']}" if alike else config["student"]
    bodies = {run.config.get("env.body") for run in runs}
    body = f", {config['env.body']} body" if len(bodies) == 1 and None not in bodies else ""
    walker = "" if unit == "episodes" else f" on {config['env']}{body}"
    thin = f" (thin: the first {MOST_LINES} of each run)" if most_seeds > MOST_LINES else ""
    return f"{who}{walker}\nmean and standard deviation over seeds{thin}"
