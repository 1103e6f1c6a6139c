"""No world ignores an axis, and what does is named: the no-ops that were published, too."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from jaxcurriculum import Box, Discrete, Environment, envs
from jaxcurriculum.envs.walker.bodies import SIZES
from jaxcurriculum.records import TimeStep
from jaxcurriculum.testing import axes, laws, probes
from jaxcurriculum.testing.axes import check_axes, ignored_axes
from jaxcurriculum.testing.trials import EnvironmentTrial

SLOW = pytest.mark.slow
WORLDS = {  # and how many random steps they need until all of their task has been met
    "counting": (probes.counting, 50, ()),
    "cart-pole": (lambda: envs.cart_pole(None), 50, ()),
    "pendulum": (lambda: envs.pendulum(None), 50, ()),
    "acrobot": (lambda: envs.acrobot(None), 500, SLOW),
    "mountain-car": (lambda: envs.mountain_car(None), 200, SLOW),
    "continuous-mountain-car": (envs.continuous_mountain_car, 200, SLOW),
    "point-mass": (lambda: envs.point_mass(None), 50, ()),
    "ring-maze": (envs.ring_maze, 50, SLOW),
}
NO_OPS = {
    "the cached mass of CartPole": (lambda: envs.cart_pole(as_published=True), "mass_cart", ()),
    "the second link's length of Acrobot": (
        lambda: envs.acrobot(as_published=True),
        "length_2",
        SLOW,
    ),
    "a noise of nothing": (lambda: scaled_noise(0.0), "noise", ()),
    "what only tells the task": (probes.endless, "x", ()),
    "what matters after the end": (lambda: late(ends=True), "late", ()),
    "what matters too late": (lambda: late(ends=False), "late", ()),
}


def rows(table):
    return [pytest.param(*row[:-1], marks=row[-1], id=name) for name, row in table.items()]


def counter(name, reward, ends=lambda time: False):
    """A world that counts its steps, shows the count and the task, and pays `reward(level, time,
    key)`.
    """

    def show(level, time, reward):
        obs = {"time": time, "task": level}
        return TimeStep(obs, jnp.float32(reward), jnp.bool_(ends(time)), jnp.bool_(False))

    def step(key, level, time, action):
        time = time + 1
        return time, show(level, time, reward(level[0], time, key))

    return Environment(
        name=name,
        task_space=Box(names=(name,), low=(0.0,), high=(1.0,)),
        action_space=Discrete(2),
        max_episode_steps=100,
        solved_above=0.0,
        generate=lambda key, task: task,
        reset=lambda key, level: (jnp.int32(0), show(level, jnp.int32(0), 0.0)),
        step=step,
    )


def scaled_noise(scale):
    return counter("noise", lambda x, time, key: scale * x + jax.random.normal(key))


def late(ends):
    """The task pays from step 60 on, which comes after an end at step 10 if it `ends`."""
    payment = lambda x, time, key: jnp.where(time >= 60, x, 0.0)
    return counter("late", payment, (lambda time: time == 10) if ends else (lambda time: False))


@pytest.mark.parametrize("make, num_steps", rows(WORLDS))
def test_every_axis_changes_what_happens(make, num_steps):
    laws.no_axis_is_ignored(EnvironmentTrial(make()), num_steps)


@pytest.mark.parametrize("make, axis", rows(NO_OPS))
def test_an_axis_that_is_ignored_is_named(make, axis):
    assert ignored_axes(make()) == (axis,)


def test_what_comes_late_is_found_with_more_steps():
    assert ignored_axes(late(ends=False), 60) == ()


def test_a_pair_whose_copy_does_not_repeat_counts_for_nothing(monkeypatch):
    moved = axes._moved
    monkeypatch.setattr(axes, "_moved", lambda *given: moved(*given).at[1].add(0.1))
    assert ignored_axes(probes.counting()) == ("x",)


def test_a_constant_is_no_axis():
    constant = Box(names=("x",), low=(1.0,), high=(1.0,))
    assert ignored_axes(dataclasses.replace(probes.endless(), task_space=constant)) == ()


def test_the_boundary_says_it_in_one_sentence():
    with pytest.raises(ValueError, match="'endless' ignores x: within 20 random steps of 4 tasks"):
        check_axes(probes.endless(), num_steps=20, num_tasks=4)
    with pytest.raises(AssertionError, match="endless ignores x in 20 steps"):
        laws.no_axis_is_ignored(EnvironmentTrial(probes.endless()), 20, 4)
    with pytest.raises(TypeError, match="'maze': task_space must be a Box, got a Mazes"):
        check_axes(envs.maze())
    with pytest.raises(TypeError, match="env must be of the type Environment, got 'pole'"):
        check_axes("pole")
    with pytest.raises(ValueError, match="num_tasks must be a positive integer, got 0"):
        check_axes(probes.endless(), num_tasks=0)


THROWN = dict(
    pose=(4.6, 4.0, 0.0),
    joints=((0.3, 0.2), (-0.8, -0.8)),
    velocity=((15.0,) * 5, (0.0,) * 5, (0.0,) * 5),
    touched=(False, False),
)


def thrown():
    """The default body, thrown along the track: within 80 steps it sees 24 m of it."""
    start = envs.Start(**THROWN)
    body = envs.BODIES["default"]
    return dataclasses.replace(body, name="thrown", start=start, start_on_pieces=start)


WALKERS = {
    "stump-tracks, wide and rotated": (
        lambda body: envs.stump_tracks(body, stump_width=(1.0, 2.0), stump_rotation=(0.0, 1.0)),
        (),
    ),
    "stump-sequences": (envs.stump_sequences, ()),
    "obstacle-tracks": (envs.obstacle_tracks, ()),
    "hexagon-tracks": (envs.hexagon_tracks, ("dy_1", "dy_6")),  # corners that stand on the ground
}


@pytest.mark.slow
@pytest.mark.parametrize("name", WALKERS)
def test_tracks_ignore_no_axis_but_those_published(name):
    make, expected = WALKERS[name]
    assert ignored_axes(make(thrown()), num_steps=80, num_tasks=32) == expected


@pytest.mark.slow
def test_every_size_of_a_body_changes_what_happens():
    """On ground that does not matter: such a walker begins at rest, and stays where it began."""
    sizes = dict.fromkeys(SIZES, (0.8, 1.25))
    ignored = ignored_axes(envs.stump_tracks(sizes=sizes), num_steps=10, num_tasks=8)
    assert not set(SIZES) & set(ignored)
