"""Small studies on the toy grid, in this process and in one of their own, and their files."""

import subprocess
import sys

import numpy as np
from rich.console import Console
from toy_runs import with_kept_programs

from jaxcurriculum.runs.checkpoint import digest
from jaxcurriculum.runs.store import Run
from jaxcurriculum.study import Study, run_study

FILE = """
teachers = ["random"]
students = ["toy-grid"]
seeds = 3
steps = 4000
evaluate_every = 500
group = 2

[toy-grid]
cells = 5
episodes_per_round = 50
unlearnable = [0.1, 0.3, 0.5]
"""


def small(unlearnable=(0.1, 0.3), **fields):
    """A study of 2,000 episodes on a grid of 5 by 5 cells."""
    grid = {"cells": 5, "episodes_per_round": 50, "unlearnable": unlearnable}
    known = {"teachers": ("random",), "students": ("toy-grid",), "group": 2}
    known |= {"seeds": 3, "steps": 2000, "evaluate_every": 500, "settings": {"toy-grid": grid}}
    return Study(**(known | fields))


def run(study, folder):
    """Run it in this process. Returns its runs by name."""
    assert run_study(study, folder, Console(quiet=True)) is None
    return runs_in(folder)


def runs_in(folder):
    """The runs of a study by name, without what the names have in common."""
    paths = sorted((folder / "runs").glob("[!.]*"))
    return {path.name.removeprefix("toy-grid_random"): Run(path) for path in paths}


def start(file, folder):
    """A study in a process of its own, which saves a checkpoint at every evaluation."""
    program = (
        "from jaxcurriculum.cli import main\n"
        "from jaxcurriculum.runs import recorder\n"
        "recorder.SECONDS_BETWEEN_CHECKPOINTS = 0\n"
        f"import sys; sys.argv[1:] = ['study', {str(file)!r}, '--folder', {str(folder)!r}]\n"
        "main.main()"
    )
    return subprocess.Popen(
        [sys.executable, "-c", program],
        env=with_kept_programs(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )


def content(run, seed):
    """All numbers that a run holds of one seed, to compare."""
    index = seed - run.meta["first_seed"]
    tables = run.episodes(), run.evaluations()
    rows = [table.filter(table["seed"] == seed).rows() for table in tables]
    reports = {name: array[:, index].tobytes() for name, array in run.reports().items()}
    return rows, reports, saved(run, index)


def saved(run, index):
    """A fingerprint of what the last checkpoint of a run holds of one seed."""
    last = max((run.path / "checkpoints").glob("[0-9]*"), key=lambda path: int(path.name))
    with np.load(last / "state" / "arrays.npz") as arrays:
        return digest([array[index] for array in arrays.values()])
