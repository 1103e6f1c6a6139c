"""How episodes are distributed in both engines: length and final x of gymnasium's gait, of random
and of constant actions.

Box2D's 2,000 episodes of a scene take minutes, so they are kept in a file.
`python -m references.distributions`, run in `tests`, plays the scenes that the file lacks (all of
them: about an hour on two cores), or plays anew those whose names are given.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import multiprocessing
import pathlib
import sys
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from walker_scenes import numbers

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.engine.kinematics import hull_origin
from jaxcurriculum.envs.walker.engine.terrain import MAX_PUSH, NUM_CELLS, Level
from jaxcurriculum.testing.compiling import brisk_jit, quick_jit
from references.box2d_walker import Box2DWalker
from references.box2d_world import GROUND
from references.heuristic_walker import HeuristicGait
from references.same_state import draw_levels, in_box2d

NUM = 2000  # episodes of a scene
CHUNK = 50  # episodes of Box2D played side by side
# task: mean height (steps) and spacing (m), over which Box2D's gait passes four of five stumps
LOW_STUMPS = (0.2, 6.0)
KEPT = pathlib.Path(__file__).with_name("box2d_episodes.npz")
# (step, observations [N, ...]) -> actions [N, joints]
Policy = Callable[[int, np.ndarray], np.ndarray]


@dataclasses.dataclass(frozen=True)
class Scene:
    """Who walks where.

    "flat" is one long edge, on which Box2D's gait comes to a stand at 6.27 m, before any stump
    could stand; "flat pieces" is as flat but made of one edge a step, and "low stumps" stand on
    such ground; "pieces" is BipedalWalker-v3's, drawn by each engine for itself.
    """

    policy: str  # "gait", "random" or "constant"
    ground: str = "flat"  # or "flat pieces", "low stumps", "pieces"
    flag: str = "exact"  # or "box2d": gymnasium's contact flag

    def __str__(self) -> str:
        return f"{self.policy} on {self.ground}, {self.flag} flag"

    @property
    def max_steps(self) -> int:
        return 1600 if self.ground == "pieces" else 2000


# The engine's flickering flags are those of ground of pieces.
IN_PIECES = [
    Scene("gait", ground, flag)
    for ground in ("pieces", "flat pieces", "low stumps")
    for flag in ("exact", "box2d")
]
SCENES = [Scene("gait"), *IN_PIECES, Scene("random"), Scene("constant")]


def make_policy(name: str, episodes: np.ndarray) -> Policy:
    """The policy of these episodes, numbers below `NUM`: the same actions whichever episodes
    are played together.
    """
    if name == "gait":
        gait = HeuristicGait(len(episodes))
        return lambda step, obs: gait(obs)
    stream = 0 if name == "constant" else 1

    def drawn(step, obs):
        rng = np.random.default_rng([stream, step * stream])
        return rng.uniform(-1, 1, (NUM, 4)).astype(np.float32)[episodes]

    return drawn


@functools.cache
def scene_levels(ground: str) -> Level:
    """The levels of all episodes on a scene's ground, with gymnasium's pushes, as NumPy arrays."""
    kind = {"flat pieces": "flat", "low stumps": "stumps"}.get(ground, ground)
    levels = draw_levels(kind, "default", NUM, LOW_STUMPS)
    pushes = np.random.default_rng(0).uniform(-MAX_PUSH, MAX_PUSH, NUM).astype(np.float32)
    if ground in ("flat pieces", "low stumps"):
        levels = levels.replace(ground=np.full((NUM, NUM_CELLS), GROUND, np.float32))
    return jax.tree.map(np.asarray, levels.replace(push=pushes))


def play(policy: Policy, num: int, max_steps: int, reset: Callable, step: Callable) -> np.ndarray:
    """Length and final x (m), [2, num], of episodes that run side by side: reset() -> obs,
    step(actions, running) -> obs, x, ended.
    """
    obs, running, outcome = reset(), np.full(num, True), np.zeros((2, num))
    for t in range(max_steps):
        obs, x, ended = step(policy(t, obs), running)
        outcome[:, running] = np.stack([np.full(num, t + 1.0), x])[:, running]
        running = running & ~ended
        if not running.any():
            break
    return outcome


def box2d_episodes(scene: Scene, episodes: np.ndarray) -> np.ndarray:
    """Length and final x (m), [2, N], of these episodes in Box2D; they begin where the engine's
    do, after an idle step.
    """
    walkers = [_box2d_walker(scene, episode) for episode in episodes]
    last = [np.zeros(24, np.float32)] * len(walkers)

    def reset():
        for walker, episode in zip(walkers, episodes):
            walker.reset(int(episode))
        return np.stack([walker.step(np.zeros(4))[0] for walker in walkers])

    def step(actions, running):
        ended = np.full(len(walkers), False)
        for i in np.flatnonzero(running):
            last[i], _, ended[i], *_ = walkers[i].step(actions[i])
        return np.stack(last), np.array([walker.hull.position[0] for walker in walkers]), ended

    return play(make_policy(scene.policy, episodes), len(episodes), scene.max_steps, reset, step)


def _box2d_walker(scene: Scene, episode: int) -> Box2DWalker:
    if scene.ground == "pieces":
        return Box2DWalker(own_ground=True, push=None, contact_flag=scene.flag)
    return in_box2d(
        jax.tree.map(lambda x: x[episode], scene_levels(scene.ground)),
        "default",
        contact_flag=scene.flag,
    )


def engine_episodes(scene: Scene, num: int = NUM) -> np.ndarray:
    """Length and final x (m), [2, num], of the first `num` episodes in the engine."""
    levels = jax.tree.map(lambda x: jnp.asarray(x[:num]), scene_levels(scene.ground))
    reset_all, step_all = engine_steps(scene.flag)
    states, first_obs = reset_all(levels)

    def reset():
        return np.asarray(first_obs)

    def step(actions, running):
        nonlocal states
        (states, obs), x, ended = step_all(levels, states, jnp.asarray(actions))
        return np.asarray(obs), np.asarray(x), np.asarray(ended)

    policy = make_policy(scene.policy, np.arange(num))
    return play(policy, num, scene.max_steps, reset, step)


@functools.cache
def engine_steps(flag: str) -> tuple[Callable, Callable]:
    """Compiled reset(levels) -> (states, obs) and step(levels, states, actions) -> (states,
    obs), x, ended of the default body.
    """
    # steps on any level
    env = envs.bipedal_walker(contact_flag="true" if flag == "exact" else flag)
    walker, key = numbers("default"), jax.random.key(0)

    def reset(levels):
        states, now = jax.vmap(env.reset, in_axes=(None, 0))(key, levels)
        return states, now.obs

    def step(levels, states, actions):
        states, now = jax.vmap(env.step, in_axes=(None, 0, 0, 0))(key, levels, states, actions)
        return (states, now.obs), hull_origin(walker, states.hull_pose.T)[0], now.terminated

    return quick_jit(reset), brisk_jit(step)


def kept_episodes() -> dict[str, np.ndarray]:
    """Length and final x (m), [2, NUM], of Box2D's episodes, by scene."""
    with np.load(KEPT) as kept:
        return {name: kept[name].astype(float) for name in kept.files}


