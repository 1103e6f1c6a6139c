"""Worlds of a few equations on the command line: every constant is a setting."""

import dataclasses
import shlex

import numpy as np
import pytest

import jaxcurriculum.envs as envs
from jaxcurriculum.cli.main import parse
from jaxcurriculum.cli.tables.equations import EQUATIONS


@pytest.mark.parametrize("name", EQUATIONS)
def test_the_defaults_are_those_of_the_function(name):
    part = EQUATIONS[name]
    env = getattr(envs, name.replace("-", "_"))()
    made = part.make(part.config)
    assert (made.name, made.task_space) == (env.name, env.task_space) and env.name == name
    for test_set in part.test_sets.values():
        tasks = test_set(part.config, made.task_space)
        low, high = made.task_space.low, made.task_space.high
        assert (
            len(tasks) == 100 and ((np.float32(low) <= tasks) & (tasks <= np.float32(high))).all()
        )


def test_a_constant_becomes_an_axis_and_stops_being_one():
    line = "train --env acrobot --env.gravity 5 15 --env.mass-1 None --env.no-observe-task"
    settings = parse(shlex.split(line))
    given = {
        name.removeprefix("env."): value
        for name, value in settings.fields.items()
        if name.startswith("env.")
    }
    part = EQUATIONS["acrobot"]
    env = part.make(dataclasses.replace(part.config, **given))
    assert env.task_space.names == ("length_1", "length_2", "mass_2", "gravity")
    assert env.observation_shapes().shape == (6,)


def test_what_a_constant_cannot_be_is_refused():
    config = EQUATIONS["mountain-car"].config
    with pytest.raises(ValueError, match="MountainCarConfig.goal must be two .* -0.5 and 0.6"):
        dataclasses.replace(config, goal=(0.3, 0.7))
