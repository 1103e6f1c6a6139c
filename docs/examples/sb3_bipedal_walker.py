"""Stable-Baselines3's PPO learns to walk on ground that ALP-GMM chooses.

    python docs/examples/sb3_bipedal_walker.py                # a folder walker/ with checkpoints
    python docs/examples/sb3_bipedal_walker.py --resume       # after a crash or a kill -9

The worker processes walk in gymnasium's BipedalWalker; a task is how rough its ground is, and how
high its stumps are. Policy and teacher are saved together.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import shutil

import numpy as np
from gymnasium.envs.box2d import bipedal_walker as gym_walker
from gymnasium.wrappers import TimeLimit
from stable_baselines3 import PPO
from stable_baselines3.common.callbacks import BaseCallback
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.vec_env import SubprocVecEnv

ROUGHNESS = (0.0, 2.0)  # times gymnasium's own
STUMP_HEIGHT = (0.0, 2.0)  # m
STUMP_EVERY = 15  # pieces of ground


class RoughWalker(gym_walker.BipedalWalker):
    """BipedalWalker on the ground of a task, (roughness, stump height)."""

    def __init__(self, render_mode: str | None = None):
        super().__init__(render_mode)
        self.set_task(np.array([1.0, 0.0]), seed=0)

    def set_task(self, task: np.ndarray, seed: int) -> None:
        """The ground from the next reset on."""
        self.roughness, self.stump_height = map(float, task)
        self.level_seed = int(seed)

    def reset(self, *, seed: int | None = None, options: dict | None = None):
        return super().reset(seed=self.level_seed, options=options)

    def _generate_terrain(self, hardcore: bool) -> None:
        heights = self._heights()
        self.terrain_x = list(np.arange(len(heights)) * gym_walker.TERRAIN_STEP)
        self.terrain_y = list(heights)
        self.terrain, self.terrain_poly = [], []
        points = list(zip(self.terrain_x, self.terrain_y))
        for start, end in zip(points, points[1:]):
            self.fd_edge.shape.vertices = [start, end]
            self._place(self.fd_edge, (76, 204, 76))
            below = [start, end, (end[0], 0), (start[0], 0)]
            self.terrain_poly.append((below, (102, 153, 76)))
        if self.stump_height > 0:
            for x, y in points[gym_walker.TERRAIN_STARTPAD + STUMP_EVERY :: STUMP_EVERY]:
                self._place_stump(x, y)
        self.terrain.reverse()

    def _heights(self) -> np.ndarray:
        """A walk that is pulled back to where it began, as gymnasium's."""
        bumps = self.np_random.uniform(-1, 1, gym_walker.TERRAIN_LENGTH) / gym_walker.SCALE
        bumps[: gym_walker.TERRAIN_STARTPAD + 1] = 0
        height = slope = 0.0
        heights = []
        for bump in self.roughness * bumps:
            slope = 0.8 * slope - 0.01 * np.sign(height) + bump
            height += slope
            heights.append(height)
        return gym_walker.TERRAIN_HEIGHT + np.array(heights)

    def _place_stump(self, x: float, y: float) -> None:
        right, top = x + gym_walker.TERRAIN_STEP, y + self.stump_height
        self.fd_polygon.shape.vertices = [(x, y), (right, y), (right, top), (x, top)]
        self._place(self.fd_polygon, (255, 255, 255))

    def _place(self, fixture, color: tuple[int, int, int]) -> None:
        body = self.world.CreateStaticBody(fixtures=fixture)
        body.color1 = body.color2 = color
        self.terrain.append(body)


def limited_walker(max_steps: int) -> TimeLimit:
    """An episode of a walker that neither falls nor arrives ends after `max_steps`."""
    return TimeLimit(RoughWalker(), max_steps)


class Checkpoint(BaseCallback):
    """Saves policy and teacher after each round of PPO, whole or not at all."""

    def __init__(self, teacher, folder: pathlib.Path):
        super().__init__()
        self.teacher = teacher
        self.folder = folder

    def _on_step(self) -> bool:
        return True

    def _on_rollout_start(self) -> None:  # the round before has been learned from
        whole = self.folder / f"{self.num_timesteps:09d}"
        if whole.exists():
            return  # it was resumed from
        partial = self.folder / "partial"
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        self.model.save(partial / "ppo.zip")
        np.savez(partial / "teacher.npz", **self.teacher.state_dict())
        os.replace(partial, whole)
        print(f"saved after {self.num_timesteps} steps", flush=True)


def checkpoints(folder: pathlib.Path) -> list[pathlib.Path]:
    """All whole ones, the oldest first."""
    return sorted(path for path in folder.glob("*") if path.name.isdigit())


def main(options: argparse.Namespace) -> None:
    from jaxcurriculum import Box, teachers, use_cores  # here: the workers need no JAX
    from jaxcurriculum.interop import HostTeacher
    from jaxcurriculum.interop.stable_baselines import teacher_callback

    use_cores(1)
    low, high = zip(ROUGHNESS, STUMP_HEIGHT)
    ground = Box(names=("roughness", "stump_height"), low=low, high=high, units=("", "m"))
    config = teachers.AlpGmmConfig(fit_every=options.fit_every, return_range=(-150.0, 350.0))
    teacher = HostTeacher(teachers.alp_gmm(ground, config), seed=options.seed)
    saved = checkpoints(options.folder)
    if saved and not options.resume:
        raise SystemExit(f"{options.folder} holds a run: --resume goes on with it.")
    if saved:
        teacher.load_state_dict(np.load(saved[-1] / "teacher.npz"))
    limit = {"max_steps": options.episode_steps}
    workers = make_vec_env(
        limited_walker, options.workers, env_kwargs=limit, vec_env_cls=SubprocVecEnv
    )
    if saved:
        ppo = PPO.load(saved[-1] / "ppo.zip", env=workers)
    else:
        ppo = PPO("MlpPolicy", workers, n_steps=options.round, seed=options.seed, device="cpu")
    callbacks = [teacher_callback(teacher, workers), Checkpoint(teacher, options.folder)]
    remaining = options.steps - ppo.num_timesteps
    ppo.learn(max(remaining, 0), callback=callbacks, reset_num_timesteps=False)
    workers.close()
    report = teacher.report()
    print(f"{report.num_episodes} episodes, {report.num_fits} mixtures fitted")


def parsed() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path("walker"))
    parser.add_argument("--resume", action="store_true", help="go on from the latest checkpoint")
    parser.add_argument("--steps", type=int, default=2_000_000, help="of all workers together")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--round", type=int, default=2048, help="steps of a worker, a round of PPO")
    parser.add_argument("--episode-steps", type=int, default=1600, help="the most of an episode")
    parser.add_argument("--fit-every", type=int, default=250, help="episodes between two mixtures")
    parser.add_argument("--seed", type=int, default=0)
    return parser.parse_args()


if __name__ == "__main__":
    main(parsed())
