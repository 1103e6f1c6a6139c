"""A small policy that counts steps, and a loop that teaches it."""

import jax.numpy as jnp

from jaxcurriculum import LoopConfig, make_loop, teachers
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.testing import probes

ENV = probes.counting()
ROLLOUT = RolloutConfig(num_envs=8, num_steps=16, pool_size=64)
STUDENT_CONFIG = PpoConfig(hidden=(8,), minibatch_size=64)
STUDENT = ppo(ENV, STUDENT_CONFIG, ROLLOUT)
TASKS = jnp.array([[0.2], [0.8]])
LOOP = make_loop(
    teachers.random(ENV.task_space),
    STUDENT,
    TASKS,
    LoopConfig(rounds_per_evaluation=2, num_test_episodes=3),
)
