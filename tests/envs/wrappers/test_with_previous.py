"""Actions and rewards of the step before are seen, and none where an episode begins."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, Discrete, Product, envs
from jaxcurriculum.envs.wrappers.with_previous import as_numbers
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.rollout.collect import collect, init_rollout
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit


@pytest.mark.parametrize("batch_axis", [0, -1])
def test_what_was_done_and_got_is_seen_in_the_next_step(batch_axis):
    """Over many episodes of one to seven steps, of which each begins with nothing."""
    env = envs.with_previous(dataclasses.replace(probes.counting(), batch_axis=batch_axis))
    config = RolloutConfig(num_envs=4, num_steps=25, pool_size=64)

    def policy(key, memory, obs, first):
        return memory, jax.random.uniform(key, (4, 1), minval=0.1), ()

    def play(key):
        tasks = jax.random.uniform(key, (64, 1))
        state = init_rollout(env, 4, ())
        return collect(key, env, config, state, fresh_proposals(key, tasks), policy)[1].experience

    seen = jax.tree.map(np.asarray, quick_jit(play)(jax.random.key(0)))
    first = seen.first[1:, :, None]
    assert 10 < first.sum() < first.size, "episodes begin and go on"
    np.testing.assert_array_equal(seen.obs["first"][..., 0], seen.first)
    np.testing.assert_array_equal(seen.obs["action"][1:], np.where(first, 0, seen.action[:-1]))
    reward = np.where(first, 0, seen.reward[:-1, :, None])
    np.testing.assert_array_equal(seen.obs["reward"][1:], reward)
    np.testing.assert_array_equal(seen.next_obs["action"], seen.action)


def test_choices_are_seen_as_one_hot():
    space = Product(kind=Discrete(num=3), push=Box(names=("x",), low=(0,), high=(1,)))
    seen = as_numbers(space, {"kind": jnp.int32(2), "push": jnp.array([0.5])})
    assert jax.tree.map(lambda leaf: leaf.tolist(), seen) == {"kind": [0, 0, 1], "push": [0.5]}
    with pytest.raises(TypeError, match="a Discrete or a Product of them, got Mazes"):
        as_numbers(envs.Mazes(), jnp.zeros(()))
