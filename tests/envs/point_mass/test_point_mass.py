"""The point mass: SPDL's rule step by step, the wall, and the two targets."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.point_mass.point_mass import PointMassState
from jaxcurriculum.testing.compiling import quick_jit

ENV = envs.point_mass(None)
STEP = quick_jit(ENV.step)
DOWN = jnp.array([0.0, -10.0])


def start(place=(0.0, 3.0), velocity=(0.0, 0.0)):
    return PointMassState(jnp.array(place), jnp.array(velocity), jnp.bool_(False))


def by_hand(level, place, velocity, action, noise):
    """One step in plain Python: Euler, the walls around, the wall between."""
    gate, width, friction = level
    for shake in noise:
        before = place.copy()
        place = np.clip(place + 0.01 * velocity, -4, 4)
        velocity = velocity + 0.01 * (1.5 * action - friction * velocity + shake)
        if before[1] >= 0 > place[1]:
            share = before[1] / (before[1] - place[1])
            x = before[0] + share * (place[0] - before[0])
            if abs(x - gate) > width / 2:
                return np.array([x, 0.0]), np.zeros(2), True
    return place, velocity, False


@pytest.mark.parametrize("level", [(0.0, 8.0, 0.0), (1.0, 2.0, 0.5), (-2.0, 0.5, 4.0)])
def test_it_is_the_published_rule(level):
    rng, level = np.random.default_rng(0), np.float32(level)
    place, velocity, state = np.array([0.0, 3.0]), np.zeros(2), start()
    for i in range(60):
        action, key = rng.uniform((-10, -10), (10, 5)), jax.random.key(i)
        noise = 0.05 * np.asarray(jax.random.normal(key, (10, 2)))
        place, velocity, over = by_hand(level, place, velocity, action, noise)
        state, timestep = STEP(key, level, state, jnp.float32(action))
        seen = np.stack([place, velocity], axis=1).ravel()
        np.testing.assert_allclose(timestep.obs[:4], seen, atol=1e-4)
        reward = np.exp(-0.6 * np.hypot(place[0], place[1] + 3))
        np.testing.assert_allclose(timestep.reward, reward, atol=1e-5)
        assert timestep.terminated == over
        if over:
            return
    assert place[1] != 3


@pytest.mark.parametrize("gate, width, crashes", [(0, 1, False), (3, 1, True), (3, 7, False)])
def test_whoever_meets_the_wall_beside_the_gate_stays_there(gate, width, crashes):
    state = start()
    for i in range(15):
        state, timestep = STEP(jax.random.key(i), jnp.float32([gate, width, 0]), state, DOWN)
    assert state.crashed == timestep.terminated == crashes
    assert (timestep.obs[2] == 0) == crashes


def test_it_can_be_left_by_the_gate_from_behind():
    state = start(place=(2.0, -0.1), velocity=(0.0, 9.0))
    state, timestep = STEP(jax.random.key(0), jnp.float32([-2, 0.5, 0]), state, DOWN)
    assert state.place[1] > 0 and not timestep.terminated


def test_with_friction_it_reaches_its_terminal_velocity():
    state, level = start(place=(-4.0, 3.0)), jnp.float32([0, 8, 4])
    for i in range(15):
        state, _ = STEP(jax.random.key(i), level, state, jnp.array([8.0, 0.0]))
    assert state.velocity[0] == pytest.approx(1.5 * 8 / 4, rel=0.02)


def test_targets_are_two_narrow_gates():
    draw = quick_jit(lambda key: jax.vmap(envs.target_gate)(jax.random.split(key, 1000)))
    tasks = np.asarray(draw(jax.random.key(0)))
    right = tasks[:, 0] > 0
    assert tasks[:, 1].min() == 0.5 and right.mean() == pytest.approx(0.5, abs=0.05)
    np.testing.assert_allclose(np.abs(tasks[:, 0]), 3, atol=0.05)
    assert tasks[:, 1].max() < 0.55 and (tasks[:, 1] == 0.5).mean() == pytest.approx(0.5, abs=0.05)
