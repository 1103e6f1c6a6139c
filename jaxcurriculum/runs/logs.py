"""The curves of a run for TensorBoard and Weights & Biases, while it goes on.

Names are those of Stable-Baselines3 where it has them, and the x-axis is the steps of one seed:

    rollout/   the training episodes: ep_rew_mean, ep_len_mean, success_rate, episodes
    eval/      the test tasks: mean_reward, mean_ep_length, success_rate
    teacher/   what it reports, and tasks/AXIS, the mean of the tasks that were practised
    train/     what the student reports, averaged over rounds
    counters/  what went wrong or was spent so far
    time/      fps, steps of all seeds a second; time_elapsed, s

Every seed is a run of its own. A run that is resumed computes the same numbers again, so those that
were written before are left out.
"""

from __future__ import annotations

import hashlib
import importlib
import os
import time
from collections.abc import Iterable
from typing import Any, Protocol

import jax
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.loop import Report
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.store import Run, title
from jaxcurriculum.spaces import Box, Space

MOST_SEEDS = 64  # each has a file or a process of its own
PACKAGES = {"tensorboard": "tensorboardX", "wandb": "wandb"}


class Sink(Protocol):
    """Where the curves of all seeds go."""

    def write(self, index: int, steps: int, scalars: dict[str, float]) -> None:
        """Add a point to every curve of the seed at `index`."""
        ...

    def close(self) -> None:
        """Wait until everything is written."""
        ...


class TensorBoard:
    """Event files under RUN/tensorboard."""

    def __init__(self, run: Run, meta: dict[str, Any]):
        from tensorboardX import SummaryWriter

        # Event files are named by the second: a run resumed within one would begin its file anew.
        suffix = f".{time.time_ns()}"
        self.writers = [
            SummaryWriter(str(run.path / "tensorboard" / f"seed{seed}"), filename_suffix=suffix)
            for seed in seeds_of(meta)
        ]

    def write(self, index: int, steps: int, scalars: dict[str, float]) -> None:
        for name, value in scalars.items():
            self.writers[index].add_scalar(name, value, steps)
        self.writers[index].flush()

    def close(self) -> None:
        for writer in self.writers:
            writer.close()


class WeightsAndBiases:
    """Runs of one group, kept under RUN/wandb for `wandb sync` unless WANDB_MODE says otherwise."""

    def __init__(self, run: Run, meta: dict[str, Any]):
        wandb: Any = importlib.import_module("wandb")
        name = run.path.resolve().name
        known = hashlib.blake2b(f"{meta['started']} {name}".encode(), digest_size=6).hexdigest()
        self.runs = [
            wandb.init(
                project=os.environ.get("WANDB_PROJECT", "jaxcurriculum"),
                dir=str(run.path),
                group=title(run.config),
                name=f"{name}-seed{seed}",
                id=f"{known}-{seed}",
                config=run.config | {"seed": seed},
                mode=os.environ.get("WANDB_MODE", "offline"),
                resume="allow",
                reinit="create_new",
                settings=wandb.Settings(silent=True, console="off"),
            )
            for seed in seeds_of(meta)
        ]

    def write(self, index: int, steps: int, scalars: dict[str, float]) -> None:
        self.runs[index].log(scalars, step=steps)

    def close(self) -> None:
        for run in self.runs:
            run.finish()


SINKS = {"tensorboard": TensorBoard, "wandb": WeightsAndBiases}


def check_logs(names: Iterable[str], num_seeds: int) -> None:
    """Check that the curves of `num_seeds` seeds can be sent to the sinks `names`.

    Raises:
      RunError: when there is no such sink, its package is not installed, or seeds are too many.
    """
    for name in names:
        if name not in PACKAGES:
            raise RunError(f"There is no log {name!r}; there are {', '.join(PACKAGES)}.")
        try:
            importlib.import_module(PACKAGES[name])
        except ImportError:
            needed = f"needs the package {PACKAGES[name]}: pip install 'jaxcurriculum[log]'"
            raise RunError(f"The log {name} {needed}.") from None
        if num_seeds > MOST_SEEDS:
            raise RunError(f"The log {name} takes at most {MOST_SEEDS} seeds, got {num_seeds}.")


