"""SAC: losses by hand, probe worlds whose value is known, weights, and what it refuses."""

import dataclasses
import functools
import sys

import chex
import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, LoopConfig, learners, make_loop, teachers, tree
from jaxcurriculum.learners import SacConfig
from jaxcurriculum.learners.sac_networks import make_networks, sample_action, squashed_gaussian
from jaxcurriculum.learners.sac_update import Batch, critic_loss, policy_loss
from jaxcurriculum.records import Experience, fresh_proposals
from jaxcurriculum.rollout import ReplayConfig, RolloutConfig
from jaxcurriculum.students import off_policy, sac
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

TINY = {"hidden": (16, 16), "learning_rate": 3e-3, "discount": 0.9, "target_rate": 0.05}
MODERN = SacConfig(**TINY, temperature=0.01)
PUBLISHED = dataclasses.replace(SacConfig.published_2019(), **TINY)
ROLLOUT = RolloutConfig(num_envs=8, num_steps=8, pool_size=64)
REPLAY = ReplayConfig(capacity=4096, batch_size=64, num_updates=16, random_steps=256)
NETWORKS = make_networks(2, (8,))
NUM = 5
ACTIONS = Box(names=("a", "constant"), low=(2.0, 5.0), high=(6.0, 5.0))


def trained(env, config, rounds=80):
    loop = make_loop(
        teachers.random(env.task_space),
        sac(env, config, ROLLOUT, REPLAY),
        jnp.array([[0.1], [0.9]]),
        LoopConfig(rounds_per_evaluation=rounds),
    )
    _, report = quick_jit(loop.advance)(quick_jit(loop.init)(jax.random.key(0)), jnp.int32(0))
    valid = report.episodes.valid[-1]
    initial_value = report.episodes.critic.initial_value[-1]
    return report, float(jnp.sum(jnp.where(valid, initial_value, 0)) / jnp.sum(valid))


def batch_of(key, weight=None):
    keys = jax.random.split(key, 4)
    return Batch(
        obs=jax.random.normal(keys[0], (NUM, 3)),
        action=jax.random.uniform(keys[1], (NUM, 2), minval=-1, maxval=1),
        reward=jax.random.normal(keys[2], (NUM,)),
        next_obs=jax.random.normal(keys[3], (NUM, 3)),
        terminated=jnp.arange(NUM) == 1,
        weight=jnp.full(NUM, 1 / NUM) if weight is None else weight,
    )


def test_the_density_of_a_squashed_gaussian_is_the_change_of_variables():
    mean, log_std = jnp.array([[0.3, -2.0]]), jnp.array([[0.1, -1.0]])
    draw = quick_jit(lambda key: sample_action(squashed_gaussian(mean, log_std), key))
    action, log_prob = draw(jax.random.key(0))
    raw, std = np.arctanh(np.asarray(action, np.float64)), np.exp(log_std)
    normal = -0.5 * ((raw - mean) / std) ** 2 - log_std - 0.5 * np.log(2 * np.pi)
    expected = np.sum(normal - np.log(1 - np.asarray(action, np.float64) ** 2), axis=1)
    np.testing.assert_allclose(log_prob, expected, rtol=1e-3)
    total = np.linspace(-0.9999, 0.9999, 200_001)[:, None]
    one = quick_jit(squashed_gaussian(mean[:, :1], log_std[:, :1]).log_prob)
    density = np.exp(one(jnp.array(total)))
    assert np.mean(density) * 2 == pytest.approx(1, abs=1e-3)


def test_losses_are_those_of_numpy():
    params = quick_jit(NETWORKS.init)(jax.random.key(1), jnp.zeros((1, 3)))
    batch = jax.tree.map(np.asarray, batch_of(jax.random.key(0)))
    target, key = jnp.arange(NUM, dtype=jnp.float32), jax.random.key(2)

    def by_hand(layers, x):
        hidden = np.maximum(x @ layers["Dense_0"]["kernel"] + layers["Dense_0"]["bias"], 0)
        return (hidden @ layers["Dense_1"]["kernel"] + layers["Dense_1"]["bias"])[:, 0]

    def critics(action):
        pair = np.concatenate([batch.obs, action], axis=1)
        layers = jax.tree.map(np.asarray, params["critics"]["params"])
        return np.stack([by_hand(tree.take(layers, which), pair) for which in (0, 1)])

    errors = critics(batch.action) - np.asarray(target)
    expected = 0.5 * np.mean(errors**2, axis=1).sum()
    got = quick_jit(critic_loss, static_argnums=1)(params["critics"], NETWORKS, batch, target)
    np.testing.assert_allclose(got, expected, rtol=1e-5)
    draw = quick_jit(lambda: sample_action(NETWORKS.policy(params["policy"], batch.obs), key))
    action, log_prob = draw()
    for first_only, followed in ((True, critics(action)[0]), (False, critics(action).min(0))):
        given = (NETWORKS, params["critics"], batch, 0.3, first_only, key)
        loss, (least, _) = quick_jit(policy_loss, static_argnums=(1, 5))(params["policy"], *given)
        np.testing.assert_allclose(loss, np.mean(0.3 * log_prob - followed), rtol=1e-4)
        np.testing.assert_allclose(least, critics(action).min(0), rtol=1e-4)


