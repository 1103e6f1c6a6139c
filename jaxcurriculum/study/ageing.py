"""How much longer evaluations take when a teacher has more past episodes to search.

A job is tried at its beginning. Where a teacher keeps every episode, one more evaluation is timed
with as many as the job will have at its end.
"""

from __future__ import annotations

import time
from typing import Any

import jax
import numpy as np

from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.checkpoint import Checkpoints
from jaxcurriculum.runs.experiment import Experiment, initial_states
from jaxcurriculum.runs.host import identity
from jaxcurriculum.runs.store import Run
from jaxcurriculum.teachers.parts.ring import History

SECONDS = 1.0  # that are timed, unless an evaluation takes longer


def seconds_of_age(experiment: Experiment, run: Run, total: int) -> float:
    """Seconds that one of `total` evaluations takes on average beyond one of those that `run`, a
    job of `experiment`, has so far.
    """
    with Checkpoints(run.path / "checkpoints") as checkpoints:
        restored = checkpoints.restore(initial_states(experiment), identity(experiment.config))
    assert restored is not None
    done, states, _ = restored
    num_episodes = len(run.episodes())
    rings = [one for one in jax.tree.leaves(states, is_leaf=_is_ring) if _is_ring(one)]
    growing = [one for one in rings if np.sum(one.num_rows) == num_episodes]
    if not growing:
        return 0.0
    largest = max(growing, key=lambda one: one.values.shape[-1])
    rows = rows_at(largest, done, np.arange(done, total + 1))
    if rows[-1] == rows[0]:
        return 0.0

    def aged(node: Any) -> Any:
        return filled(node, done, total) if any(node is one for one in growing) else node

    later = jax.tree.map(aged, states, is_leaf=_is_ring)
    beyond = _seconds(experiment, later, done) - _seconds(experiment, states, done)
    return max(beyond, 0.0) * float(np.mean(rows) - rows[0]) / float(rows[-1] - rows[0])


def rows_at(ring: History, done: int, evaluations: np.ndarray) -> np.ndarray:
    """How many rows a seed's ring will hold after so many evaluations, when it has those of `done`
    now.
    """
    return np.minimum(np.mean(ring.num_rows) * evaluations / done, ring.values.shape[-1])


def filled(ring: History, done: int, total: int) -> History:
    """The rings of some seeds ([seeds, width, size]) as after `total` evaluations, with copies of
    the rows that they have after `done`.
    """
    size = ring.values.shape[-1]
    now = np.clip(ring.num_rows, 1, size)[:, None]
    slots = np.arange(size) % now
    values = np.take_along_axis(np.asarray(ring.values), slots[:, None], axis=-1)
    num_rows = np.asarray(ring.num_rows, np.int64) * total // done
    return History(
        values=jax.device_put(values, ring.values.sharding),
        num_rows=jax.device_put(num_rows.astype(np.int32), ring.num_rows.sharding),
    )


def _seconds(experiment: Experiment, states: PyTree, done: int) -> float:
    """Of one evaluation from `states`, on average."""
    start = done * experiment.loop.config.rounds_per_evaluation
    began, num = time.monotonic(), 0
    while num == 0 or time.monotonic() - began < SECONDS:
        jax.block_until_ready(experiment.program.run(experiment.lanes, states, start))
        num += 1
    return (time.monotonic() - began) / num


def _is_ring(node: Any) -> bool:
    return isinstance(node, History)
