"""One call for a whole run: recorded, resumed exactly, with a table and figures at its end."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Sequence
from typing import Any

import jax
from rich.console import Console

from jaxcurriculum.loop import Loop
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import known_settings, make_experiment
from jaxcurriculum.runs.host import check_folder, run_experiment
from jaxcurriculum.runs.results import by_calls, draw_results
from jaxcurriculum.runs.store import Run

SIZES = {"seeds", "seed", "steps", "group"}  # what a run writes down of `train`'s own arguments


def train(
    loop: Loop,
    path: str | pathlib.Path,
    *,
    num_steps: float,
    num_seeds: int = 1,
    first_seed: int = 0,
    group: int | None = None,
    resume: bool = False,
    settings: dict[str, Any] | None = None,
    log: Sequence[str] = (),
    console: Console | None = None,
    figures: bool = True,
) -> Run:
    """Run `loop` in the folder `path`, as the command line does: compiled programs are kept for the
    next start, progress is shown, every episode and evaluation is recorded, checkpoints are saved,
    and at the end come a table, figures and a film.

    Args:
      num_steps: environment steps a seed (episodes for simulated students), rounded up to whole
          evaluations.
      num_seeds, first_seed: independent curricula, and the number of the first; seed i is the same
          in any run (for an equal `group`).
      group: seeds that are batched together; by default so that all devices have work.
      resume: go on with the run in the folder from its last checkpoint, bit for bit; more steps
          may be asked for.
      settings: what else is to be written down, by name. A run that goes on must have the same, and
          roles with the same settings: those of the library tell them, a role of your own does in
          its `config`.
      log: where its curves go beside the run's own files: "tensorboard" (RUN/tensorboard), "wandb"
          (RUN/wandb, to be synchronised, unless WANDB_MODE is set); a run that goes on remembers.
      figures: draw the figures and the film.

    Returns:
      the run, whose tables can be read: `run.episodes()`, `run.evaluations()`, `run.reports()`.

    Raises:
      RunError: when an argument cannot be; when the folder holds something else, or a run and
          `resume` is not asked for; when the run has other settings or test tasks, or no intact
          checkpoint; when a package of `log` is missing; when it turns non-finite.
      KeyboardInterrupt: after Ctrl-C, once everything is saved.

    >>> import tempfile
    >>> from jaxcurriculum import make_loop, teachers
    >>> from jaxcurriculum.students import simulated
    >>> grid = simulated.ToyGridConfig(cells=5)
    >>> student = simulated.toy_grid(grid)
    >>> teacher = teachers.random(student.task_space)
    >>> loop = make_loop(teacher, student, simulated.toy_grid_test_tasks(grid))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     silent = Console(quiet=True)
    ...     run = train(loop, f"{folder}/mine", num_steps=1e3, console=silent, figures=False)
    ...     len(run.episodes())
    1000
    """
    keep_programs()
    console, run = console or Console(), Run(pathlib.Path(path))
    check_folder(run, resume)
    steps = (num_seeds, num_steps, first_seed, group)
    if isinstance(log, str):
        raise RunError(f"log must be a list of names, got {log!r}.")
    if taken := SIZES & {*(settings or {})}:
        raise RunError(f"settings may not hold {min(taken)!r}: an argument of its own says it.")
    named = known_settings(loop) | (settings or {})
    experiment = make_experiment(loop, *steps, settings=named)
    if stopped_by := run_experiment(experiment, run, console, log):
        raise KeyboardInterrupt(f"{stopped_by.name}: {run.path} can be gone on with by resume=True")
    draw_results(run, experiment, console, by_calls(run), pictures=figures)
    return run


def keep_programs() -> None:
    """Keep compiled programs for the next start, where nobody has said where to keep them."""
    if jax.config.values["jax_compilation_cache_dir"] is None:
        home = os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache"
        jax.config.update("jax_compilation_cache_dir", str(pathlib.Path(home) / "jaxcurriculum"))
        jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
