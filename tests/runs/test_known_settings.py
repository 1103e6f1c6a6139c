"""What the roles of a run know of their own settings is written down, and stays the same."""

import dataclasses

import jax.numpy as jnp
import pytest
from rich.console import Console

from jaxcurriculum import make_loop, runs, teachers
from jaxcurriculum.cli.tables import STUDENTS, TEACHERS
from jaxcurriculum.cli.tables.teachers import OnCells
from jaxcurriculum.configs import named_fields
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.runs.experiment import known_settings
from jaxcurriculum.students import PpoConfig, ppo, simulated
from jaxcurriculum.testing import probes

ENV = probes.remember()


def loop_of(exploration=0.2, learning_rate=1e-3, num_envs=8):
    arms = teachers.arms.cells(ENV.task_space, 3)
    teacher = teachers.exp3(arms, teachers.Exp3Config(exploration=exploration))
    student = ppo(
        ENV,
        PpoConfig(hidden=(8,), minibatch_size=64, learning_rate=learning_rate),
        RolloutConfig(num_envs=num_envs, num_steps=16),
    )
    return make_loop(teacher, student, jnp.zeros((3, 1)))


def train(loop, path, **others):
    silent = Console(quiet=True)
    return runs.train(loop, path, num_steps=300, console=silent, figures=False, **others)


@pytest.mark.slow
def test_a_run_goes_on_with_the_same_roles_alone(tmp_path):
    run = train(loop_of(), tmp_path / "run")
    named = {"teacher.exploration": 0.2, "student.hidden": [8], "student.rollout.num_envs": 8}
    assert named.items() <= run.config.items() and run.config["loop.num_test_episodes"] == 1
    for change, message in (
        ({"learning_rate": 0.1}, "student.learning_rate was 0.001 and is now 0.1"),
        ({"exploration": 0.3}, "teacher.exploration was 0.2 and is now 0.3"),
        ({"num_envs": 16}, "student.rollout.num_envs was 8 and is now 16"),
    ):
        with pytest.raises(runs.RunError, match=message):
            train(loop_of(**change), run.path, resume=True)
    assert train(loop_of(), run.path, resume=True).config == run.config


@pytest.mark.parametrize("name", [name for name in TEACHERS if name != "random"])
def test_a_teacher_of_the_library_knows_its_settings(name):
    part, space = TEACHERS[name], simulated.abilities().task_space
    if name in ("oracle", "skill-it"):
        space = simulated.toy_grid().task_space
    config = part.config
    if name == "oracle":
        config = dataclasses.replace(config, step=(0.1, 0.1))
    own = config.bandit if isinstance(config, OnCells) else config
    assert part.make(space, config).config == own


def test_simulated_students_know_their_settings():
    for part in STUDENTS.values():
        if not part.needs_environment:
            assert part.make(None, part.config).config == part.config


def test_teachers_made_of_teachers_tell_of_all():
    space = simulated.toy_grid().task_space
    gmm = teachers.alp_gmm(space, teachers.AlpGmmConfig(exploration=0.3, return_range=None))
    mixed = teachers.mix(gmm, teachers.random(space), 0.75)
    phases = teachers.schedule([(mixed, 100), (gmm, 1)])
    named = named_fields(phases.config)
    assert named["starts"] == (0, 100) and named["phases.0.share"] == 0.75
    assert named["phases.0.first.exploration"] == named["phases.1.exploration"] == 0.3


def test_what_json_does_not_know_is_named(tmp_path):
    teacher = dataclasses.replace(
        teachers.random(ENV.task_space), config={"score": max, "at": jnp.arange(2)}
    )
    loop = dataclasses.replace(loop_of(), teacher=teacher)
    assert known_settings(loop)["teacher.score"] is max
    experiment = runs.experiment.make_experiment(loop, 1, 100, settings=known_settings(loop))
    assert experiment.config["teacher.score"] == "max"
    assert experiment.config["teacher.at"] == [0, 1]
