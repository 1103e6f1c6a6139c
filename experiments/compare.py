"""Several runs side by side: % mastered over training, and whether the first differs from the others."""

from __future__ import annotations

import pathlib

import matplotlib
import numpy as np
import polars as pl
from matplotlib import ticker
from matplotlib.backend_bases import FigureCanvasBase
from matplotlib.figure import Figure
from rich.console import Console
from rich.table import Table

from jaxcurriculum.evaluation import bootstrap_interval, interquartile_mean, permutation_p_value
from jaxcurriculum.experiments.errors import RunError
from jaxcurriculum.experiments.plots import STYLE
from jaxcurriculum.experiments.store import Run

COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9")  # Okabe and Ito's
LINES = ("-", "--", "-.", ":")


def mastered(run: Run) -> tuple[np.ndarray, np.ndarray]:
    """Steps [evaluations], and % of the test tasks mastered [evaluations, seeds]."""
    table = run.evaluations().group_by("steps", "seed").agg(pl.col("solved").mean() * 100).sort("steps", "seed")
    steps = np.unique(table["steps"])
    return steps, table["solved"].to_numpy().reshape(len(steps), -1)


def compare(runs: list[Run], out: pathlib.Path, console: Console) -> pathlib.Path:
    """Print a row a run, at the last number of steps at which all were evaluated, and draw their curves into `out`.

    The p value is of the difference to the first run. Settings in which the runs differ are named.

    Raises:
      RunError: when fewer than two runs are given, they were not tested on the same tasks in the same unit, never at the same number of
        steps, or `out` is not a kind of picture.
    """
    check_comparable(runs)
    if out.suffix.lstrip(".") not in (kinds := FigureCanvasBase.get_supported_filetypes()):
        raise RunError(f"--out must end in one of {', '.join(sorted(kinds))}, got {str(out)!r}.")
    curves = {run: mastered(run) for run in runs}
    common = sorted(set.intersection(*[set(steps.tolist()) for steps, _ in curves.values()]))
    if not common:
        raise RunError("These runs were never evaluated at the same number of steps: give them the same --evaluate-every.")
    at_common = {run: percent[np.searchsorted(steps, common[-1])] for run, (steps, percent) in curves.items()}
    title = f"after {common[-1]:,} {runs[0].meta['step_unit']} a seed; p: of the difference to {runs[0].path.name}"
    table = Table("run", "seeds", "% mastered", "IQM", "95 % interval", "p", "minutes", title=title)
    for run, last in at_common.items():
        low, high = bootstrap_interval(last)
        spread = f" ± {last.std(ddof=1):.1f}" if len(last) > 1 else ""
        table.add_row(
            run.path.name,
            str(len(last)),
            f"{last.mean():.1f}{spread}",
            f"{interquartile_mean(last):.1f}",
            f"{low:.1f} to {high:.1f}",
            "" if run is runs[0] else f"{permutation_p_value(at_common[runs[0]], last):.2g}",
            f"{run.meta['wall_seconds'] / 60:.1f}",
        )
    console.print(table)
    if different := differing_settings(runs):
        console.print(f"They differ in {', '.join(different)}.", highlight=False, soft_wrap=True)
    with matplotlib.rc_context(STYLE):
        learning_curves(curves).savefig(out)
    return out


def check_comparable(runs: list[Run]) -> None:
    """Check that the runs answer the same question.

    Raises:
      RunError: naming the first setting of the test that differs.
    """
    if len(runs) < 2:
        raise RunError(f"compare needs at least two runs, got {len(runs)}.")
    for run in runs[1:]:
        for name in ("env", "body", "test_set", "student"):
            if run.config[name] != runs[0].config[name]:
                raise RunError(
                    f"{run.path} cannot be compared: its {name} is {run.config[name]}, that of {runs[0].path} {runs[0].config[name]}."
                )


def differing_settings(runs: list[Run]) -> list[str]:
    """Names of the settings in which `runs` differ, but for a teacher's own, that another teacher does not have."""
    configs = [run.config for run in runs]
    shared = [name for name in configs[0] if all(name in config for config in configs)]
    return [name for name in shared if any(config[name] != configs[0][name] for config in configs)]


def learning_curves(curves: dict[Run, tuple[np.ndarray, np.ndarray]]) -> Figure:
    """% of the test tasks mastered over training: mean over seeds, and a band of one standard deviation."""
    figure = Figure(figsize=(8, 4.5), layout="constrained")
    ax = figure.subplots()
    for (run, (steps, percent)), colour, line in zip(curves.items(), COLOURS, LINES * 2):
        mean = percent.mean(1)
        spread = percent.std(1, ddof=1) if percent.shape[1] > 1 else 0 * mean
        ax.plot(steps, percent, color=colour, linewidth=0.6, alpha=0.35)
        ax.plot(steps, mean, color=colour, linestyle=line, linewidth=2.5, label=f"{run.config['teacher']} ({percent.shape[1]} seeds)")
        ax.fill_between(steps, mean - spread, mean + spread, color=colour, alpha=0.15, linewidth=0)
    first = next(iter(curves))
    ax.set(xlabel=f"{first.meta['step_unit']} a seed", ylabel="test tasks mastered (%)", xlim=(0, None), ylim=(0, None))
    walker = "" if first.meta["step_unit"] == "episodes" else f" on {first.config['env']}, {first.config['body']} body"
    ax.set_title(f"{first.config['student']}{walker}: mean and standard deviation over seeds")
    ax.xaxis.set_major_formatter(ticker.EngFormatter(sep=" "))
    ax.grid(alpha=0.25)
    ax.legend(frameon=False, loc="upper left")
    return figure
