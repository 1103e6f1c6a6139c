"""The lanes of one cell, wherever their files are, put together as one run.

They are in the folders of its jobs; those of a study that was extended, up to its former end, in
the run that it had then.
"""

from __future__ import annotations

import dataclasses
import functools
import pathlib
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl

from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.checkpoint import Checkpoints
from jaxcurriculum.runs.errors import DamagedError
from jaxcurriculum.runs.experiment import Experiment, state_shapes
from jaxcurriculum.runs.host import identity
from jaxcurriculum.runs.store import Run, Table, read_report, write_report


@dataclasses.dataclass(frozen=True)
class Source:
    """The files of a job, or of a run, each read once for all cells that are in them."""

    run: Run
    experiment: Experiment

    @functools.cached_property
    def meta(self) -> dict[str, Any]:
        return self.run.meta

    @functools.cached_property
    def episodes(self) -> pl.DataFrame:
        return self.run.episodes()

    @functools.cached_property
    def evaluations(self) -> pl.DataFrame:
        return self.run.all_evaluations()

    @functools.cached_property
    def states(self) -> PyTree:
        """The last states, [seeds, ...]."""
        with Checkpoints(self.run.path / "checkpoints") as checkpoints:
            restored = checkpoints.restore(
                state_shapes(self.experiment), identity(self.experiment.config)
            )
        if restored is None:
            raise DamagedError(f"No checkpoint is left in {self.run.path}.")
        return jax.tree.map(_on_host, restored[1])

    @functools.cached_property
    def reports(self) -> dict[int, dict[str, np.ndarray]]:
        """What was reported at each evaluation, by name."""
        paths = (self.run.path / "reports").glob("evaluation-*.npz")
        return {int(path.stem.removeprefix("evaluation-")): read_report(path) for path in paths}


@dataclasses.dataclass(frozen=True)
class Part:
    """Some seeds of a cell, from one source."""

    source: Source
    seeds: dict[int, int]  # what its tables call them: what they are
    starts: dict[int, int]  # of each seed the first evaluation that counts here

    @property
    def indices(self) -> dict[int, int]:
        """Of each seed where it is in the source's arrays."""
        first = self.source.experiment.first_seed
        return {seed: number - first for number, seed in self.seeds.items()}

    def rows(self, table: str, evaluation: pl.Expr) -> pl.DataFrame:
        """The rows of a table that count; `evaluation` is that of a row."""
        every = getattr(self.source, table).filter(pl.col("seed").is_in(list(self.seeds)))
        seed = pl.col("seed").replace_strict(self.seeds, return_dtype=pl.Int32)
        start = pl.col("seed").replace_strict(self.starts, return_dtype=pl.Int32)
        return every.with_columns(seed).filter(evaluation >= start)

    def report(self, evaluation: int) -> dict[int, dict[str, np.ndarray]]:
        """The arrays that count of one evaluation, by seed."""
        arrays = self.source.reports.get(evaluation)
        if arrays is None:
            return {}
        return {
            seed: {name: array[index] for name, array in arrays.items()}
            for seed, index in self.indices.items()
            if self.starts[seed] <= evaluation
        }

    def states(self) -> dict[int, PyTree]:
        """The last state of each seed."""
        take = lambda index: jax.tree.map(lambda leaf: _entry(leaf, index), self.source.states)
        return {seed: take(index) for seed, index in self.indices.items()}


def write_parts(run: Run, parts: list[Part], experiment: Experiment) -> None:
    """Write tables, reports and the checkpoint of `experiment`, which `parts` make up."""
    rounds = experiment.loop.config.rounds_per_evaluation
    for table, evaluation in (
        ("episodes", pl.col("round") // rounds),
        ("evaluations", pl.col("evaluation")),
    ):
        rows = pl.concat([part.rows(table, evaluation) for part in parts])
        if table == "evaluations":
            _check_evaluations(rows, parts, experiment)
        Table(run.path / table).append(rows.sort(evaluation, "seed", maintain_order=True))
    (run.path / "reports").mkdir()
    for evaluation in range(experiment.num_advances):
        by_seed = {seed: one for part in parts for seed, one in part.report(evaluation).items()}
        if len(by_seed) < experiment.num_seeds:
            continue  # a file is lost; a report shows what the others hold
        ordered = [by_seed[seed] for seed in sorted(by_seed)]
        arrays = {name: np.stack([one[name] for one in ordered]) for name in ordered[0]}
        write_report(report_path(run, evaluation), arrays)
    states = {seed: state for part in parts for seed, state in part.states().items()}
    save(run, experiment.num_advances, [states[seed] for seed in sorted(states)], experiment)


def _check_evaluations(rows: pl.DataFrame, parts: list[Part], experiment: Experiment) -> None:
    """Check that `rows` have every evaluation of every seed.

    Raises:
      DamagedError: naming the first seed, and the runs that should have them.
    """
    found = dict(rows.group_by("seed").agg(pl.col("evaluation").n_unique()).iter_rows())
    for seed in sorted(seed for part in parts for seed in part.seeds.values()):
        if (num := found.get(seed, 0)) < experiment.num_advances:
            held = [part.source.run.path for part in parts if seed in part.seeds.values()]
            raise DamagedError(
                f"{' and '.join(map(str, held))} have {num} of {experiment.num_advances}"
                f" evaluations of seed {seed}: begin again in another folder."
            )


def save(run: Run, done: int, states: list[PyTree], experiment: Experiment) -> None:
    """Write a checkpoint of `experiment` after `done` evaluations, of one state a seed."""
    together = jax.tree.map(lambda *leaves: _stack(leaves), *states)
    with Checkpoints(run.path / "checkpoints") as checkpoints:
        checkpoints.save(done, together, identity(experiment.config))


def report_path(run: Run, evaluation: int) -> pathlib.Path:
    """The file of what teacher and student reported at an evaluation."""
    return run.path / "reports" / f"evaluation-{evaluation:08d}.npz"


# What JAX does with arrays of keys it compiles, so they are cut and put together by their numbers.


def _on_host(leaf: jax.Array) -> Any:
    """`leaf` as NumPy has it, where it does."""
    return leaf if _is_key(leaf) else np.asarray(leaf)


def _entry(leaf: Any, index: int) -> Any:
    if _is_key(leaf):
        return _keys(_numbers(leaf)[index], like=leaf)
    return leaf[index]


def _stack(leaves: tuple[Any, ...]) -> Any:
    if _is_key(leaves[0]):
        return _keys(np.stack([_numbers(leaf) for leaf in leaves]), like=leaves[0])
    return np.stack(leaves)


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _numbers(keys: jax.Array) -> np.ndarray:
    return np.asarray(jax.random.key_data(keys))


def _keys(numbers: np.ndarray, like: jax.Array) -> jax.Array:
    return jax.random.wrap_key_data(jax.device_put(numbers), impl=jax.random.key_impl(like))
