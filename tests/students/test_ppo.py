"""PPO: estimators by reduction, probe environments whose value is known, weights, sweeps."""

import dataclasses
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import LoopConfig, envs, make_loop, teachers
from jaxcurriculum.learners.gae import gae
from jaxcurriculum.learners.normaliser import (
    init_moments,
    init_obs_moments,
    standardise,
    standardise_obs,
    update_moments,
    update_obs_moments,
)
from jaxcurriculum.learners.ppo_update import clipped_surrogate
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.testing import laws, probes
from jaxcurriculum.testing.compiling import quick_jit

SMALL = PpoConfig(hidden=(16, 16), minibatch_size=256, learning_rate=3e-3, discount=0.9)
ROLLOUT = RolloutConfig(num_envs=32, num_steps=32, pool_size=1056)


def trained(env, config, rounds, teacher=None, key=0):
    student = ppo(env, config, ROLLOUT)
    loop = make_loop(
        teacher or teachers.random(env.task_space),
        student,
        jnp.array([[0.1], [0.9]]),
        LoopConfig(rounds_per_evaluation=rounds),
    )
    compiled = jax.jit if rounds > 10 else quick_jit
    state, report = compiled(loop.advance)(quick_jit(loop.init)(jax.random.key(key)), jnp.int32(0))
    return student, state.student, report


def mean_of_last_round(report, field):
    valid = report.episodes.valid[-1]
    record = report.episodes if field == "returns" else report.episodes.critic
    return float(jnp.sum(jnp.where(valid, getattr(record, field)[-1], 0)) / jnp.sum(valid))


def random_segment(key):
    keys = jax.random.split(key, 4)
    reward, value, next_value = (jax.random.normal(k, (20, 3)) for k in keys[:3])
    over = jax.random.bernoulli(keys[3], 0.2, (20, 3))
    next_value = jnp.where(over, next_value, jnp.roll(value, -1, axis=0))
    return reward, value, next_value, over


def test_gae_with_lambda_0_is_the_one_step_error():
    reward, value, next_value, over = random_segment(jax.random.key(0))
    got = gae(reward, value, next_value, over, over, 0.9, 0.0)
    np.testing.assert_allclose(
        got, reward + 0.9 * jnp.where(over, 0, next_value) - value, rtol=1e-6
    )


@pytest.mark.parametrize("truncate", [False, True])
def test_gae_with_lambda_1_is_the_bootstrapped_return(truncate):
    reward, value, next_value, over = map(np.asarray, random_segment(jax.random.key(1)))
    terminated = np.zeros_like(over) if truncate else over
    got = gae(*map(jnp.asarray, (reward, value, next_value, terminated, over)), 0.9, 1.0) + value
    for n in range(3):
        target = 0.0
        for t in reversed(
            range(20)
        ):  # an open end, or a truncated one, is worth the value of the true next observation
            bootstrap = (over[t, n] and not terminated[t, n]) or t == 19
            tail = (
                next_value[t, n] * (not terminated[t, n])
                if bootstrap
                else 0.0
                if over[t, n]
                else target
            )
            target = reward[t, n] + 0.9 * tail
            np.testing.assert_allclose(got[t, n], target, rtol=2e-5, atol=1e-5)


def test_clipped_surrogate_gives_no_reward_beyond_the_clip():
    ratio, advantage = jnp.array([0.5, 1.1, 2.0, 0.5, 2.0]), jnp.array([1.0, 1.0, 1.0, -1.0, -1.0])
    np.testing.assert_allclose(
        clipped_surrogate(ratio, advantage, 0.2), [0.5, 1.1, 1.2, -0.8, -2.0], rtol=1e-6
    )


def test_moments_of_batches_are_the_moments_of_the_whole():
    data = np.random.default_rng(0).normal(5, 3, (90, 2)).astype(np.float32)
    moments = init_moments((2,))
    for batch in np.split(data, [10, 50]):
        moments = update_moments(moments, jnp.array(batch))
    np.testing.assert_allclose(moments.mean, data.mean(0), rtol=1e-5)
    np.testing.assert_allclose(moments.variance, data.var(0), rtol=1e-4)
    np.testing.assert_allclose(standardise(moments, jnp.array(data)).std(0), 1.0, rtol=1e-3)


def test_observations_stay_as_they_are_where_it_is_asked_for():
    obs = {"place": jnp.full((4, 2, 3), 7.0)}
    moments = update_obs_moments(init_obs_moments({"place": jnp.zeros(3)}, wanted=False), obs)
    np.testing.assert_array_equal(standardise_obs(moments, obs)["place"], obs["place"])
    moments = update_obs_moments(init_obs_moments({"place": jnp.zeros(3)}), obs)
    np.testing.assert_array_equal(standardise_obs(moments, obs)["place"], 0.0)


@pytest.mark.slow
def test_value_of_an_endless_reward_is_bootstrapped_over_truncation():
    _, _, report = trained(probes.endless(max_episode_steps=5), SMALL, rounds=50)
    assert abs(mean_of_last_round(report, "initial_value") - 1 / (1 - 0.9)) < 0.1
    assert mean_of_last_round(report, "returns") == 5


@pytest.mark.slow
def test_value_of_a_delayed_reward_is_discounted():
    _, _, report = trained(probes.delayed(), SMALL, rounds=50)
    assert abs(mean_of_last_round(report, "initial_value") - 0.9) < 0.02


