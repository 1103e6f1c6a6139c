"""What a run was, made again: from its settings, or from the loop that made it."""

from __future__ import annotations

import importlib

from jaxcurriculum.loop import Loop
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import Experiment, known_settings, make_experiment
from jaxcurriculum.runs.store import Run


def rebuilt(run: Run, loop: Loop | None = None) -> Experiment:
    """The experiment of `run`.

    Args:
      loop: as it was trained, for a run of `runs.train`; the roles of a run from the command line
          are made again from its settings.

    Raises:
      RunError: when the folder holds no run, when `loop` is missing, or when the student's settings
          are others.
    """
    return _of_settings(run) if loop is None else _of_loop(run, loop)


def _of_settings(run: Run) -> Experiment:
    config, named = run.config, run.meta.get("rebuild")
    if named is None:
        raise RunError(f"{run.path} was made from Python: pass the loop that it was trained with.")
    module, _, function = named.partition(":")
    return getattr(importlib.import_module(module), function)(config)


def _of_loop(run: Run, loop: Loop) -> Experiment:
    config, meta = run.config, run.meta
    sizes = (meta["num_seeds"], config["steps"], meta["first_seed"], config["group"])
    now = make_experiment(loop, *sizes, settings=known_settings(loop)).config
    there = {"world": meta["world"], **config}
    environment = loop.student.environment
    here = {"world": environment.name if environment else None}
    here |= {name: value for name, value in now.items() if name.startswith("student.")}
    for name, value in here.items():
        if there.get(name, value) != value:
            was = f"{name} was {there[name]} there and is {value} here"
            raise RunError(f"{run.path} is a run of another loop: {was}.")
    return make_experiment(loop, *sizes, settings=config)
