"""The lanes of one cell, wherever their files are, put together as one run.

They are in the folders of its jobs; those of a study that was extended, up to its former end, in
the run that it had then.
"""

from __future__ import annotations

import dataclasses
import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.checkpoint import Checkpoints
from jaxcurriculum.runs.experiment import Experiment, state_shapes
from jaxcurriculum.runs.host import identity
from jaxcurriculum.runs.store import Run, Table, read_report, write_report


@dataclasses.dataclass(frozen=True)
class Part:
    """Some seeds of a cell, from one folder."""

    run: Run
    experiment: Experiment  # what the folder is a run of
    seeds: dict[int, int]  # what its tables call them: what they are
    starts: dict[int, int]  # of each seed the first evaluation that counts here

    @property
    def indices(self) -> dict[int, int]:
        """Of each seed where it is in the folder's arrays."""
        return {seed: number - self.experiment.first_seed for number, seed in self.seeds.items()}

    def rows(self, table: str, evaluation: pl.Expr) -> pl.DataFrame:
        """The rows of a table that count; `evaluation` is that of a row."""
        every = getattr(self.run, table)().filter(pl.col("seed").is_in(list(self.seeds)))
        seed = pl.col("seed").replace_strict(self.seeds, return_dtype=pl.Int32)
        start = pl.col("seed").replace_strict(self.starts, return_dtype=pl.Int32)
        return every.with_columns(seed).filter(evaluation >= start)

    def report(self, evaluation: int) -> dict[int, dict[str, np.ndarray]]:
        """The arrays that count of one evaluation, by seed."""
        path = report_path(self.run, evaluation)
        counts = [seed for seed in self.indices if self.starts[seed] <= evaluation]
        if not counts or not path.exists():
            return {}
        arrays = read_report(path)
        return {
            seed: {name: array[self.indices[seed]] for name, array in arrays.items()}
            for seed in counts
        }

    def states(self) -> dict[int, PyTree]:
        """The last state of each seed."""
        with Checkpoints(self.run.path / "checkpoints") as checkpoints:
            restored = checkpoints.restore(
                state_shapes(self.experiment), identity(self.experiment.config)
            )
        assert restored is not None, f"{self.run.path} has no checkpoint"
        take = lambda index: jax.tree.map(lambda leaf: leaf[index], restored[1])
        return {seed: take(index) for seed, index in self.indices.items()}


def write_parts(run: Run, parts: list[Part], experiment: Experiment) -> None:
    """Write tables, reports and the checkpoint of `experiment`, which `parts` make up."""
    rounds = experiment.loop.config.rounds_per_evaluation
    for table, evaluation in (
        ("episodes", pl.col("round") // rounds),
        ("evaluations", pl.col("evaluation")),
    ):
        rows = pl.concat([part.rows(table, evaluation) for part in parts])
        Table(run.path / table).append(rows.sort(evaluation, "seed", maintain_order=True))
    (run.path / "reports").mkdir()
    for evaluation in range(experiment.num_advances):
        by_seed = {seed: one for part in parts for seed, one in part.report(evaluation).items()}
        ordered = [by_seed[seed] for seed in sorted(by_seed)]
        arrays = {name: np.stack([one[name] for one in ordered]) for name in ordered[0]}
        write_report(report_path(run, evaluation), arrays)
    states = {seed: state for part in parts for seed, state in part.states().items()}
    ordered = [states[seed] for seed in sorted(states)]
    save(run, experiment.num_advances, stacked(ordered), experiment)


def save(run: Run, done: int, states: PyTree, experiment: Experiment) -> None:
    """Write a checkpoint of `experiment` after `done` evaluations."""
    with Checkpoints(run.path / "checkpoints") as checkpoints:
        checkpoints.save(done, states, identity(experiment.config))


def stacked(states: list[PyTree]) -> PyTree:
    """The states of several seeds as those of one run, [seeds, ...]."""
    return jax.tree.map(lambda *leaves: jnp.stack(leaves), *states)


def report_path(run: Run, evaluation: int) -> pathlib.Path:
    """The file of what teacher and student reported at an evaluation."""
    return run.path / "reports" / f"evaluation-{evaluation:08d}.npz"
