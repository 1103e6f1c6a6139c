"""A student that learns from what it has just done: a round of steps, then an update."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import learners
from jaxcurriculum.checks import check_environment
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.learners.checks import check_learner
from jaxcurriculum.learners.ppo import PpoConfig, count_nonfinite
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.roles import Environment, Learner, Student, strong_environment
from jaxcurriculum.rollout.collect import RolloutState, collect, init_rollout
from jaxcurriculum.rollout.pool import RolloutConfig
from jaxcurriculum.rollout.scoring import Tally, init_tally, score_episodes
from jaxcurriculum.students.player import policy_of, student_of, tally_of

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

    def train(key, state, proposals, round):
        key_collect, key_update = jax.random.split(key)
        policy = policy_of(learner, state.learner, deterministic=False)
        fields = (env, rollout, state.rollout, proposals, policy)
        playing, played = collect(key_collect, *fields)
        learned, critique = learner.learn(key_update, state.learner, played.experience)
        begun = tally_of(rollout, state)
        most_each = rollout.most_records_each
        tally, episodes, dropped = score_episodes(env, played, begun, critique, most_each)
        seen = (played.experience.reward, played.experience.obs)
        counts = played.counts | {"dropped": dropped, "nonfinite": count_nonfinite(seen)}
        state = OnPolicyState(learner=learned, rollout=playing, tally=tally, counts=counts)
        return state, episodes

    return student_of(env, learner, rollout, init, train, {"rollout": rollout})


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
