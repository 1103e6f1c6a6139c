"""A policy as a file, read back: a run of which the policy of one seed is all that is left."""

from __future__ import annotations

import functools
import json
import pathlib
from typing import Any

import jax
import numpy as np
import polars as pl

from jaxcurriculum import tree
from jaxcurriculum.records import PyTree
from jaxcurriculum.roles import Student
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import Experiment
from jaxcurriculum.runs.host import restore
from jaxcurriculum.runs.store import Run, read_report

HEADER = "header"  # of its arrays, the text that says what the others are


class PolicyFile(Run):
    """The file that `export_policy` wrote, with the settings of the run that it is from."""

    @functools.cached_property
    def arrays(self) -> dict[str, np.ndarray]:
        """Weights and memory by name, and the header."""
        if not self.path.is_file():
            raise RunError(f"There is no policy {self.path}.")
        return read_report(self.path)

    @functools.cached_property
    def header(self) -> dict[str, Any]:
        """What the arrays are."""
        try:
            header = json.loads(str(self.arrays[HEADER]))
        except (KeyError, ValueError):
            header = None
        if not isinstance(header, dict) or "config" not in header:
            rule = "a file of `export_policy` with the settings of its run"
            raise RunError(f"{self.path} is not {rule}.")
        return header

    @property
    def config(self) -> dict[str, Any]:
        return self.header["config"]

    @property
    def meta(self) -> dict[str, Any]:
        known = {"world": self.header["environment"], "rebuild": self.header["rebuild"]}
        return known | {"num_seeds": 1, "first_seed": self.header["seed"]}

    @property
    def figures(self) -> pathlib.Path:
        """The folder of the file."""
        return self.path.parent

    def student_state(self, student: Student) -> PyTree:
        """What `student` acts by, with this policy; all that this does not read is 0.

        Raises:
          RunError: when it is not a policy of such a student.
        """
        shapes = jax.eval_shape(lambda key: student.acting(student.init(key)), jax.random.key(0))
        paths, structure = jax.tree.flatten_with_path(shapes)
        names = [jax.tree_util.keystr(path, simple=True, separator=".") for path, _ in paths]
        known = dict(zip(names, jax.tree.leaves(shapes)))
        weights = {name: self.arrays[name] for name in self.header["weights"]}
        for name, weight in weights.items():
            if name not in known or known[name].shape != weight.shape:
                raise RunError(f"{self.path} does not fit {student.name}: {name} is another there.")
        blank = {name: tree.blank(shape) for name, shape in known.items() if name not in weights}
        return jax.tree.unflatten(structure, [(weights | blank)[name] for name in names])

    def _read_table(self, name: str) -> pl.DataFrame:
        raise RunError(f"{self.path} is a policy alone, without {name}: name a `task`.")


def run_or_policy(run: Run | str | pathlib.Path) -> Run:
    """`run`, the run in the folder that it names, or the policy in the file."""
    if isinstance(run, Run):
        return run
    path = pathlib.Path(run)
    return PolicyFile(path) if path.suffix == ".npz" else Run(path)


def student_state(experiment: Experiment, run: Run, index: int) -> PyTree:
    """What the student of seed number `index` acts by at the last checkpoint of `run`.

    Raises:
      RunError: when there is none, or `run` is a policy of another student.
    """
    student = experiment.loop.student
    if isinstance(run, PolicyFile):
        return run.student_state(student)
    return student.acting(tree.take(restore(experiment, run).student, index))
