"""A student that learns from what it has just done: a round of steps, then an update."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import learners
from jaxcurriculum.checks import check_environment, strong_environment
from jaxcurriculum.configs import named_fields
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.learners.checks import check_learner
from jaxcurriculum.learners.ppo import PpoConfig, count_nonfinite
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.roles import Environment, Learner, Student
from jaxcurriculum.rollout.collect import RolloutState, collect, init_rollout
from jaxcurriculum.rollout.evaluate import attempt
from jaxcurriculum.rollout.pool import RolloutConfig
from jaxcurriculum.rollout.scoring import Tally, init_tally, score_episodes

COUNTS = ("pool_wraps", "repeated_starts", "dropped", "nonfinite")


class OnPolicyState(struct.PyTreeNode):
    """The learner, the episodes under way, and what the last round counted."""

    learner: PyTree
    rollout: RolloutState
    tally: Tally
    counts: dict[str, jax.Array]  # [] int32 each


def ppo(
    env: Environment,
    config: PpoConfig | None = None,
    rollout: RolloutConfig | None = None,
) -> Student:
    """A PPO student on `env`: `on_policy` with `learners.ppo`.

    Raises:
      ValueError: when minibatches do not divide a round, or a function of `env` does not keep its
          contract (see `check_environment`).
    """
    check_kind("ppo.env", env, Environment)
    config, rollout = given(config, PpoConfig), given(rollout, RolloutConfig)
    _check_minibatches(config, rollout)
    check_environment(env)
    return _student(env, learners.ppo(env, config, rollout.num_envs), rollout)


def on_policy(env: Environment, learner: Learner, rollout: RolloutConfig | None = None) -> Student:
    """A student that collects a round of steps with a policy, from which `learner` then learns.

    A round is num_envs * num_steps transitions on the levels of `pool_size` proposals.

    Raises:
      ValueError: when a function of `env` or `learner` does not keep its contract (see
          `check_environment` and `check_learner`).
    """
    check_kind("on_policy.env", env, Environment)
    rollout = given(rollout, RolloutConfig)
    check_environment(env)
    check_learner(env, learner, rollout.num_envs, rollout.num_steps)
    return _student(env, learner, rollout)


def _student(env: Environment, learner: Learner, rollout: RolloutConfig) -> Student:
    env = strong_environment(env)

    def init(key: Key) -> OnPolicyState:
        memory = learner.memory(rollout.num_envs)
        return OnPolicyState(
            learner=learner.init(key),
            rollout=init_rollout(env, rollout.num_envs, memory),
            tally=init_tally(rollout.num_envs, learner.has_critic),
            counts={name: jnp.int32(0) for name in COUNTS},
        )

    def policy_of(state, deterministic):
        def policy(key, memory, obs, first):
            return learner.act(key, state, memory, obs, first, deterministic)

        return policy

    def train(key, state, proposals, round):
        key_collect, key_update = jax.random.split(key)
        policy = policy_of(state.learner, False)
        fields = (env, rollout, state.rollout, proposals, policy)
        playing, played = collect(key_collect, *fields)
        learned, critique = learner.learn(key_update, state.learner, played.experience)
        begun = playing_on(state)
        tally, episodes, dropped = score_episodes(env, played, begun, critique)
        seen = (played.experience.reward, played.experience.obs)
        counts = played.counts | {"dropped": dropped, "nonfinite": count_nonfinite(seen)}
        state = OnPolicyState(learner=learned, rollout=playing, tally=tally, counts=counts)
        return state, episodes

    def playing_on(state):
        """The sums of the episodes that go on in this round."""
        over = state.rollout.over if rollout.carry else jnp.ones_like(state.rollout.over)
        return jax.tree.map(lambda leaf: jnp.where(over, 0, leaf), state.tally)

    def evaluate(key, state, tasks, seeds, num_episodes, deterministic):
        policy = policy_of(state.learner, deterministic)
        memory = learner.memory(seeds.shape[0] * num_episodes)
        return attempt(key, env, policy, memory, tasks, seeds, num_episodes)

    def act(key, state, memory, obs, first, deterministic):
        memory, action, _ = learner.act(key, state.learner, memory, obs, first, deterministic)
        return memory, jax.vmap(env.action_space.clip)(action)

    def report(state):
        metrics = learner.report(state.learner)
        broken = state.counts["nonfinite"] + metrics.get("nonfinite", 0)
        return metrics | state.counts | {"nonfinite": broken}

    return Student(
        name=learner.name,
        task_space=env.task_space,
        num_proposals=rollout.pool_size,
        steps_per_round=rollout.num_envs * rollout.num_steps,
        step_unit="environment steps",
        init=init,
        train=train,
        evaluate=evaluate,
        report=report,
        memory=learner.memory,
        act=act,
        environment=env,
        return_range=env.return_range,
        config=named_fields(learner.config) | {"rollout": rollout},
    )


def _check_minibatches(config: PpoConfig, rollout: RolloutConfig) -> None:
    batch, size = rollout.num_envs * rollout.num_steps, config.minibatch_size
    if batch % size:
        raise ValueError(
            f"PpoConfig.minibatch_size must divide num_envs * num_steps = {batch}, got {size}."
        )
    if config.memory != "none" and size % rollout.num_steps:
        raise ValueError(
            "PpoConfig.minibatch_size must be a multiple of num_steps where the policy has a"
            f" memory, as it learns from whole sequences, got {size} for {rollout.num_steps} steps."
        )