@pytest.mark.slow
def test_policy_finds_the_best_action_of_each_task():
    _, _, report = trained(probes.target(), SMALL, rounds=50)
    assert float(report.evaluation.returns.min()) > -0.002, (
        "deterministic action within 0.045 of task - 1/2"
    )


def weighted_teacher(space, weight_of):
    def propose(key, state, num):
        key_tasks, key_seeds = jax.random.split(key)
        proposals = fresh_proposals(
            key_seeds, jax.vmap(space.sample)(jax.random.split(key_tasks, num))
        )
        return state, proposals.replace(weight=weight_of(proposals.tasks))

    return dataclasses.replace(teachers.random(space), propose=propose)


def test_weight_0_leaves_the_networks_as_they_are():
    env = probes.target()
    teacher = weighted_teacher(env.task_space, lambda tasks: jnp.zeros(tasks.shape[0]))
    student, state, _ = trained(
        env, dataclasses.replace(SMALL, entropy_coefficient=0.0), rounds=2, teacher=teacher
    )
    key_student = jax.random.split(jax.random.key(0), 3)[2]
    for before, after in zip(
        jax.tree.leaves(quick_jit(student.init)(key_student).learner.params),
        jax.tree.leaves(state.learner.params),
    ):
        np.testing.assert_array_equal(before, after)


@pytest.mark.slow
def test_a_round_of_weight_0_stops_the_momentum_of_adam():
    """So that a round of new levels, in robust replay, teaches nothing."""
    env = probes.target()
    student = ppo(env, SMALL, ROLLOUT)
    tasks = jnp.linspace(0.0, 1.0, ROLLOUT.pool_size)[:, None]
    proposals = fresh_proposals(jax.random.key(1), tasks)
    train = quick_jit(student.train)
    first, _ = train(jax.random.key(2), quick_jit(student.init)(jax.random.key(0)), proposals, 0)
    unweighted = proposals.replace(weight=jnp.zeros(ROLLOUT.pool_size))
    for _ in range(2):  # episodes that began with weight end in the first one
        before, (first, _) = first, train(jax.random.key(3), first, unweighted, 0)
    learned = (first.learner.params, first.learner.optimiser)
    laws.assert_equal(learned, (before.learner.params, before.learner.optimiser))


@pytest.mark.slow
def test_only_weighted_tasks_are_learned():
    env = probes.target()
    teacher = weighted_teacher(
        env.task_space, lambda tasks: (tasks[:, 0] > 0.5).astype(jnp.float32)
    )
    seeds = [trained(env, SMALL, 50, teacher, key)[2].evaluation.returns for key in range(4)]
    low, high = np.mean(seeds, axis=0)
    assert high > -0.002 and low < 5 * high


@pytest.mark.slow
def test_a_sweep_is_a_vmap_over_configurations():
    env = probes.target()

    def entropy(learning_rate):
        config = dataclasses.replace(SMALL, learning_rate=learning_rate)
        loop = make_loop(
            teachers.random(env.task_space),
            ppo(env, config, ROLLOUT),
            jnp.array([[0.5]]),
            LoopConfig(rounds_per_evaluation=3),
        )
        _, report = loop.advance(loop.init(jax.random.key(0)), jnp.int32(0))
        return report.student["entropy"][-1]

    rates = jnp.array([0.0, 1e-3, 1e-2])
    together, one = quick_jit(jax.vmap(entropy))(rates), quick_jit(entropy)
    alone = [float(one(rate)) for rate in rates]
    np.testing.assert_allclose(together, alone, rtol=1e-3)
    assert len(set(alone)) == 3


def test_nonfinite_rewards_are_counted():
    env = dataclasses.replace(
        probes.endless(),
        step=lambda key, level, state, action: (state, probes._timestep(1.0, jnp.nan, False)),
    )
    _, _, report = trained(env, SMALL, rounds=1)
    assert int(report.counters.nonfinite) >= 32 * 32


@pytest.mark.parametrize(
    "settings, word",
    [
        (dict(minibatch_size=1000), "must divide num_envs \\* num_steps = 32768, got 1000"),
        (dict(hidden=()), "hidden"),
        (dict(discount=1.5), "discount must be a finite number between 0 and 1, got 1.5"),
        (dict(num_epochs=0), "num_epochs.*got 0"),
        (dict(learning_rate=-1.0), "learning_rate"),
    ],
)
def test_bad_settings_are_refused_in_one_sentence(settings, word):
    with pytest.raises(ValueError, match=word):
        ppo(probes.target(), PpoConfig(**settings))


def test_a_start_of_many_seeds_holds_no_qr_decomposition_of_a_batch():
    """One with several of them sometimes stood still for ever on a CPU."""
    student = ppo(
        envs.stump_tracks(),
        PpoConfig(minibatch_size=4),
        RolloutConfig(num_envs=2, num_steps=2, pool_size=2),
    )
    keys = jax.random.split(jax.random.key(0), 3)
    program = jax.jit(jax.vmap(student.init)).lower(keys).as_text()
    decompositions = [line for line in program.splitlines() if "geqrf" in line or "orgqr" in line]
    assert decompositions and not any(
        re.search(r"tensor<3x\d+x\d+xf32>", line) for line in decompositions
    )
    mapped = quick_jit(jax.vmap(student.init))(keys)
    single = quick_jit(student.init)(keys[1])
    jax.tree.map(
        lambda a, b: np.testing.assert_allclose(a[1], b, atol=1e-6),
        mapped.learner.params,
        single.learner.params,
    )
