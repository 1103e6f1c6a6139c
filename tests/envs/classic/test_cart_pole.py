"""CartPole: gymnasium's, and an axis of the task changes what happens."""

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.envs.classic.cart_pole import AXES, CartPoleState

ENV = envs.cart_pole()
STEP = jax.jit(ENV.step)
PUBLISHED = jnp.array([AXES[name].value for name in ENV.task_space.names])


@pytest.mark.parametrize("seed", range(5))
def test_with_the_published_constants_it_is_gymnasiums(seed):
    theirs, rng = gymnasium.make("CartPole-v1").unwrapped, np.random.default_rng(seed)
    obs, _ = theirs.reset(seed=seed)
    state = CartPoleState(*jnp.array(obs))
    for _ in range(200):
        action = int(rng.integers(2))
        obs, reward, terminated, *_ = theirs.step(action)
        state, ours = STEP(jax.random.key(0), PUBLISHED, state, jnp.int32(action))
        np.testing.assert_allclose(ours.obs[:4], obs, atol=1e-5)
        assert (ours.reward, ours.terminated) == (reward, terminated)
        if terminated:
            return
    raise AssertionError("random pushes let it fall")


@pytest.mark.parametrize("axis", range(ENV.task_space.dims))
def test_every_axis_changes_what_happens(axis):
    """The masses too, whose sum and product other libraries keep as constants of their own."""
    space, ends = ENV.task_space, []
    for bound in (space.low, space.high):
        level, state = PUBLISHED.at[axis].set(bound[axis]), CartPoleState(*jnp.full(4, 0.02))
        for i in range(20):
            state, _ = STEP(jax.random.key(0), level, state, jnp.int32(i % 3 == 0))
        ends.append(np.stack(jax.tree.leaves(state)))
    assert np.abs(ends[0] - ends[1]).max() > 1e-3


@pytest.mark.parametrize(
    "bounds, message",
    [
        ({"mass": (1, 2)}, "bounds must be of gravity, .*, got 'mass'"),
        ({"length": (0, 1)}, "length must be two positive numbers"),
        ({"length": (2, 1)}, "length must be two positive numbers"),
        ({}, "must name at least one"),
    ],
)
def test_bounds_that_cannot_be_are_named(bounds, message):
    with pytest.raises(ValueError, match=message):
        envs.cart_pole(bounds)
