"""PPO on worlds whose value is known: images, dictionaries, choices, and actions of two kinds."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from jaxcurriculum import LoopConfig, make_loop, teachers
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

CONFIG = PpoConfig(hidden=(16,), minibatch_size=256, learning_rate=1e-2)
DPO = dataclasses.replace(CONFIG, objective="dpo")


@pytest.mark.slow
@pytest.mark.parametrize(
    "make, config, rounds, least",
    [(probes.picture, DPO, 20, 1.0), (probes.switch_and_lever, CONFIG, 60, 0.99)],
)
def test_what_is_known_to_be_best_is_found(make, config, rounds, least):
    """The best return is 1, and the critic knows it."""
    env = make()
    student = ppo(env, config, RolloutConfig(num_envs=32, num_steps=16, pool_size=544))
    tasks = jnp.linspace(0, 1, 16)[:, None]
    test = LoopConfig(rounds_per_evaluation=rounds)
    loop = make_loop(teachers.random(env.task_space), student, tasks, test)
    _, report = quick_jit(loop.advance)(quick_jit(loop.init)(jax.random.key(0)), jnp.int32(0))
    assert float(report.evaluation.returns.min()) >= least
    critic = report.episodes.critic
    known = jnp.where(report.episodes.valid, critic.initial_value, jnp.nan)[-1]
    played = jnp.where(report.episodes.valid, report.episodes.returns, jnp.nan)[-1]
    assert abs(float(jnp.nanmean(known - played))) < 0.1
