"""Episodes of a run as pictures, films and pages, with the policy of its last checkpoint."""

from __future__ import annotations

import pathlib
from collections.abc import Sequence

from jaxcurriculum.loop import Loop
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import Experiment
from jaxcurriculum.runs.policy_file import run_or_policy
from jaxcurriculum.runs.rebuilding import rebuilt
from jaxcurriculum.runs.store import Run
from jaxcurriculum.runs.training import keep_programs


def render(
    run: Run | str | pathlib.Path,
    *,
    loop: Loop | None = None,
    task: Sequence[float] | str = (),
    seed: int | None = None,
    track_seed: int = 0,
    html: bool = False,
    at: float | None = None,
    out: str | pathlib.Path | None = None,
) -> pathlib.Path:
    """Show episodes of a run, as the command line does.

    One episode as an animation or a picture, or a page with nine, which plays in any browser:
    `runs.render("runs/mine", html=True)`. The policy acts as in the run's tests: by its mean
    action, or by sampled ones (`LoopConfig.deterministic`).

    Args:
      run: the run, its folder, or a policy file (which is shown on a `task`, and beside it).
      loop: as it was trained, for a run of `runs.train`.
      task: one value an axis, or a maze as text or a .txt file with one; by default the hardest
          test task that is mastered steadily (of a page, test tasks from all over the task space).
      seed: whose policy, by default the first of the run.
      track_seed: another number, another level of the same task; and other actions where they are
          sampled.
      html: write the page.
      at: the moment that a .png shows, seconds after the start; by default half-way.
      out: a .gif, .mp4, .png or (html) .html file, by default one in the folder of the figures.

    Returns:
      the path of the file.

    Raises:
      RunError: when the folder holds no run, or one of another loop, and when the run has no
          checkpoint, no viewer or no such seed, or the task, level, moment or file cannot be.
    """
    keep_programs()
    run = run_or_policy(run)
    out = None if out is None else pathlib.Path(out)
    asked = (task,) if isinstance(task, str) else tuple(task)
    return show(run, rebuilt(run, loop), asked, seed, track_seed, html, at, out)


def show(
    run: Run,
    experiment: Experiment,
    task: tuple[float | str, ...],
    seed: int | None,
    track_seed: int,
    html: bool,
    at: float | None,
    out: pathlib.Path | None,
) -> pathlib.Path:
    """`render`, once it is known what was run."""
    from jaxcurriculum.report.film import animate
    from jaxcurriculum.report.page import show_page

    if html and at is not None:
        raise RunError(f"`at` names the moment that a .png shows, got {at:g} with `html`.")
    what = (run, experiment, task, seed, track_seed, out)
    return show_page(*what) if html else animate(*what, at=at)
