"""A student that learns from what it remembers: a round of steps, then updates from a replay."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import learners, tree
from jaxcurriculum.checks import check_environment
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.learners.checks import check_off_policy_learner
from jaxcurriculum.learners.ppo import count_nonfinite
from jaxcurriculum.learners.sac import SacConfig
from jaxcurriculum.records import Experience, Key, Proposals, PyTree
from jaxcurriculum.roles import Environment, Learner, Student, strong_environment
from jaxcurriculum.rollout.collect import Policy, RolloutState, collect, init_rollout
from jaxcurriculum.rollout.pool import RolloutConfig
from jaxcurriculum.rollout.replay import (
    Replay,
    ReplayConfig,
    check_replay,
    init_replay,
    remember,
    sample,
)
from jaxcurriculum.rollout.scoring import Tally, init_tally, score_episodes
from jaxcurriculum.students.player import policy_of, student_of, tally_of

COUNTS = ("pool_wraps", "repeated_starts", "dropped", "nonfinite", "lost_truncations")
LARGE = 100_000  # bytes of a learner's state
OFF_POLICY_ROLLOUT = RolloutConfig(num_envs=16, num_steps=16, pool_size=16)


class OffPolicyState(struct.PyTreeNode):
    """The learner, the episodes under way, what is remembered, and what the last round counted."""

    learner: PyTree
    rollout: RolloutState
    tally: Tally
    replay: Replay
    counts: dict[str, jax.Array]  # [] int32 each


def sac(
    env: Environment,
    config: SacConfig | None = None,
    rollout: RolloutConfig | None = None,
    replay: ReplayConfig | None = None,
) -> Student:
    """A SAC student on `env`: `off_policy` with `learners.sac`.

    Raises:
      ValueError: when the actions of `env` are no Box, or as `off_policy`.

    >>> from jaxcurriculum.testing import probes
    >>> sac(probes.target()).steps_per_round
    256
    """
    check_kind("sac.env", env, Environment)
    return off_policy(env, learners.sac(env, given(config, SacConfig)), rollout, replay)


def off_policy(
    env: Environment,
    learner: Learner,
    rollout: RolloutConfig | None = None,
    replay: ReplayConfig | None = None,
) -> Student:
    """A student that collects a round of steps, and lets `learner` learn from old and new ones.

    A round is num_envs * num_steps transitions on the levels of `pool_size` proposals (16 * 16 on
    16 by default), and `num_updates` gradient steps. Actions are uniform, and nothing is learned,
    in the rounds that begin before step `random_steps`. A loop that begins with a trained student
    begins with round 0 and an empty replay.

    Raises:
      ValueError: when a function of `env` or `learner` does not keep its contract, or the replay
          does not fit a round or the machine's memory.
    """
    check_kind("off_policy.env", env, Environment)
    rollout = OFF_POLICY_ROLLOUT if rollout is None else rollout
    check_kind("off_policy.rollout", rollout, RolloutConfig)
    replay = given(replay, ReplayConfig)
    check_environment(env)
    sizes = (rollout.num_envs, rollout.num_steps, replay.batch_size)
    like = check_off_policy_learner(env, learner, *sizes)
    check_replay(replay, like)
    return _student(env, learner, rollout, replay, like)


def _student(
    env: Environment,
    learner: Learner,
    rollout: RolloutConfig,
    config: ReplayConfig,
    like: Experience,
) -> Student:
    env = strong_environment(env)
    steps_per_round = rollout.num_envs * rollout.num_steps

    def init(key: Key) -> OffPolicyState:
        return OffPolicyState(
            learner=learner.init(key),
            rollout=init_rollout(env, rollout.num_envs, ()),
            tally=init_tally(rollout.num_envs, learner.has_critic),
            replay=init_replay(like, config.capacity),
            counts={name: jnp.int32(0) for name in COUNTS},
        )

    def train(key: Key, state: OffPolicyState, proposals: Proposals, round: jax.Array):
        key_collect, key_critique, key_learn = jax.random.split(key, 3)
        is_random = round * steps_per_round < config.random_steps
        policy = _policy(env, learner, state.learner, is_random, like)
        fields = (env, rollout, state.rollout, proposals, policy)
        playing, played = collect(key_collect, *fields)
        experience, critique = played.experience, None
        if learner.critique is not None:
            critique = learner.critique(key_critique, state.learner, experience)
        begun, most_each = tally_of(rollout, state), rollout.most_records_each
        tally, episodes, dropped = score_episodes(env, played, begun, critique, most_each)
        replay, num_lost = remember(state.replay, experience, round)
        learned = jax.lax.cond(
            is_random,
            lambda: state.learner,
            lambda: _learn(key_learn, learner, state.learner, replay, round, config),
        )
        nonfinite = count_nonfinite((experience.reward, experience.obs))
        counted = {"dropped": dropped, "nonfinite": nonfinite, "lost_truncations": num_lost}
        state = OffPolicyState(
            learner=learned,
            rollout=playing,
            tally=tally,
            replay=replay,
            counts=played.counts | counted,
        )
        return state, episodes

    return student_of(env, learner, rollout, init, train, {"rollout": rollout, "replay": config})


def _policy(
    env: Environment, learner: Learner, state: PyTree, is_random: jax.Array, like: Experience
) -> Policy:
    """Uniform actions where `is_random` holds ([] bool, not mapped over seeds), else the
    learner's.
    """
    learned = policy_of(learner, state, deterministic=False)

    def at_random(key, memory, obs, first):
        keys = jax.random.split(key, first.shape[0])
        extras = jax.tree.map(lambda leaf: jnp.zeros(leaf.shape[1:], leaf.dtype), like.extras)
        return memory, jax.vmap(env.action_space.sample)(keys), extras

    def policy(key, memory, obs, first):
        return jax.lax.cond(is_random, at_random, learned, key, memory, obs, first)

    return policy


def _learn(
    key: Key,
    learner: Learner,
    state: PyTree,
    replay: Replay,
    round: jax.Array,
    config: ReplayConfig,
) -> PyTree:
    """`num_updates` gradient steps, each on a batch of its own.

    Large learners on a CPU take their steps seed after seed, whose numbers then stay in its cache.
    """

    def learn(key: Key, state: PyTree, replay: Replay, round: jax.Array) -> PyTree:
        def step(state: PyTree, key: Key) -> tuple[PyTree, None]:
            key_sample, key_learn = jax.random.split(key)
            batch = sample(key_sample, replay, round, config.batch_size)
            return learner.learn(key_learn, state, batch)[0], None

        return jax.lax.scan(step, state, jax.random.split(key, config.num_updates))[0]

    if tree.num_bytes(state) > LARGE and jax.default_backend() == "cpu":
        learn = jax.custom_batching.sequential_vmap(learn)
    return learn(key, state, replay, round)
