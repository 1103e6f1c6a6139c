"""A web page that plays a batch of episodes side by side: one file, which needs no network."""

from __future__ import annotations

import base64
import html
import io
import pathlib
from collections.abc import Sequence

import jax
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.records import PyTree
from jaxcurriculum.report.asked_task import Asked, asked_task, file_stem
from jaxcurriculum.report.film import (
    Actor,
    check_path,
    load,
    play,
    showpiece,
)
from jaxcurriculum.report.writing import write_gif
from jaxcurriculum.runs.experiment import Experiment
from jaxcurriculum.runs.files import write_file
from jaxcurriculum.runs.store import Run, title
from jaxcurriculum.viewer import Film, Viewer

NUM_EPISODES = 9
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>{title}</title>
<meta name="viewport" content="width=device-width, initial-scale=1">
<style>
body {{ font: 15px system-ui, sans-serif; margin: clamp(.5em, 2.5vw, 2em); }}
h1 {{ font-size: 1.3em; }}
main {{ display: grid; gap: 1.5em; }}
main {{ grid-template-columns: repeat(auto-fill, minmax(min(20em, 100%), 1fr)); }}
figure {{ margin: 0; }}
img {{ width: 100%; }}
</style>
<h1>{title}</h1>
<main>
{figures}
</main>
</html>
"""
FIGURE = """<figure>
<img alt="{caption}" src="data:image/gif;base64,{image}">
<figcaption>{caption}</figcaption>
</figure>"""


def show_page(
    run: Run,
    experiment: Experiment,
    task: Asked = (),
    seed: int | None = None,
    track_seed: int = 0,
    out: pathlib.Path | None = None,
) -> pathlib.Path:
    """Play nine episodes, on nine levels of `task` or else on test tasks from all over the space,
    and write a web page of them. Returns its path.

    Raises:
      RunError: when the run has no environment, no checkpoint or no such seed, or when the task,
          level or file cannot be.
    """
    actor = load(run, experiment, seed)
    path = run.figures / f"{file_stem(task, seed, track_seed)}.html" if out is None else out
    check_path(path, ".html")
    asked = asked_task(actor.student.task_space, task) if task else None
    known = tree.take(actor.test_tasks, spread(actor)) if asked is None else asked
    num = jax.tree.leaves(known)[0].shape[0]
    # Fewer tasks are shown again, on the next level.
    laps, places = np.divmod(np.arange(NUM_EPISODES), num)
    films = play(actor, tree.take(known, places), [track_seed + int(lap) for lap in laps])
    heading = f"{run.path.resolve().name}: {title(run.config)}, seed {actor.seed}"
    text = page(heading, actor.viewer, films)
    write_file(path, lambda temporary: temporary.write_text(text, encoding="utf-8"))
    return path


def spread(actor: Actor) -> np.ndarray:
    """At most nine test tasks, in their order: the showpiece, and again and again the one that is
    farthest from all chosen before (where tasks have no distance, evenly by number). [num] indices.
    """
    space, tasks = actor.student.task_space, actor.test_tasks
    num = jax.tree.leaves(tasks)[0].shape[0]
    first = showpiece(actor)
    points = places(space, tasks)
    if points is None:
        others = np.linspace(0, num - 1, NUM_EPISODES - 1).round().astype(int)
        return np.unique([first, *others])
    return farthest(points, first)


def places(space, tasks: PyTree) -> np.ndarray | None:
    """Where the tasks lie in the unit cube, [num, dims]; None where they have no distance."""
    one = tree.take(tasks, 0)
    if space.embed(one) is None:
        return None
    return np.asarray(jax.vmap(space.embed)(tasks))


def farthest(points: np.ndarray, first: int) -> np.ndarray:
    """At most nine of `points` ([num, dims]), sorted indices, far from each other.

    >>> farthest(np.array([[0.0], [0.1], [0.5], [1.0]]), 1).tolist()
    [0, 1, 2, 3]
    """
    chosen = [first]
    while len(chosen) < min(NUM_EPISODES, len(np.unique(points, axis=0))):
        distances = np.linalg.norm(points[:, None] - points[chosen], axis=-1).min(1)
        chosen.append(int(distances.argmax()))
    return np.array(sorted(chosen))


def page(heading: str, viewer: Viewer, films: Sequence[Film]) -> str:
    """The HTML of a page that plays `films`: the viewer's own where it has one, else animations."""
    own = getattr(viewer, "page", None)
    if own is not None:
        return own(heading, films)
    figures = []
    for film in films:
        content = io.BytesIO()
        write_gif(content, viewer, film)
        image = base64.b64encode(content.getvalue()).decode()
        caption = ", ".join(f"{name} {value}" for name, value in film.task.items())
        solved = "solved" if film.solved else "not solved"
        text = html.escape(f"{caption}: return {film.returns[-1]:.3g}, {solved}")
        figures.append(FIGURE.format(caption=text, image=image))
    return PAGE.format(title=html.escape(heading), figures="\n".join(figures))
