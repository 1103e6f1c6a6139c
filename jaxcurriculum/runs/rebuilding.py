"""What a run was, made again: from its settings, or from the loop that made it."""

from __future__ import annotations

import contextlib
import importlib
from collections.abc import Callable

from jaxcurriculum.loop import Loop
from jaxcurriculum.runs.checkpoint import first_difference
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import Experiment, known_settings, make_experiment
from jaxcurriculum.runs.store import Run


def rebuilt(run: Run, loop: Loop | None = None) -> Experiment:
    """The experiment of `run`.

    Args:
      loop: as it was trained, for a run of `runs.train`; the roles of a run from the command line
          are made again from its settings.

    Raises:
      RunError: when the folder holds no run or a damaged one, when `loop` is missing, or when the
          student's settings are others.
    """
    return _of_settings(run) if loop is None else _of_loop(run, loop)


def _of_settings(run: Run) -> Experiment:
    config, named = run.config, run.meta.get("rebuild")
    if named is None:
        raise RunError(f"{run.path} was made from Python: pass the loop that it was trained with.")
    module, _, function = str(named).partition(":")
    make: Callable[..., Experiment] | None = None
    with contextlib.suppress(AttributeError, ImportError, ValueError):
        make = getattr(importlib.import_module(module), function)
    if not callable(make):
        rule = "its rebuild must name a function as module:function"
        raise RunError(f"{run.path / 'meta.json'} is damaged: {rule}, got {named!r}.")
    return make(config)


def _of_loop(run: Run, loop: Loop) -> Experiment:
    config, meta = run.config, run.meta
    sizes = (meta["num_seeds"], config["steps"], meta["first_seed"], config["group"])
    now = make_experiment(loop, *sizes, settings=known_settings(loop)).config
    there = {"world": meta["world"], **config}
    environment = loop.student.environment
    here = {"world": environment.name if environment else None}
    here |= {name: value for name, value in now.items() if name.startswith("student.")}
    shared = here.keys() & there.keys()
    before, after = ({name: known[name] for name in sorted(shared)} for known in (there, here))
    if difference := first_difference(before, after):
        name, was, value = difference
        differs = f"{name} was {was} there and is {value} here"
        raise RunError(f"{run.path} is a run of another loop: {differs}.")
    return make_experiment(loop, *sizes, settings=config)
