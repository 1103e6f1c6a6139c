"""What students that play an environment with a learner have in common.

Their states have the fields `learner`, `rollout`, `tally` and `counts`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.configs import bounds_of, named_fields
from jaxcurriculum.records import PyTree
from jaxcurriculum.roles import Environment, Learner, Student
from jaxcurriculum.rollout.collect import Policy
from jaxcurriculum.rollout.evaluate import attempt
from jaxcurriculum.rollout.pool import RolloutConfig
from jaxcurriculum.rollout.scoring import Tally


def policy_of(learner: Learner, state: PyTree, deterministic: bool) -> Policy:
    """How `learner` acts as it is now, for a rollout."""

    def policy(key, memory, obs, first):
        return learner.act(key, state, memory, obs, first, deterministic)

    return policy


def tally_of(rollout: RolloutConfig, state: Any) -> Tally:
    """The sums of the episodes that go on in the next round."""
    over = state.rollout.over if rollout.carry else jnp.ones_like(state.rollout.over)
    return jax.tree.map(lambda leaf: jnp.where(over, 0, leaf), state.tally)


def student_of(
    env: Environment,
    learner: Learner,
    rollout: RolloutConfig,
    init: Callable,
    train: Callable,
    config: dict[str, Any],
) -> Student:
    """The student that begins with `init` and practises with `train`; `config` is said of it beside
    the learner's own.
    """

    def evaluate(key, state, tasks, seeds, num_episodes, deterministic):
        policy = policy_of(learner, state.learner, deterministic)
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
        meets_every_level=rollout.assign == "slot" and not rollout.carry,
        setting_bounds=bounds_of(learner.config),
        config=named_fields(learner.config) | config,
    )
