"""Worlds of a few equations: what a task may choose of their constants, and what is seen of it."""

import jax
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.classic import (
    acrobot,
    cart_pole,
    continuous_mountain_car,
    mountain_car,
    pendulum,
)
from jaxcurriculum.envs.point_mass import point_mass, ring_maze
from jaxcurriculum.testing.compiling import quick_jit

AXES = {
    envs.acrobot: acrobot.AXES,
    envs.cart_pole: cart_pole.AXES,
    envs.continuous_mountain_car: continuous_mountain_car.AXES,
    envs.mountain_car: mountain_car.AXES,
    envs.pendulum: pendulum.AXES,
    envs.point_mass: point_mass.AXES,
    envs.ring_maze: ring_maze.AXES,
}
WORLDS = pytest.mark.parametrize("make", AXES, ids=lambda make: make.__name__)


@WORLDS
def test_every_constant_can_be_an_axis(make):
    axes = AXES[make]
    space = make(None).task_space
    assert space.names == tuple(axes)
    assert tuple(zip(space.low, space.high)) == tuple(axis.bounds for axis in axes.values())
    for axis in axes.values():
        least, most = axis.allowed
        assert least <= min(axis.value, *axis.bounds) and max(axis.value, *axis.bounds) <= most
    name = list(axes)[-1]
    low, high = axes[name].bounds
    assert make([name]).task_space == make({name: (low, high)}).task_space


@WORLDS
def test_the_task_follows_what_is_seen_if_wished(make):
    told, untold = make(), make(observe_task=False)
    space = told.task_space

    @quick_jit
    def look(key):
        task = space.sample(key)
        seen = [env.reset(key, env.generate(key, task))[1].obs for env in (told, untold)]
        return *seen, space.to_unit(task)

    shown, hidden, unit = look(jax.random.key(0))
    np.testing.assert_array_equal(shown, np.concatenate([hidden, unit]))


@pytest.mark.parametrize(
    "make, given, message",
    [
        (envs.cart_pole, {"mass": (1, 2)}, "bounds must be of gravity, .*, got 'mass'"),
        (envs.pendulum, ["gravity", "g"], "bounds must be of gravity, .*, got 'g'"),
        (envs.cart_pole, {"length": (0, 1)}, "length must be two positive numbers.*got \\(0, 1\\)"),
        (envs.cart_pole, {"length": (2, 1)}, "length must be two positive numbers, the lower one"),
        (envs.cart_pole, {"length": (1,)}, "length must be two positive numbers"),
        (envs.acrobot, {"torque": (1, float("inf"))}, "torque must be two positive numbers"),
        (envs.pendulum, {"mass": (float("nan"), 1)}, "mass must be two positive numbers"),
        (envs.pendulum, {"mass": "heavy"}, "mass must be two positive numbers.*'heavy'"),
        (
            envs.pendulum,
            {"start_angle": (0, 4)},
            "start_angle must be two numbers between 0 and 3.1",
        ),
        (envs.mountain_car, {"goal": (0.3, 0.7)}, "goal must be two numbers between -0.5 and 0.6"),
        (envs.point_mass, {"gate_position": (-5, 0)}, "gate_position must be two numbers between"),
        (envs.point_mass, {"gate_width": (-1, 0)}, "gate_width must be two positive numbers"),
        (envs.ring_maze, {}, "must name at least one of goal_x, goal_y, tolerance, got none"),
        (
            envs.ring_maze,
            "goal_x",
            "must be names of axes or \\(low, high\\) by name, got 'goal_x'",
        ),
        (
            envs.continuous_mountain_car,
            3,
            "must be names of axes or \\(low, high\\) by name, got 3",
        ),
        (envs.cart_pole, [["force"]], "bounds must be of gravity, .*, got \\['force'\\]"),
        *(
            (make, 2 * [list(axes)[0]], "bounds must name every axis once")
            for make, axes in AXES.items()
        ),
    ],
)
def test_bounds_that_cannot_be_are_named(make, given, message):
    with pytest.raises(ValueError, match=message):
        make(given)


@pytest.mark.parametrize("flag", ["observe_task", "as_published"])
def test_flags_are_true_or_false(flag):
    with pytest.raises(ValueError, match=f"{flag} must be True or False, got 'yes'"):
        envs.cart_pole(**{flag: "yes"})
