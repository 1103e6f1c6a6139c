"""Bodies as arrays walk as bodies that a program holds as constants."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from walker_scenes import level as flat_level

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.body_arrays import body_arrays
from jaxcurriculum.envs.walker.engine.surfaces import GROUND
from jaxcurriculum.testing.compiling import quick_jit

KEY = jax.random.key(0)


def walk(env):
    """What a walker sees and earns in ten random steps, [10, ...]."""
    level = env.generate(KEY, jnp.array([0.5, 2.0]))
    state, _ = env.reset(KEY, level)

    def step(state, action):
        state, now = env.step(KEY, level, state, action)
        return state, (now.obs, now.reward)

    return jax.lax.scan(step, state, jax.random.uniform(KEY, (10, 4), minval=-1))[1]


def stacked(*names):
    return jax.tree.map(lambda *leaves: np.stack(leaves), *map(body_arrays, names))


@pytest.mark.slow
def test_bodies_of_one_program_walk_as_each_does_in_its_own():
    """Up to rounding, as compilers compute with constants beforehand, and bit for bit whatever the
    other bodies are.
    """
    together = quick_jit(jax.vmap(lambda body: walk(envs.stump_tracks(body))))
    obs, reward = together(stacked("default", "short"))
    for lane, name in enumerate(("default", "short")):
        own_obs, own_reward = quick_jit(lambda name=name: walk(envs.stump_tracks(name)))()
        np.testing.assert_allclose(obs[lane], own_obs, atol=2e-3)
        np.testing.assert_allclose(reward[lane], own_reward, atol=2e-3)
    assert abs(obs[0] - obs[1]).max() > 0.1
    again, _ = together(stacked("long", "short"))
    np.testing.assert_array_equal(again[1], obs[1])


@pytest.mark.parametrize("name", ["default", "short"])
def test_they_begin_as_the_body_does(name):
    tracks = flat_level(), flat_level(ground=np.full(200, GROUND))
    for track in tracks:
        state, now = envs.stump_tracks(body_arrays(name)).reset(KEY, track)
        own_state, own = envs.stump_tracks(name).reset(KEY, track)
        jax.tree.map(lambda a, b: np.testing.assert_allclose(a, b, atol=1e-5), state, own_state)
        np.testing.assert_allclose(now.obs, own.obs, atol=1e-5)


def test_sizes_that_tasks_choose_are_refused():
    with pytest.raises(ValueError, match="sizes must be empty for a body of arrays, got"):
        envs.stump_tracks(body_arrays("short"), sizes={"leg_width": (0.5, 1.5)})
