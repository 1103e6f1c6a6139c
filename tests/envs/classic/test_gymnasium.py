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

NUM_STEPS = 300


@dataclasses.dataclass(frozen=True)
class Row:
    theirs: str
    make: Callable[..., Any]
    axis: str  # a single task: what it is published to be
    value: float
    state: Callable[[Any], Any]  # ours of theirs
    draw: Callable[[np.random.Generator], Any]  # a random action


WORLDS = {
    "cart_pole": Row(
        "CartPole-v1",
        envs.cart_pole,
        "gravity",
        9.8,
        lambda state: CartPoleState(*state),
        lambda rng: np.int32(rng.integers(2)),
    ),
    "pendulum": Row(
        "Pendulum-v1",
        envs.pendulum,
        "mass",
        1.0,
        lambda state: PendulumState(*state),
        lambda rng: np.float32(rng.uniform(-2, 2, 1)),
    ),
    "acrobot": Row(
        "Acrobot-v1",
        envs.acrobot,
        "mass_1",
        1.0,
        lambda state: AcrobotState(state[:2], state[2:]),
        lambda rng: np.int32(rng.integers(3)),
    ),
    "mountain_car": Row(
        "MountainCar-v0",
        envs.mountain_car,
        "goal",
        0.5,
        lambda state: CarState(*state),
        lambda rng: np.int32(rng.integers(3)),
    ),
    "continuous_mountain_car": Row(
        "MountainCarContinuous-v0",
        envs.continuous_mountain_car,
        "goal",
        0.45,
        lambda state: CarState(*state),
        lambda rng: np.float32(rng.uniform(-1, 1, 1)),
    ),
}


@pytest.fixture(params=WORLDS, scope="module")
def world(request):
    row = WORLDS[request.param]
    env = row.make({row.axis: (row.value, row.value)}, observe_task=False)
    return row, env, jax.jit(env.step), gymnasium.make(row.theirs)


def test_every_step_is_theirs(world):
    """Ours starts every step where theirs is, as a double pendulum forgets where it began."""
    row, env, step, made = world
    theirs, rng = made.unwrapped, np.random.default_rng(0)
    theirs.reset(seed=0)
    level = jnp.float32([row.value])
    for i in range(NUM_STEPS):
        before, action = np.float32(theirs.state), row.draw(rng)
        obs, reward, terminated, *_ = theirs.step(action)
        _, ours = step(jax.random.key(0), level, row.state(before), action)
        np.testing.assert_allclose(ours.obs, obs, atol=2e-5)
        np.testing.assert_allclose(ours.reward, reward, rtol=1e-5, atol=1e-5)
        assert ours.terminated == terminated
        if terminated or i % 50 == 49:
            theirs.reset(seed=i)


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
    _, ours = jax.jit(env.step)(jax.random.key(0), level, state, action)
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
    ours = np.asarray(jax.vmap(env.reset, (0, None))(keys, jnp.float32([row.value]))[1].obs)
    theirs = np.stack([made.reset(seed=seed)[0] for seed in range(500)])
    np.testing.assert_allclose(ours.min(0), theirs.min(0), atol=0.05)
    np.testing.assert_allclose(ours.max(0), theirs.max(0), atol=0.05)
    np.testing.assert_allclose(ours.mean(0), theirs.mean(0), atol=0.1)
