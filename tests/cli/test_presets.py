"""Some worlds bring defaults of their own for teachers and students."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs, teachers
from jaxcurriculum.cli import main
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.cli.tables import ENVIRONMENTS, STUDENTS, TEACHERS
from jaxcurriculum.teachers.accel import _edit

MAZE = {"env": "maze", "student": "ppo-gru"}


def settings_of(experiment, section):
    return {
        name.removeprefix(f"{section}."): value
        for name, value in experiment.config.items()
        if name.startswith(f"{section}.")
    }


@pytest.mark.slow
def test_teachers_of_mazes_have_the_settings_published_for_mazes():
    plr = settings_of(build(Settings(**MAZE, teacher="plr")), "teacher")
    robust = settings_of(build(Settings(**MAZE, teacher="robust-plr")), "teacher")
    accel = settings_of(build(Settings(**MAZE, teacher="accel")), "teacher")
    published = {
        "capacity": 4000,
        "replay_prob": 0.8,
        "temperature": 0.3,
        "staleness": 0.3,
        "score": "max_mc",
    }
    assert published.items() <= plr.items() and plr == robust | {"robust": False}
    assert {f"replay.{name}": value for name, value in published.items()}.items() <= accel.items()
    elsewhere = settings_of(build(Settings(env="pendulum", teacher="plr")), "teacher")
    assert elsewhere["capacity"] == 1000


def test_what_is_asked_for_comes_before_a_preset():
    asked = Settings(**MAZE, teacher="plr", fields={"teacher.capacity": 700})
    assert build(asked).config["teacher.capacity"] == 700


def test_a_child_of_accel_is_five_edits_from_its_parent():
    """Each edit flips one wall at most, or moves the goal."""
    config, space = teachers.AccelConfig.maze(), envs.maze(envs.Mazes()).task_space
    parents = jax.vmap(space.sample)(jax.random.split(jax.random.key(0), 400))
    children = _edit(jax.random.key(1), space, parents, config)
    flipped = np.asarray((parents.walls != children.walls).sum((1, 2)))
    assert flipped.max() in (4, 5) and flipped.mean() == pytest.approx(5 / 3, abs=0.15)


@pytest.mark.parametrize("world", [name for name, part in ENVIRONMENTS.items() if part.presets])
def test_presets_are_of_the_kind_that_they_replace(world):
    table = TEACHERS | STUDENTS
    for name, preset in ENVIRONMENTS[world].presets.items():
        assert type(preset) is type(table[name].config) and preset != table[name].config


def test_list_tells_where_a_default_is_another(capsys):
    assert main.run(["list", "accel", "ppo"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert re.search(r"with [-a-z, ]*\bmaze\b[-a-z, ]* 4000", shown)
    assert re.search("with cart-pole[-a-z, ]* 1536", shown)


@pytest.mark.slow
def test_early_episodes_of_cart_pole_are_all_recorded():
    loop = build(Settings(env="cart-pole", teacher="random", seeds=1)).loop
    state = loop.init(jax.random.key(0))
    for number in range(6):
        state, _ = jax.jit(loop.round)(state, jnp.int32(number))
    assert state.counters.dropped == state.counters.pool_wraps == 0
