"""A run of several students compares as its first does; the others' tests are on the disk."""

import jax
import numpy as np
import polars as pl
import pytest
from rich.console import Console

from jaxcurriculum import make_loop, runs, students, teachers
from jaxcurriculum.loop import LoopConfig
from jaxcurriculum.report.curriculum import curriculum
from jaxcurriculum.report.reading import read
from jaxcurriculum.runs.store import Table
from jaxcurriculum.runs.test_tasks import different_tasks
from jaxcurriculum.students.simulated import toy_grid

SILENT = Console(quiet=True)
SPACE = toy_grid().task_space
TASKS = jax.vmap(SPACE.sample)(jax.random.split(jax.random.key(0), 3))


def train(path, student, rounds, **others):
    config = LoopConfig(num_test_episodes=2)
    loop = make_loop(teachers.random(SPACE), student, TASKS, config)
    steps = rounds * student.steps_per_round
    known = {"num_steps": steps, "num_seeds": 2, "console": SILENT, "figures": False}
    return runs.train(loop, path, **known, **others)


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A run of two rounds that stopped after the first."""
    path, student = tmp_path_factory.mktemp("runs") / "pair", students.population(toy_grid(), 2)
    train(path, student, rounds=1)
    return train(path, student, rounds=2, resume=True)


def test_its_evaluations_are_those_of_the_first_student(pair):
    every, first = pair.all_evaluations(), pair.evaluations()
    assert first.equals(every.filter(pl.col("learner") == 0).drop("learner"))
    counts = every.group_by("seed", "evaluation", "test_task", "learner").len()
    assert len(counts) == 2 * 2 * 3 * 2 and set(counts["len"]) == {2}
    for axis, values in SPACE.columns(TASKS).items():
        np.testing.assert_array_equal(every[axis][:12], np.repeat(values, 4))


def test_it_compares_with_a_single_student(pair, tmp_path):
    alone = read(train(tmp_path / "alone", toy_grid(), rounds=2))
    both = read(pair)
    assert (
        different_tasks(alone.test_tasks, both.test_tasks) is None
        and both.solved.shape == alone.solved.shape
    )
    assert (both.evaluation_steps == 2 * alone.evaluation_steps).all(), "both were tested"


def test_one_that_did_not_tell_its_students_apart_can_be_read(pair, tmp_path):
    (old := tmp_path / "old").mkdir()
    for name in ("config.json", "meta.json"):
        (old / name).write_bytes((pair.path / name).read_bytes())
    number = (2 * pl.col("test_task") + pl.col("learner")).cast(pl.Int32)
    rows = pair.all_evaluations().with_columns(test_task=number).drop("learner")
    Table(old / "evaluations").append(rows)
    record = read(runs.Run(old))
    assert record.solved.shape == (2, 2, 6)
    assert (
        different_tasks(read(pair).test_tasks, record.test_tasks)
        == "it was tested on 6 tasks, not on 3"
    )


def test_a_curriculum_of_two_rounds_has_two_stretches(pair):
    """A third would be empty."""
    shown = [ax for ax in curriculum(pair).axes if ax.get_title()]
    assert len(shown) == 2
    assert all(len(ax.collections[0].get_offsets()) for ax in shown)
