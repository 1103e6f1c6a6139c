"""The callback for Stable-Baselines3 refuses what it cannot teach."""

import gymnasium
import numpy as np
import pytest

pytest.importorskip("stable_baselines3")

from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv

from jaxcurriculum import Box, teachers
from jaxcurriculum.interop import HostTeacher
from jaxcurriculum.interop.stable_baselines import teacher_callback


class Deaf(gymnasium.Env):
    """Episodes of one step, on no task."""

    observation_space = gymnasium.spaces.Box(-1, 1, (1,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return np.zeros(1, np.float32), {}

    def step(self, action):
        return np.zeros(1, np.float32), 0.0, True, False, {}


class Listening(Deaf):
    def set_task(self, task, seed):
        pass


def test_what_cannot_be_taught_is_refused():
    host = HostTeacher(teachers.random(Box(names=("x",), low=(0.0,), high=(1.0,))))
    with pytest.raises(ValueError, match="must have set_task"):
        teacher_callback(host, DummyVecEnv([Deaf]))
    worlds = DummyVecEnv([Listening])
    with pytest.raises(TypeError, match="must be of the type HostTeacher"):
        teacher_callback(teachers.random, worlds)
    model = PPO("MlpPolicy", worlds, n_steps=8, batch_size=8, device="cpu")
    with pytest.raises(ValueError, match="wrap every environment in a Monitor"):
        model.learn(8, callback=teacher_callback(host, worlds))
