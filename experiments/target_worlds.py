"""The worlds of the study of target-directed teachers, their students and teachers."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

import jaxcurriculum.envs as envs
from jaxcurriculum import Box, Environment, Student, Teacher, teachers
from jaxcurriculum.records import Episodes, Key
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.teachers.parts.target import Target


@dataclasses.dataclass(frozen=True, kw_only=True)
class World:
    """A world, its student, the teachers on trial and what was published."""

    env: Environment
    student: Callable[[Environment], Student]
    rounds_per_evaluation: int
    teachers: dict[str, Callable[[Box], Teacher]]
    test_target: Target  # (key) -> a task that students are tested on
    score: str  # what the figure shows: "discounted return" or "success"
    discount: float = 1.0  # of the former
    goal: float  # the score that CURROT's paper is known to pass

    @property
    def space(self) -> Box:
        assert isinstance(self.env.task_space, Box)
        return self.env.task_space


def gate() -> World:
    """The point mass and its gate: 200 rounds of 4,096 steps."""

    def currot(space: Box) -> Teacher:
        return teachers.currot(space, teachers.CurrotConfig.gate(), envs.target_gate)

    def gradient(space: Box) -> Teacher:
        config = teachers.GradientConfig(
            num_stages=5, threshold=4.0, performance="discounted-return"
        )
        return teachers.gradient(space, config, envs.target_gate)

    def self_paced(space: Box) -> Teacher:
        config = teachers.SelfPacedConfig(
            offset_steps=0,
            update_every_steps=4096,
            max_kl=0.25,
            alpha_offset=20,
            zeta=1.6,
            initial_mean=(0.0, 4.25),
            initial_std=0.25,
            target_mean=(0.0, 0.5),
            target_std=(3 / 8, 0.01 / 7.5),  # both gates: the deviation of their positions
        )
        return teachers.self_paced(space, config)

    learner = PpoConfig(
        hidden=(128, 128, 128),
        num_epochs=10,
        minibatch_size=512,
        learning_rate=1e-3,
        discount=0.95,
        gae_lambda=0.99,
    )
    rollout = RolloutConfig(num_envs=32, num_steps=128, pool_size=512)
    return World(
        env=envs.point_mass(),
        student=lambda env: ppo(env, learner, rollout),
        rounds_per_evaluation=5,
        teachers={
            "currot": currot,
            "gradient": gradient,
            "self-paced": self_paced,
            "random": teachers.random,
        },
        test_target=envs.target_gate,
        score="discounted return",
        discount=0.95,
        goal=5.0,
    )


def ring_maze() -> World:
    """The ring maze: 400 rounds of 10,240 steps."""

    def currot(space: Box) -> Teacher:
        return teachers.currot(space, teachers.CurrotConfig.ring_maze(), envs.target_goal)

    def gradient(space: Box) -> Teacher:
        config = teachers.GradientConfig(
            num_stages=10, performance="success", max_stage_steps=300_000
        )
        return teachers.gradient(space, config, envs.target_goal)

    def self_paced(space: Box) -> Teacher:
        config = teachers.SelfPacedConfig(
            offset_steps=0,
            update_every_steps=10_240,
            max_kl=0.25,
            alpha_offset=20,
            zeta=1.6,
            initial_mean=(0.0, 0.0, 10.0),
            initial_std=0.25,
            target_mean=(0.0, 0.0, 0.05),
            target_std=(12**-0.5, 12**-0.5, 0.01),  # uniform goals: their deviation
        )
        return judged_by_success(teachers.self_paced(space, config))

    learner = PpoConfig(discount=0.995, gae_lambda=0.995)  # two layers of 64, 5 epochs
    rollout = RolloutConfig(num_envs=64, num_steps=160, pool_size=512)
    return World(
        env=envs.ring_maze(),
        student=lambda env: ppo(env, learner, rollout),
        rounds_per_evaluation=10,
        teachers={
            "currot": currot,
            "gradient": gradient,
            "self-paced": self_paced,
            "random": teachers.random,
        },
        test_target=envs.feasible_goal,
        score="success",
        goal=0.9,
    )


WORLDS = {"gate": gate, "ring-maze": ring_maze}


def judged_by_success(teacher: Teacher) -> Teacher:
    """`teacher`, for which a solved episode returns 1 and any other 0."""

    def update(key, state, episodes: Episodes, context):
        returns = episodes.solved.astype(jnp.float32)
        return teacher.update(key, state, episodes.replace(returns=returns, critic=None), context)

    return dataclasses.replace(teacher, update=update)


def discounted(env: Environment, discount: float) -> Environment:
    """`env` whose returns are discounted, to test in."""

    def reset(key: Key, level: Any):
        state, timestep = env.reset(key, level)
        return (state, jnp.float32(1)), timestep

    def step(key: Key, level: Any, state: Any, action: Any):
        inner, factor = state
        inner, timestep = env.step(key, level, inner, action)
        return (inner, factor * discount), timestep.replace(reward=factor * timestep.reward)

    return dataclasses.replace(env, reset=reset, step=step)


def student_of(world: World) -> Student:
    """The world's student, tested with discounted returns where these are the score."""
    student = world.student(world.env)
    if world.score == "success":
        return student
    judge = world.student(discounted(world.env, world.discount))
    return dataclasses.replace(student, evaluate=judge.evaluate)


def scores(world: World, evaluation: Episodes) -> jax.Array:
    """The mean score of one evaluation and the share of successes, [2].

    Who passes the gate is the one who does not crash.
    """
    if world.score == "success":
        share = jnp.mean(evaluation.solved, dtype=jnp.float32)
        return jnp.stack([share, share])
    passes = evaluation.lengths == world.env.max_episode_steps
    return jnp.stack([jnp.mean(evaluation.returns), jnp.mean(passes, dtype=jnp.float32)])
