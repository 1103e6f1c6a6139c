"""Worlds that break their contract are named: by the check at the boundary, or by a law."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from jaxcurriculum import envs
from jaxcurriculum.checks import check_environment
from jaxcurriculum.testing import laws, probes
from jaxcurriculum.testing.trials import EnvironmentTrial

POLE = envs.cart_pole({"length": (0.5, 0.5)})


def shown(change):
    """CartPole whose step shows something else."""

    def step(key, level, state, action):
        state, timestep = POLE.step(key, level, state, action)
        return state, change(timestep)

    return dataclasses.replace(POLE, step=step)


@pytest.mark.parametrize(
    "change, message",
    [
        (
            lambda timestep: timestep.replace(obs=timestep.obs.astype(jnp.float16)),
            r"time step of step: leaf .obs must stay float32\[5\], but becomes float16\[5\]",
        ),
        (
            lambda timestep: timestep.replace(obs=timestep.obs[:4]),
            r"time step of step: leaf .obs must stay float32\[5\], but becomes float32\[4\]",
        ),
        (
            lambda timestep: timestep.replace(obs={"pole": timestep.obs}),
            r"time step of step: leaf .obs is missing afterwards",
        ),
        (
            lambda timestep: timestep.replace(reward=timestep.reward.astype(jnp.int32)),
            r"time step of step: leaf .reward must stay float32\[\], but becomes int32\[\]",
        ),
        (
            lambda timestep: timestep.replace(terminated=timestep.reward),
            r"time step of step: leaf .terminated must stay bool\[\], but becomes float32\[\]",
        ),
    ],
)
def test_what_step_shows_is_what_reset_showed(change, message):
    with pytest.raises(ValueError, match=f"Environment 'cart-pole', {message}"):
        check_environment(shown(change))


def resets_itself(env):
    """As environments of other libraries do: at an end, step shows the start of another episode."""

    def step(key, level, state, action):
        key_step, key_reset = jax.random.split(key)
        state, timestep = env.step(key_step, level, state, action)
        over = timestep.terminated | timestep.truncated
        start = state, timestep.obs
        again, first = env.reset(key_reset, level)
        choose = lambda new, old: jnp.where(over, new, old)
        state, obs = jax.tree.map(choose, (again, first.obs), start)
        return state, timestep.replace(obs=obs)

    return dataclasses.replace(env, step=step)


@pytest.mark.parametrize("make", [lambda: POLE, probes.remember])
def test_a_step_that_resets_by_itself_is_named(make):
    env = make()
    laws.step_never_resets(EnvironmentTrial(env))
    with pytest.raises(AssertionError, match=f"{env.name}: step shows the start of another"):
        laws.step_never_resets(EnvironmentTrial(resets_itself(env)))
