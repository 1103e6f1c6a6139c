"""Small studies on the toy grid, in this process and in one of their own, and their files."""

import subprocess
import sys

import numpy as np
from rich.console import Console

from jaxcurriculum.runs.checkpoint import Checkpoints, digest
from jaxcurriculum.runs.store import Run
from jaxcurriculum.study import Study, run_study
from jaxcurriculum.study.plan import Plan

SMALL = {"cells": 5, "episodes_per_round": 50}


def small(teachers=("alp-gmm",), exploration=(0.1, 0.2), **fields):
    """A study of 2,000 episodes on a grid of 5 by 5 cells."""
    settings = {"toy-grid": SMALL}
    if "alp-gmm" in teachers:
        settings["alp-gmm"] = {"exploration": exploration, "fit_every": 100}
    known = {"students": ("toy-grid",), "seeds": 3, "steps": 2000, "evaluate_every": 500}
    return Study(**(known | {"teachers": teachers, "settings": settings, "group": 2} | fields))


def run(study, folder):
    """Run it in this process. Returns its runs by name."""
    assert run_study(study, folder, Console(quiet=True)) is None
    return {path.name: Run(path) for path in sorted((folder / "runs").glob("[!.]*"))}


def start(file, folder):
    """The same in a process of its own, which saves a checkpoint at every evaluation."""
    program = (
        "from jaxcurriculum.cli import main\n"
        "from jaxcurriculum.runs import recorder\n"
        "recorder.SECONDS_BETWEEN_CHECKPOINTS = 0\n"
        f"import sys; sys.argv[1:] = ['study', {str(file)!r}, '--folder', {str(folder)!r}]\n"
        "main.main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def content(run, seed):
    """All that a run holds of one seed's numbers, to compare."""
    index = seed - run.meta["first_seed"]
    tables = [
        table.filter(table["seed"] == seed).rows() for table in (run.episodes(), run.evaluations())
    ]
    return tables, {name: array[:, index].tobytes() for name, array in run.reports().items()}


def saved(run):
    """A fingerprint of the last checkpoint of a run."""
    with Checkpoints(run.path / "checkpoints") as checkpoints:
        last = checkpoints.manager.latest_step()
    with np.load(run.path / "checkpoints" / str(last) / "state" / "arrays.npz") as arrays:
        return digest(dict(arrays))


def plan_of(folder):
    return Plan.read(folder)
