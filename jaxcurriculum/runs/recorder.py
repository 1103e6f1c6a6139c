"""From the arrays of an `advance` to the files of a run.

Rows are held in memory and written together with the checkpoint that covers them, first the rows,
then the checkpoint: whatever is newer than the last checkpoint would be removed on resume, so
writing it earlier would buy nothing. That so many evaluations are done is written last.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import numpy as np
import polars as pl

from jaxcurriculum.loop import Report
from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.checkpoint import Checkpoints
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import write_json
from jaxcurriculum.runs.logs import Logs
from jaxcurriculum.runs.store import Run, Table, task_columns, write_report
from jaxcurriculum.spaces import Space

SECONDS_BETWEEN_CHECKPOINTS = 30.0


class Recorder:
    """Writes one run: `add` a report after every advance, `flush` when it must be on the disk.
    `config` is what checkpoints belong to.
    """

    def __init__(self, run: Run, config: dict[str, Any], space: Space):
        self.run, self.config, self.meta, self.space = run, config, run.meta, space
        self.checkpoints = Checkpoints(run.path / "checkpoints")
        self.episodes, self.evaluations = (
            Table(run.path / "episodes"),
            Table(run.path / "evaluations"),
        )
        self.reports = run.path / "reports"
        self.reports.mkdir(exist_ok=True)
        self.logs = Logs(run, self.meta, space)
        self.waiting: list[tuple[int, Report]] = []
        self.started = self.flushed = time.monotonic()
        self.seconds_before = self.meta["wall_seconds"]

    def __enter__(self) -> Recorder:
        return self

    def __exit__(self, *_) -> None:
        self.checkpoints.close()
        self.logs.close()

    def resume(self, like: PyTree) -> tuple[int, PyTree, list[str]]:
        """Go back to the newest intact checkpoint: (evaluations done, state, damages met), with all
        files cut to it.

        Without any checkpoint the run starts from `like`. Nothing is cut before everything has been
        read.
        """
        restored = self.checkpoints.restore(like, self.config)
        if restored is None and self.meta["evaluations_done"] > 0:
            raise RunError(
                f"{self.run.path} has {self.meta['evaluations_done']} evaluations on record but no"
                " checkpoint to go on from; nothing was changed: train again in another `path`."
            )
        done, state, damages = restored or (0, like, [])
        for table in (self.episodes, self.evaluations):
            table.check()
        self.checkpoints.forget_after(done)
        self.episodes.keep(pl.col("round") < done * self.meta["rounds_per_evaluation"])
        self.evaluations.keep(pl.col("evaluation") < done)
        for path in self.reports.glob("evaluation-*.npz"):
            if int(path.stem.removeprefix("evaluation-")) >= done:
                path.unlink()
        if done != self.meta["evaluations_done"]:  # killed after a checkpoint, or one is damaged
            self._note(evaluations_done=done)
        return done, state, damages

    def add(self, advance: int, report: Report) -> None:
        """Take the report of `advance` (0 for the first), every leaf [seeds, ...]."""
        report = jax.tree.map(np.asarray, report)
        self.waiting.append((advance, report))
        self.logs.add(advance, report)

    @property
    def is_due(self) -> bool:
        return time.monotonic() - self.flushed > SECONDS_BETWEEN_CHECKPOINTS

    def flush(self, done: int, state: PyTree | None) -> None:
        """Write all that was added, then a checkpoint of `state` after `done` advances (None:
        rows only).
        """
        if self.waiting:
            self.episodes.append(pl.concat([self._episode_rows(*one) for one in self.waiting]))
            self.evaluations.append(
                pl.concat([self._evaluation_rows(*one) for one in self.waiting])
            )
            for advance, report in self.waiting:
                self._write_report(advance, report)
            self.waiting = []
            self._note(logged=self.logs.after(done))
            self.logs.flush()
        if state is not None:
            self.checkpoints.save(done, state, self.config)
        self._note(evaluations_done=done)
        self.flushed = time.monotonic()

    def _note(self, **known: Any) -> None:
        """Write down in meta.json what is `known`, and how long it took so far."""
        seconds = self.seconds_before + time.monotonic() - self.started
        self.meta |= known | {"wall_seconds": round(seconds, 3)}
        write_json(self.run.path / "meta.json", self.meta)

    def _episode_rows(self, advance: int, report: Report) -> pl.DataFrame:
        seed, index, _ = np.nonzero(report.episodes.valid)
        finished = jax.tree.map(lambda leaf: leaf[report.episodes.valid], report.episodes)
        return pl.DataFrame(
            {
                "seed": (self.meta["first_seed"] + seed).astype(np.int32),
                "round": (advance * self.meta["rounds_per_evaluation"] + index).astype(np.int32),
                **task_columns(self.space, finished.tasks),
                "origin": finished.origin,
                "return": finished.returns,
                "length": finished.lengths,
                "solved": finished.solved,
            }
        )

    def _evaluation_rows(self, advance: int, report: Report) -> pl.DataFrame:
        num_seeds, num_tests = report.evaluation.valid.shape
        flat = jax.tree.map(
            lambda leaf: leaf.reshape(num_seeds * num_tests, *leaf.shape[2:]), report.evaluation
        )
        num_learners = self.meta["num_learners"]
        learner = {"learner": flat.learner} if num_learners > 1 else {}
        attempts = self.meta["num_test_episodes"] * num_learners
        return pl.DataFrame(
            {
                "seed": (
                    (self.meta["first_seed"] + np.repeat(np.arange(num_seeds), num_tests)).astype(
                        np.int32
                    )
                ),
                "evaluation": np.full(num_seeds * num_tests, advance, np.int32),
                "steps": np.full(
                    num_seeds * num_tests,
                    (advance + 1)
                    * self.meta["rounds_per_evaluation"]
                    * self.meta["steps_per_round"],
                    np.int64,
                ),
                "test_task": (
                    (np.tile(np.arange(num_tests), num_seeds) // attempts).astype(np.int32)
                ),
                **learner,
                **task_columns(self.space, flat.tasks),
                "return": flat.returns,
                "length": flat.lengths,
                "solved": flat.solved,
            }
        )

    def _write_report(self, advance: int, report: Report) -> None:
        tree = {"teacher": report.teacher, "student": report.student, "counters": report.counters}
        arrays = {
            jax.tree_util.keystr(path, simple=True, separator="."): leaf
            for path, leaf in jax.tree_util.tree_leaves_with_path(tree)
        }
        write_report(self.reports / f"evaluation-{advance:08d}.npz", arrays)
