"""The test tasks of a run, as its tables hold them."""

from __future__ import annotations

import numpy as np
import polars as pl

from jaxcurriculum.loop import Loop
from jaxcurriculum.runs.store import Run, task_columns

# Of an evaluation; what else there is are the axes of its task.
COLUMNS = ("seed", "evaluation", "steps", "test_task", "return", "length", "solved")


def tasks_of(run: Run) -> pl.DataFrame:
    """The test tasks of a run, a row a task, a column an axis."""
    tests = run.evaluations()
    names = [name for name in tests.columns if name not in COLUMNS]
    table = tests.group_by("test_task").agg(pl.col(names).first())
    return table.sort("test_task").drop("test_task")


def tasks_in(loop: Loop) -> pl.DataFrame:
    """The test tasks of `loop`, as `tasks_of` gives those of a run of it."""
    return pl.DataFrame(task_columns(loop.student.task_space, loop.test_tasks))


def different_tasks(one: pl.DataFrame, other: pl.DataFrame) -> str | None:
    """In what the test tasks `other` differ from those of `one`; None where they are the same."""
    if one.columns != other.columns:
        names, own = (", ".join(table.columns) for table in (one, other))
        return f"the axes of its test tasks are {own}, not {names}"
    if len(one) != len(other):
        return f"it was tested on {len(other):,} tasks, not on {len(one):,}"
    if not all(_alike(one[name].to_numpy(), other[name].to_numpy()) for name in one.columns):
        return "it was tested on as many, but other tasks"
    return None


def _alike(one: np.ndarray, other: np.ndarray) -> bool:
    if one.dtype.kind == "f":
        return np.allclose(one, other, rtol=1e-5, atol=1e-6)
    return np.array_equal(one, other)
