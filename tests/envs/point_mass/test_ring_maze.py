"""The ring: its walls, its goals, and that the way around leads to all of them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.point_mass.ring_maze import RingMazeState
from jaxcurriculum.testing.compiling import quick_jit

ENV = envs.ring_maze()
STEP = quick_jit(ENV.step)
FAR = jnp.float32([6, 6, 0.05])


@pytest.mark.parametrize(
    "before, action, after",
    [
        ((-6, -6), (1, 0), (-5.7, -6)),
        ((-6, -6), (3, 4), (-5.82, -5.76)),  # 0.3 long at most
        ((-6, -6), (0, 0.5), (-6, -5.85)),
        ((-6.9, -6.9), (-1, -1), (-7, -7)),
        ((-5.1, 0), (1, 0), (-5, 0)),  # at the inner wall
        ((0, 5.1), (0, -1), (0, 5)),
        ((-5.1, -5.1), (1, 1), (-5, -5)),  # at its corner
        ((5.1, -5.1), (-1, 0), (4.8, -5.1)),  # along it
    ],
)
def test_walls_stop_it(before, action, after):
    state = RingMazeState(jnp.float32(before))
    state, timestep = STEP(jax.random.key(0), FAR, state, jnp.float32(action))
    np.testing.assert_allclose(state.place, after, atol=1e-5)
    assert (timestep.reward, timestep.terminated) == (-1, False)


@pytest.mark.parametrize("goal", [(6, 6), (-6, 3), (0, 6.5), (6, -5.5), (0, 5.5)])
def test_the_way_around_leads_to_every_goal(goal):
    level = jnp.float32([*goal, 0.2])
    rises = goal[0] < 0 or goal[1] > abs(goal[0])
    corner = np.array([-6.0, 6.0]) if rises else np.array([6.0, -6.0])
    state = RingMazeState(jnp.array([-5.5, -6.5]))
    for _ in range(200):
        place = np.asarray(state.place)
        at_goal = np.min(np.abs(place - goal)) < 0.5 or np.abs(place - corner).max() < 0.3
        towards = (np.array(goal) if at_goal else corner) - place
        state, timestep = STEP(jax.random.key(0), level, state, jnp.float32(towards / 0.3))
        assert timestep.reward == (0 if timestep.terminated else -1)
        if timestep.terminated:
            assert np.linalg.norm(np.asarray(state.place) - goal) < 0.2
            return
    raise AssertionError("not there after 200 steps")


def test_it_starts_anywhere_in_the_lower_left_corner():
    keys = jax.random.split(jax.random.key(0), 500)
    states, timesteps = quick_jit(jax.vmap(ENV.reset, (0, None)))(keys, FAR)
    places = np.asarray(states.place)
    assert places.min() > -7 and places.max() < -5 and not timesteps.terminated.any()
    np.testing.assert_allclose(places.mean(0), -6, atol=0.1)


def test_targets_are_all_goals_of_which_three_in_ten_can_be_reached():
    @quick_jit
    def draw(key):
        keys = jax.random.split(key, 4000)
        return jax.vmap(envs.target_goal)(keys), jax.vmap(envs.feasible_goal)(keys)

    target, feasible = map(np.asarray, draw(jax.random.key(0)))
    for tasks in (target, feasible):
        assert np.abs(tasks).max() <= 9 and (tasks[:, 2] == np.float32(0.05)).all()

    def in_ring(tasks):
        far = np.abs(tasks[:, :2]).max(1)
        return (far > 5) & (far < 7)

    assert in_ring(target).mean() == pytest.approx((14**2 - 10**2) / 18**2, abs=0.03)
    assert in_ring(feasible).all()
    for side in (feasible[:, 0] > 5, feasible[:, 1] < -5):
        assert side.mean() == pytest.approx(28 / 96, abs=0.03)