class Logs:
    """Every sink of a run: `add` after each advance, and `flush` once `after` is on the disk."""

    def __init__(self, run: Run, meta: dict[str, Any], space: Space):
        self.run, self.meta, self.space = run, meta, space
        self.before = dict(meta["logged"])  # evaluations logged before this start, by sink
        self.sinks: dict[str, Sink] = {}  # opened by the first point
        self.waiting: list[tuple[int, list[dict[str, float]]]] = []
        self.started = self.last = time.monotonic()
        self.seconds_before = meta["wall_seconds"]

    def add(self, advance: int, report: Report) -> None:
        """Take the report of `advance`, every leaf [seeds, ...]."""
        if not self.before:
            return
        now = time.monotonic()
        clock = {
            "time/fps": self.steps(0) * self.meta["num_seeds"] / (now - self.last),
            "time/time_elapsed": self.seconds_before + now - self.started,
        }
        self.last = now
        seeds = range(self.meta["num_seeds"])
        points = [scalars(tree.take(report, index), self.space) for index in seeds]
        self.waiting.append((advance, [point | clock for point in points]))

    def after(self, done: int) -> dict[str, int]:
        """How many evaluations each sink has when the first `done` are logged."""
        return {name: max(done, logged) for name, logged in self.before.items()}

    def flush(self) -> None:
        """Write all that was added, but what had been written before."""
        for name, logged in self.before.items() if self.waiting else ():
            if name not in self.sinks:
                self.sinks[name] = SINKS[name](self.run, self.meta)
            for advance, points in self.waiting:
                for index, point in enumerate(points if advance >= logged else ()):
                    self.sinks[name].write(index, self.steps(advance), point)
        self.waiting = []

    def close(self) -> None:
        for sink in self.sinks.values():
            sink.close()

    def steps(self, advance: int) -> int:
        """The steps that a seed has trained when it is evaluated after `advance`."""
        return (advance + 1) * self.meta["rounds_per_evaluation"] * self.meta["steps_per_round"]


def seeds_of(meta: dict[str, Any]) -> range:
    """The numbers of a run's seeds."""
    return range(meta["first_seed"], meta["first_seed"] + meta["num_seeds"])


def scalars(report: Report, space: Space) -> dict[str, float]:
    """The numbers of one seed's report, arrays of NumPy, by their names."""
    valid, tests = report.episodes.valid, report.evaluation
    found = {
        "rollout/episodes": np.sum(valid),
        "eval/mean_reward": np.mean(tests.returns),
        "eval/mean_ep_length": np.mean(tests.lengths),
        "eval/success_rate": np.mean(tests.solved),
    }
    if valid.any():
        ended = jax.tree.map(lambda leaf: leaf[valid], report.episodes)
        found["rollout/ep_rew_mean"] = np.mean(ended.returns)
        found["rollout/ep_len_mean"] = np.mean(ended.lengths)
        found["rollout/success_rate"] = np.mean(ended.solved)
        columns = space.columns(ended.tasks) if isinstance(space, Box) else {}
        found |= {f"teacher/tasks/{axis}": np.mean(tasks) for axis, tasks in columns.items()}
    found |= {f"train/{name}": np.mean(each) for name, each in report.student.items()}
    for section, reported in (("teacher", report.teacher), ("counters", report.counters)):
        for path, leaf in jax.tree_util.tree_leaves_with_path(reported):
            if leaf.shape == ():
                found[f"{section}/{jax.tree_util.keystr(path, simple=True, separator='/')}"] = leaf
    return {name: float(value) for name, value in found.items()}
