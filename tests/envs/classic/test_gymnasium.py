"""With the published constants every world is gymnasium's, step by step."""

import dataclasses
from collections.abc import Callable
from typing import Any

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.classic.acrobot import AcrobotState
from jaxcurriculum.envs.classic.cart_pole import CartPoleState
from jaxcurriculum.envs.classic.hill import CarState
from jaxcurriculum.envs.classic.pendulum import PendulumState
from jaxcurriculum.testing.compiling import quick_jit

NUM_STEPS = 200


def discrete(num):
    return lambda rng: np.int32(rng.integers(num))


def continuous(most):
    return lambda rng: np.float32(rng.uniform(-most, most, 1))


@dataclasses.dataclass(frozen=True)
class Row:
    theirs: str
    make: Callable[..., Any]
    axis: str  # of the one task, and what it is published to be
    value: float
    state: Callable[[Any], Any]  # ours of theirs
    draw: Callable[[np.random.Generator], Any]  # a random action


def car(state):
    return CarState(*state)


def double(state):
    return AcrobotState(state[:2], state[2:])


def pole(state):
    return CartPoleState(*state)


WORLDS = {
    "cart_pole": Row("CartPole-v1", envs.cart_pole, "gravity", 9.8, pole, discrete(2)),
    "pendulum": Row(
        "Pendulum-v1",
        envs.pendulum,
        "mass",
        1.0,
        lambda state: PendulumState(*state),
        continuous(2),
    ),
    "acrobot": Row("Acrobot-v1", envs.acrobot, "mass_1", 1.0, double, discrete(3)),
    "mountain_car": Row("MountainCar-v0", envs.mountain_car, "goal", 0.5, car, discrete(3)),
    "continuous_mountain_car": Row(
        "MountainCarContinuous-v0", envs.continuous_mountain_car, "goal", 0.45, car, continuous(1)
    ),
}


@pytest.fixture(params=WORLDS, scope="module")
def world(request):
    row = WORLDS[request.param]
    env = row.make({row.axis: (row.value, row.value)}, observe_task=False)
    return row, env, quick_jit(env.step), gymnasium.make(row.theirs)


def follow(row, env, step, theirs, level):
    """Compare step by step; ours starts each where theirs is, as a double pendulum forgets where it
    began.
    """
    rng = np.random.default_rng(0)
    theirs.reset(seed=0)
    for i in range(NUM_STEPS):
        before, action = np.float32(theirs.state), row.draw(rng)
        obs, reward, terminated, *_ = theirs.step(action)
        _, ours = step(jax.random.key(0), jnp.float32(level), row.state(before), action)
        np.testing.assert_allclose(ours.obs, obs, atol=2e-5)
        np.testing.assert_allclose(ours.reward, reward, rtol=1e-5, atol=1e-5)
        assert ours.terminated == terminated
        if terminated or i % 50 == 49:
            theirs.reset(seed=i)


def test_every_step_is_theirs(world):
    row, env, step, made = world
    follow(row, env, step, made.unwrapped, [row.value])


HEAVY = {"mass_cart": 5.0, "mass_pole": 0.6, "length": 1.5}
LONG = {"length_1": 1.5, "length_2": 0.6, "centre_1": 0.4}