@pytest.mark.slow
def test_value_of_an_endless_reward_is_bootstrapped_over_time_limits():
    report, initial_value = trained(probes.endless(max_episode_steps=5), MODERN)
    assert abs(initial_value - 1 / (1 - 0.9)) < 0.3
    assert report.student["lost_truncations"].max() == 8, "two limits within some rounds"


@pytest.mark.slow
@pytest.mark.parametrize("config", [MODERN, PUBLISHED], ids=["modern", "2019"])
def test_value_of_a_delayed_reward_is_discounted(config):
    report, initial_value = trained(probes.delayed(), config)
    assert abs(initial_value - 0.9) < 0.02
    is_fixed = bool(jnp.all(report.student["temperature"][-1] == jnp.float32(config.temperature)))
    assert is_fixed == (config is PUBLISHED)


@pytest.mark.slow
def test_policy_finds_the_best_action_of_each_task():
    report, _ = trained(probes.target(), MODERN)
    assert float(report.evaluation.returns.min()) > -0.002


def experience_of(batch, weight):
    """A batch as it comes out of a replay."""
    known = {
        each.name: getattr(batch, each.name)[None]
        for each in dataclasses.fields(Batch)
        if each.name != "weight"
    }
    none = jnp.zeros((1, NUM), bool)
    return Experience(
        **known, extras=(), truncated=none, first=none, memory=(), weight=weight[None]
    )


@functools.cache
def compiled(value_network=False):
    """A learner's state before it learns, and its step."""
    env = dataclasses.replace(probes.target(), action_space=ACTIONS)
    learner = learners.sac(env, dataclasses.replace(MODERN, value_network=value_network))
    return quick_jit(learner.init)(jax.random.key(0)), quick_jit(learner.learn)


def learned(batch, weight, target_entropy=-1.0, **kind):
    """A learner's state before and after one step on a batch."""
    before, learn = compiled(**kind)
    entropy = jnp.float32(target_entropy)
    before = before.replace(settings=before.settings.replace(target_entropy=entropy))
    batch = batch.replace(obs=batch.obs[:, :1], next_obs=batch.next_obs[:, :1])
    return before, learn(jax.random.key(1), before, experience_of(batch, weight))[0]


@pytest.mark.parametrize(
    "has_value", [False, pytest.param(True, marks=pytest.mark.slow)], ids=["modern", "2019"]
)
def test_weight_0_changes_nothing_and_counts_in_no_mean(has_value):
    """Whatever stands in a sample of weight 0, the step is that of the others."""
    batch = batch_of(jax.random.key(3))
    before, after = learned(batch, jnp.zeros(NUM), value_network=has_value)
    parts = lambda state: (state.policy.params, state.critics.params, state.target, state.settings)
    chex.assert_trees_all_close(parts(before), parts(after), rtol=1e-6)
    weight = jnp.array([1.0, 0, 1, 2, 1])
    _, first = learned(batch, weight, value_network=has_value)
    odd = batch.replace(reward=batch.reward.at[1].set(1e6))
    _, second = learned(odd, weight, value_network=has_value)
    chex.assert_trees_all_equal(first, second)
    _, scaled = learned(batch, 3 * weight, value_network=has_value)
    chex.assert_trees_all_close(first, scaled, rtol=1e-4, atol=1e-6)


def test_the_temperature_falls_where_the_entropy_is_above_its_target():
    batch, weight = batch_of(jax.random.key(4)), jnp.ones(NUM)
    for target, falls in ((-30.0, True), (30.0, False)):
        before, after = learned(batch, weight, target)
        ratio = float(after.settings.temperature / before.settings.temperature)
        assert ratio == pytest.approx(np.exp(-3e-3 if falls else 3e-3), rel=1e-4)