def distances(a: np.ndarray, b: np.ndarray) -> tuple[float, float]:
    """Distances between the distribution functions of two samples: the largest difference
    (Kolmogorov-Smirnov), the area (Wasserstein).
    """
    values = np.sort(np.concatenate([a, b]))
    below_a = np.searchsorted(np.sort(a), values, side="right") / len(a)
    below_b = np.searchsorted(np.sort(b), values, side="right") / len(b)
    difference = np.abs(below_a - below_b)
    return float(difference.max()), float((difference[:-1] * np.diff(values)).sum())


def by_chance(sample: np.ndarray, num: int, repeats: int = 500) -> tuple[float, float]:
    """99th percentile of both distances between resamples of `sample`, one as large as it and
    one of `num`.
    """
    rng = np.random.default_rng(0)
    found = [
        distances(rng.choice(sample, len(sample)), rng.choice(sample, num)) for _ in range(repeats)
    ]
    first, second = np.quantile(found, 0.99, axis=0)
    return float(first), float(second)


def main(*names: str) -> None:
    """Play Box2D's episodes of these scenes, without names of those that the file lacks, on all
    cores and add them to it.
    """
    kept = kept_episodes() if KEPT.exists() else {}
    scenes = {str(scene): scene for scene in SCENES}
    if unknown := set(names) - set(scenes):
        raise ValueError(f"names must be among {list(scenes)}, got {unknown}.")
    chunks = np.arange(NUM).reshape(-1, CHUNK)
    spawn = multiprocessing.get_context("spawn")
    with concurrent.futures.ProcessPoolExecutor(mp_context=spawn) as pool:
        for name in names or scenes.keys() - kept.keys():
            played = pool.map(box2d_episodes, [scenes[name]] * len(chunks), chunks)
            kept[name] = np.concatenate(list(played), axis=1)
    rounded = {name: episodes.astype(np.float32) for name, episodes in kept.items()}
    np.savez_compressed(KEPT, **rounded)


if __name__ == "__main__":
    main(*sys.argv[1:])
