"""PPO of Stable-Baselines3 on many worlds at once, whose tasks ALP-GMM chooses.

pip install stable-baselines3
python sb3_many_worlds.py
"""

import argparse

from stable_baselines3 import PPO

from jaxcurriculum import envs, teachers
from jaxcurriculum.interop import HostTeacher, to_stable_baselines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--worlds", type=int, default=64)
    parser.add_argument("--steps", type=int, default=200_000)
    options = parser.parse_args()
    env = envs.cart_pole()
    settings = teachers.AlpGmmConfig(return_range=env.return_range)
    teacher = HostTeacher(teachers.alp_gmm(env.task_space, settings), seed=0)
    worlds = to_stable_baselines(env, options.worlds, teacher)
    model = PPO("MlpPolicy", worlds, n_steps=64, batch_size=512, device="cpu", verbose=1)
    model.learn(options.steps)
    worlds.close()


if __name__ == "__main__":
    main()