def test_the_target_moves_a_share_of_the_way():
    before, after = learned(batch_of(jax.random.key(5)), jnp.ones(NUM))
    expected = jax.tree.map(
        lambda old, new: old + 0.05 * (new - old), before.target, after.critics.params
    )
    chex.assert_trees_all_close(after.target, expected, rtol=1e-5)


def test_actions_fill_their_box():
    """Also of an axis without width; networks see them within [-1, 1]."""
    env = dataclasses.replace(probes.target(), action_space=ACTIONS)
    state, _ = compiled()
    act = quick_jit(learners.sac(env, MODERN).act, static_argnums=5)
    obs, first = jnp.zeros((500, 1)), jnp.zeros(500, bool)
    _, action, _ = act(jax.random.key(1), state, (), obs, first, False)
    assert bool(quick_jit(jax.vmap(ACTIONS.contains))(action).all())
    np.testing.assert_allclose(action.min(0), [2, 5], atol=0.2)
    np.testing.assert_allclose(action.max(0), [6, 5], atol=0.2)
    _, after = learned(batch_of(jax.random.key(6)), jnp.ones(NUM))
    assert all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(after.critics.params))


@pytest.mark.slow
def test_actions_are_uniform_until_enough_steps_are_known():
    """And nothing is learned; the branch is one, as the round is not mapped over seeds."""
    student = sac(probes.target(), MODERN, ROLLOUT, REPLAY)
    train = quick_jit(jax.vmap(student.train, in_axes=(0, 0, None, None)))
    keys = jax.random.split(jax.random.key(0), 2)
    proposals = fresh_proposals(jax.random.key(1), jnp.full((64, 1), 0.5))
    state = quick_jit(jax.vmap(student.init))(keys)
    program = train.lower(keys, state, proposals, jnp.int32(0)).as_text()
    assert program.count("stablehlo.case") == 2
    for round, is_random in ((3, True), (4, False)):
        after, _ = train(keys, state, proposals, jnp.int32(round))
        old, new = (jax.tree.leaves(each.learner) for each in (state, after))
        assert all(bool(jnp.array_equal(*pair)) for pair in zip(old, new)) == is_random
        action = np.asarray(after.replay.steps.action[:, round])
        spread = np.std(action)  # of a uniform action within [-1, 1] 0.577
        assert (abs(spread - 0.577) < 0.05) == is_random


@pytest.mark.slow
def test_large_learners_of_many_seeds_learn_what_small_ones_do(monkeypatch):
    """One after another or side by side: only rounding differs."""
    student = sac(probes.target(), MODERN, ROLLOUT, dataclasses.replace(REPLAY, random_steps=0))
    keys = jax.random.split(jax.random.key(0), 2)
    proposals = fresh_proposals(jax.random.key(1), jnp.full((64, 1), 0.5))
    state = quick_jit(jax.vmap(student.init))(keys)
    states = []
    for large in (0, 10**9):
        monkeypatch.setattr(sys.modules["jaxcurriculum.students.off_policy"], "LARGE", large)
        train = quick_jit(jax.vmap(lambda *given: student.train(*given), (0, 0, None, None)))
        states.append(train(keys, state, proposals, jnp.int32(0))[0].learner)
    chex.assert_trees_all_close(*states, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "changes, message",
    [
        (
            {"memory": lambda num: jnp.zeros((num, 2))},
            r"single steps, so that memory\(num\) must be",
        ),
        ({"learn": lambda key, state, _: (state, 0.0)}, "no critique of a batch from a replay"),
        ({"critique": None}, "`critique`, but it is None: .* one without a critic says has_critic"),
        ({"critique": lambda *_: None}, "must return a Critique, as has_critic is True"),
        ({"has_critic": False}, "critique: must return no critique, as has_critic is False"),
        ({"learn": lambda key, state, _: ({}, None)}, "state through learn"),
    ],
)
def test_a_learner_that_breaks_the_contract_is_refused(changes, message):
    learner = dataclasses.replace(learners.sac(probes.target(), MODERN), **changes)
    with pytest.raises(ValueError, match=f"Learner 'sac'.*{message}"):
        off_policy(probes.target(), learner, ROLLOUT, REPLAY)


def test_what_sac_cannot_play_is_refused():
    with pytest.raises(
        ValueError, match="SAC needs .* a Box, but those of 'remember' are Discrete"
    ):
        sac(probes.remember())
    with pytest.raises(TypeError, match="off_policy.learner must be a Learner, .* got NoneType"):
        off_policy(probes.target(), None)
