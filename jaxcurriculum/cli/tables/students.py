"""Students by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from jaxcurriculum import Box, Environment, Learner, Student, students
from jaxcurriculum.cli.tables.parts import SimulatedPart, StudentPart
from jaxcurriculum.configs import Config, field
from jaxcurriculum.rollout import ReplayConfig, RolloutConfig
from jaxcurriculum.students import simulated
from jaxcurriculum.students.off_policy import OFF_POLICY_ROLLOUT
from jaxcurriculum.students.simulated.toy_grid import corner
from jaxcurriculum.teachers import Knowledge


def _toy_grid_expert(config: simulated.ToyGridConfig, _: Box) -> Knowledge:
    """Learning starts in a corner, or in the middle of a cell; on axes that change nothing
    every task is as easy.
    """
    start = None
    if isinstance(config.start_cell, tuple):
        start = tuple((cell + 0.5) / config.cells for cell in config.start_cell)
    elif config.start_cell is None and isinstance(config.corner, int):
        start = tuple(map(float, corner(config.corner, config.dims)))
    easy_mean = None if start is None else start + (0.5,) * config.irrelevant_dims
    return dataclasses.replace(_nothing_easy(), easy_mean=easy_mean)


def _nothing_easy(*_: Any) -> Knowledge:
    """No one task is where learning starts: abilities do not help each other, and a graph of
    skills may begin with several.
    """
    low, high = SimulatedPart.failure, SimulatedPart.success
    return Knowledge(failure=low, success=high, easy_mean=None)


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnPolicyFeedConfig(Config):
    """The rollout that feeds a learner of one's own."""

    rollout: RolloutConfig = field(RolloutConfig(), help="the rollout that feeds it")


@dataclasses.dataclass(frozen=True, kw_only=True)
class OffPolicyFeedConfig(Config):
    """The rollout and the replay that feed a learner of one's own."""

    rollout: RolloutConfig = field(OFF_POLICY_ROLLOUT, help="the rollout that feeds it")
    replay: ReplayConfig = field(ReplayConfig(), help="what is remembered and learned from")


# What feeds a learner of one's own that takes the place of a student's.
FEEDS = {"ppo": OnPolicyFeedConfig(), "sac": OffPolicyFeedConfig()}


def with_learner(make_learner: Callable[[Environment, int], Learner]) -> Callable[..., Student]:
    """A student's factory around a learner of one's own, (environment, num_envs) -> learner."""

    def make(env: Environment, config: OnPolicyFeedConfig | OffPolicyFeedConfig) -> Student:
        learner = make_learner(env, config.rollout.num_envs)
        if isinstance(config, OffPolicyFeedConfig):
            return students.off_policy(env, learner, config.rollout, config.replay)
        return students.on_policy(env, learner, config.rollout)

    return make


@dataclasses.dataclass(frozen=True, kw_only=True)
class PpoStudentConfig(students.PpoConfig):
    """PPO, and the rollout that feeds it."""

    rollout: RolloutConfig = field(RolloutConfig(), help="the rollout that feeds it")


@dataclasses.dataclass(frozen=True, kw_only=True)
class SacStudentConfig(students.SacConfig):
    """SAC, and the rollout and the replay that feed it."""

    rollout: RolloutConfig = field(OFF_POLICY_ROLLOUT, help="the rollout that feeds it")
    replay: ReplayConfig = field(ReplayConfig(), help="what is remembered and learned from")


def _sac(env: Environment, config: SacStudentConfig) -> Student:
    return students.sac(env, config, config.rollout, config.replay)


SAC_DEBUG = {
    "student.rollout.num_envs": 8,
    "student.rollout.num_steps": 256,
    "student.rollout.pool_size": 8,
    "student.replay.capacity": 8192,
    "student.replay.num_updates": 8,
    "student.replay.random_steps": 0,
}

STUDENTS = {
    "ppo": StudentPart(
        description="proximal policy optimisation on an environment",
        config=PpoStudentConfig(),
        make=lambda env, config: students.ppo(env, config, config.rollout),
        debug={
            "student.rollout.num_envs": 8,
            "student.rollout.num_steps": 256,
            "student.rollout.pool_size": 8,
            "student.minibatch_size": 256,
            "student.num_epochs": 1,
        },
        needs_environment=True,
        steps=3_000_000,
        evaluate_every=200_000,
    ),
    "ppo-gru": StudentPart(
        description="the same with a memory (gru, lstm, s5), for worlds that show little at a time",
        config=PpoStudentConfig(
            memory="gru",
            hidden=(32,),
            num_epochs=4,
            minibatch_size=2048,
            learning_rate=5e-4,
            discount=0.995,
            gae_lambda=0.98,
            entropy_coefficient=1e-3,
            rollout=RolloutConfig(num_envs=32, num_steps=256, pool_size=256),
        ),
        make=lambda env, config: students.ppo(env, config, config.rollout),
        debug={
            "student.rollout.num_envs": 8,
            "student.rollout.pool_size": 8,
            "student.minibatch_size": 2048,
        },
        needs_environment=True,
        steps=2_000_000,
        evaluate_every=200_000,
    ),
    "sac": StudentPart(
        description="soft actor-critic, which also learns from old steps",
        config=SacStudentConfig(),
        make=_sac,
        debug=SAC_DEBUG,
        needs_environment=True,
        steps=500_000,
        evaluate_every=25_000,
    ),
    "sac-2019": StudentPart(
        description="soft actor-critic as the automatic curricula of 2019 had it",
        config=SacStudentConfig(
            **vars(students.SacConfig.published_2019()),
            rollout=RolloutConfig(num_envs=10, num_steps=100, pool_size=10),
            replay=ReplayConfig(capacity=2_000_000, batch_size=1000, num_updates=100),
        ),
        make=_sac,
        debug=SAC_DEBUG | {"student.replay.batch_size": 64},
        needs_environment=True,
        steps=2_000_000,
        evaluate_every=100_000,
    ),
    "toy-grid": SimulatedPart(
        description="a simulated learner: a grid of skills, each of which unlocks the next",
        config=simulated.ToyGridConfig(),
        make=lambda _, config: simulated.toy_grid(config),
        steps=20_000,
        evaluate_every=1_000,
        harder=(0.05, 0.05),
        advantage=0.01,
        knowledge=_toy_grid_expert,
        test_sets={"cells": lambda config, _: simulated.toy_grid_test_tasks(config)},
    ),
    "abilities": SimulatedPart(
        description=(
            "a simulated learner: independent abilities that grow where success is uncertain"
        ),
        config=simulated.AbilitiesConfig(),
        make=lambda _, config: simulated.abilities(config),
        steps=20_000,
        evaluate_every=1_000,
        harder=(0.0, 0.5),
        hard_axis=1,
        knowledge=_nothing_easy,
        test_sets={"difficulties": lambda config, _: simulated.abilities_test_tasks(config)},
    ),
    "skill-graph": SimulatedPart(
        description="a simulated learner: skills that need others first",
        config=simulated.SkillGraphConfig(),
        make=lambda _, config: simulated.skill_graph(config),
        steps=10_000,
        evaluate_every=500,
        harder=(0.1,),
        advantage=0.05,
        knowledge=_nothing_easy,
        test_sets={"skills": lambda config, _: simulated.skill_graph_test_tasks(config)},
    ),
}