@pytest.mark.parametrize(
    "name, flags, constants, theirs",
    [
        ("cart_pole", {}, {"force": 4, "time_step": 0.03}, {"force_mag": 4, "tau": 0.03}),
        (
            "cart_pole",
            {},
            HEAVY,
            {"masspole": 0.6, "length": 1.5, "total_mass": 5.6, "polemass_length": 0.9},
        ),
        (
            "cart_pole",
            {"as_published": True},  # as CARL changes it
            HEAVY,
            {"masscart": 5.0, "masspole": 0.6, "length": 1.5},
        ),
        (
            "pendulum",
            {},
            {"gravity": 4, "mass": 0.4, "length": 1.6, "max_torque": 1, "max_speed": 5},
            {"g": 4, "m": 0.4, "l": 1.6, "max_torque": 1, "max_speed": 5},
        ),
        ("pendulum", {}, {"time_step": 0.02}, {"dt": 0.02}),
        (
            "acrobot",
            {},
            {"mass_1": 0.7, "mass_2": 1.8, "inertia": 0.6, "torque": 2, "max_speed_1": 2},
            {
                "LINK_MASS_1": 0.7,
                "LINK_MASS_2": 1.8,
                "LINK_MOI": 0.6,
                "AVAIL_TORQUE": [-2, 0, 2],
                "MAX_VEL_1": 2,
            },
        ),
        (
            "acrobot",
            {"as_published": True},
            LONG,
            {"LINK_LENGTH_1": 1.5, "LINK_LENGTH_2": 0.6, "LINK_COM_POS_1": 0.4},
        ),
        (
            "mountain_car",
            {},
            {"force": 0.002, "gravity": 0.0015, "goal": 0.3, "goal_velocity": 0.01},
            {"force": 0.002, "gravity": 0.0015, "goal_position": 0.3, "goal_velocity": 0.01},
        ),
        (
            "continuous_mountain_car",
            {},
            {"power": 0.003, "goal": 0.3, "max_speed": 0.04, "min_position": -0.8},
            {"power": 0.003, "goal_position": 0.3, "max_speed": 0.04, "min_position": -0.8},
        ),
    ],
)
def test_other_constants_are_theirs(name, flags, constants, theirs):
    row, unwrapped = WORLDS[name], gymnasium.make(WORLDS[name].theirs).unwrapped
    for attribute, value in theirs.items():
        setattr(unwrapped, attribute, value)
    bounds = {axis: (value, value) for axis, value in constants.items()}
    env = row.make(bounds, observe_task=False, **flags)
    follow(row, env, quick_jit(env.step), unwrapped, list(constants.values()))


@pytest.mark.parametrize(
    "name, before, action, reward",
    [
        ("mountain_car", (0.49, 0.03), 2, -1),
        ("mountain_car", (-1.19, -0.05), 0, -1),  # stopped by the wall
        ("continuous_mountain_car", (0.44, 0.03), 0.5, 99.975),
        ("continuous_mountain_car", (-1.19, -0.05), -1.0, -0.1),
        ("acrobot", (2.0, 0.3, 3.0, 0.5), 2, 0),
        ("pendulum", (20.0, 7.9), 2.0, None),  # turned three times, at its greatest speed
        ("cart_pole", (2.39, 1.0, 0.1, 0.2), 1, 1),
    ],
)
def test_ends_and_walls_are_theirs(name, before, action, reward):
    row, theirs = WORLDS[name], gymnasium.make(WORLDS[name].theirs).unwrapped
    env = row.make({row.axis: (row.value, row.value)}, observe_task=False)
    is_continuous = name in ("pendulum", "continuous_mountain_car")
    action = np.float32([action]) if is_continuous else np.int32(action)
    theirs.reset(seed=0)
    theirs.state = np.float32(before)
    obs, their_reward, terminated, *_ = theirs.step(action)
    level, state = jnp.float32([row.value]), row.state(np.float32(before))
    _, ours = quick_jit(env.step)(jax.random.key(0), level, state, action)
    np.testing.assert_allclose(ours.obs, obs, atol=2e-5)
    np.testing.assert_allclose(ours.reward, their_reward, rtol=1e-5)
    assert ours.terminated == terminated
    assert reward is None or their_reward == pytest.approx(reward)


def test_the_rest_of_the_contract_is_theirs(world):
    row, env, _, made = world
    spec = made.spec
    assert spec is not None and env.max_episode_steps == spec.max_episode_steps
    space = made.action_space
    if isinstance(space, gymnasium.spaces.Discrete):
        assert env.action_space.num == space.n
    else:
        assert (env.action_space.low, env.action_space.high) == (space.low, space.high)
    keys = jax.random.split(jax.random.key(0), 500)
    reset = quick_jit(jax.vmap(env.reset, (0, None)))
    ours = np.asarray(reset(keys, jnp.float32([row.value]))[1].obs)
    theirs = np.stack([made.reset(seed=seed)[0] for seed in range(500)])
    np.testing.assert_allclose(ours.min(0), theirs.min(0), atol=0.05)
    np.testing.assert_allclose(ours.max(0), theirs.max(0), atol=0.05)
    np.testing.assert_allclose(ours.mean(0), theirs.mean(0), atol=0.15)
