"""Policies with a memory: what they can do that others cannot, and when they forget."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import LoopConfig, learners, make_loop, teachers
from jaxcurriculum.learners.networks import LAYERS, recurrent
from jaxcurriculum.learners.ppo import next_values
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

ENV = probes.remember()
ROLLOUT = RolloutConfig(num_envs=32, num_steps=20, pool_size=256)
WITHOUT = PpoConfig(hidden=(16,), minibatch_size=160, learning_rate=1e-2, entropy_coefficient=0.01)
WITH = dataclasses.replace(WITHOUT, memory="gru", memory_size=16)
WITH_S5 = dataclasses.replace(WITH, memory="s5")
WITH_LSTM = dataclasses.replace(WITH, memory="lstm")


@pytest.mark.slow
@pytest.mark.parametrize(
    "config, reached", [(WITH, True), (WITH_LSTM, True), (WITH_S5, True), (WITHOUT, False)]
)
def test_only_a_memory_can_repeat_what_was_seen(config, reached):
    """The best return is 1; whoever does not remember gets 1/2 on average, whatever it does."""
    student = ppo(ENV, config, ROLLOUT)
    tasks, test = jnp.zeros((64, 1)), LoopConfig(rounds_per_evaluation=80)
    loop = make_loop(teachers.random(ENV.task_space), student, tasks, test)
    _, report = quick_jit(loop.advance)(quick_jit(loop.init)(jax.random.key(0)), jnp.int32(0))
    mean = float(report.evaluation.returns.mean())
    assert mean == 1.0 if reached else abs(mean - 0.5) < 0.2


@pytest.fixture(scope="module", params=[("gru", 1), ("lstm", 1), ("s5", 2)])
def network(request):
    name, num_layers = request.param
    network = recurrent(LAYERS[name], ENV.action_space, (8,), 12, num_layers, 0.0)
    params = quick_jit(network.init)(jax.random.key(0), observations(1, 1))
    return network, params, quick_jit(network.unroll)


def observations(num_steps, num, key=1):
    keys = jax.random.split(jax.random.key(key), 2)
    return {
        "cue": jax.random.normal(keys[0], (num_steps, num, 1)),
        "time": jax.random.normal(keys[1], (num_steps, num, 5)),
    }


def a_sequence(network, first, num_steps=7, num=3):
    start = jax.random.normal(jax.random.key(3), network.memory(num).shape)
    return start, observations(num_steps, num), first


def test_a_sequence_is_its_steps(network):
    network, params, unroll = network
    first = jax.random.bernoulli(jax.random.key(2), 0.3, (7, 3))
    first = first.at[0].set(jnp.array([True, False, False]))
    memory, obs, first = a_sequence(network, first)
    memories, policy, values = unroll(params, memory, obs, first)
    for t in range(7):
        now = jax.tree.map(lambda leaf, t=t: leaf[t : t + 1], (obs, first))
        after, alone, value = unroll(params, memory, *now)
        memory = after[0]
        np.testing.assert_allclose(memory, memories[t], atol=1e-5)
        np.testing.assert_allclose(value[0], values[t], atol=1e-5)
        np.testing.assert_allclose(alone.logits[0], policy.logits[t], atol=1e-5)


def test_everything_is_forgotten_where_an_episode_begins(network):
    network, params, unroll = network
    memory, obs, first = a_sequence(network, jnp.zeros((7, 3), bool).at[2].set(True))
    ends = [unroll(params, start, obs, first)[0] for start in (memory, memory + 1)]
    assert np.abs(ends[0][1] - ends[1][1]).max() > 1e-3
    np.testing.assert_array_equal(ends[0][2:], ends[1][2:])


def test_the_next_value_is_that_of_the_next_step(network):
    """Where the episode goes on; its memory is the one after the step."""
    network, params, unroll = network
    memory, obs, first = a_sequence(network, jnp.zeros((7, 3), bool))
    memories, _, values = unroll(params, memory, obs, first)
    following = jax.tree.map(lambda leaf: jnp.roll(leaf, -1, axis=0), obs)
    got = quick_jit(next_values, static_argnums=0)(network, params, memories, following, first)
    np.testing.assert_allclose(got[:-1], values[1:], atol=1e-5)


def test_the_first_update_sees_the_policy_that_acted():
    """So the ratio of new and old probabilities is 1 for every step, over rounds and episodes."""
    learner = learners.ppo(ENV, WITH, num_envs=ROLLOUT.num_envs)
    seen = []

    def learn(key, state, experience):
        seen.append(experience)
        return learner.learn(key, state, experience)

    from jaxcurriculum.students import on_policy

    student = on_policy(ENV, dataclasses.replace(learner, learn=learn), ROLLOUT)

    @quick_jit
    def two_rounds(key):
        keys = jax.random.split(key, 5)
        state = student.init(keys[0])
        for number in (1, 2):
            before = state.learner
            tasks = jnp.zeros((ROLLOUT.pool_size, 1))
            proposals = fresh_proposals(keys[number], tasks)
            state, _ = student.train(keys[number + 2], state, proposals, jnp.int32(number - 1))
        return before, seen[-1]

    before, experience = two_rounds(jax.random.key(4))
    network = recurrent(LAYERS["gru"], ENV.action_space, WITH.hidden, WITH.memory_size, 1, 0.0)
    from jaxcurriculum.learners.normaliser import standardise_obs

    obs = standardise_obs(before.obs_moments, experience.obs)
    _, policy, _ = network.unroll(before.params, experience.memory, obs, experience.first)
    np.testing.assert_allclose(policy.log_prob(experience.action), experience.extras, atol=1e-4)
    assert np.abs(experience.memory).max() > 0, "the second round goes on with what was remembered"


def test_minibatches_of_a_memory_are_whole_sequences():
    with pytest.raises(ValueError, match="must be a multiple of num_steps .*got 32 for 20 steps"):
        ppo(ENV, dataclasses.replace(WITH, minibatch_size=32), ROLLOUT)
