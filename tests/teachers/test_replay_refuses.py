"""What PLR and ACCEL cannot be: settings, buffers and scores that are refused."""

import dataclasses

import pytest

from jaxcurriculum import make_loop
from jaxcurriculum.envs import Mazes
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers import AccelConfig, PlrConfig, accel, mix, plr, random


@pytest.mark.parametrize(
    "bad",
    [
        {"capacity": 0},
        {"replay_prob": 0.0, "robust": True},
        {"capacity": 10.0},
        {"replay_prob": 1.2},
        {"least_filled": -0.1},
        {"temperature": 0.0},
        {"staleness": 2.0},
        {"initial_std": -1.0},
        {"score": "regret"},
        {"schedule": "sometimes"},
        {"prioritisation": "softmax"},
        {"rounds": "both"},
        {"distinct": 1},
    ],
    ids=str,
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(
        ValueError, match=f"PlrConfig.{next(iter(bad))}.*{next(iter(bad.values()))}"
    ):
        PlrConfig(**bad)


def test_a_score_that_the_student_cannot_give_is_refused():
    grid = simulated.ToyGridConfig(episodes_per_round=8)
    student, tasks = simulated.toy_grid(grid), simulated.toy_grid_test_tasks(grid)
    make_loop(plr(student.task_space, PlrConfig(capacity=8, score="return_change")), student, tasks)
    for teacher in (plr(student.task_space), plr(student.task_space, PlrConfig(score="max_mc"))):
        with pytest.raises(
            ValueError, match="'plr' needs a critic's scores of episodes, which 'toy"
        ):
            make_loop(teacher, student, tasks)


def test_a_buffer_smaller_than_a_round_is_refused():
    grid = simulated.ToyGridConfig(episodes_per_round=8)
    student, tasks = simulated.toy_grid(grid), simulated.toy_grid_test_tasks(grid)
    small = PlrConfig(capacity=7, score="return_change")
    teacher = plr(student.task_space, small)
    for one in (teacher, mix(teacher, random(student.task_space), 0.5)):
        words = "room for 7 proposals, fewer than the 8 of a round of 'toy-grid': give it a larger"
        with pytest.raises(ValueError, match=words):
            make_loop(one, student, tasks)


def test_a_buffer_that_new_levels_can_never_fill_is_refused():
    """A maze that is drawn by hand is always the same level."""
    level = Mazes(size=3, num_walls=0, walls="level", level=">../.../..G")
    words = "least_filled must be at most 0.00025 where new levels are 1 at most, .* got 0.5"
    for make, preset in ((plr, PlrConfig.maze()), (accel, AccelConfig.maze())):
        with pytest.raises(ValueError, match=words):
            make(level, preset)
    plr(level, dataclasses.replace(PlrConfig.maze(), least_filled=0.0))
    plr(Mazes(size=3, num_walls=0), PlrConfig.maze())
