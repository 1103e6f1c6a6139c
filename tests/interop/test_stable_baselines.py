"""The wrapper of environments that read their task at the reset."""

import gymnasium
import numpy as np

from jaxcurriculum.interop.stable_baselines import TaskWrapper


class Echo(gymnasium.Env):
    """Shows the task and the seed of its reset."""

    observation_space = gymnasium.spaces.Box(-9, 9, (2,), np.float32)
    action_space = gymnasium.spaces.Discrete(2)

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        return options["task"], {"seed": seed}


def test_the_task_that_was_set_is_played_from_the_next_reset_on():
    env = TaskWrapper(Echo())
    for task, seed in (([1.0, 2.0], 7), ([3.0, 4.0], 8)):
        env.set_task(np.array(task, np.float32), seed)
        for _ in range(2):
            obs, info = env.reset(seed=5)
            assert obs.tolist() == task and info["seed"] == seed
