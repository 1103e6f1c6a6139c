"""Walker steps a second through gymnasium's VectorEnv, beside an AsyncVectorEnv of Box2D's.

Everything that a trainer waits for: actions in, observations out in NumPy, ends of episodes and the
next levels. AsyncVectorEnv has a process a world and all cores; our worlds are stepped by one
device, which here is one core. All take random actions; those of Box2D walk on easy ground, ours on
Stump Tracks of any task.
"""

from __future__ import annotations

import functools
import os
import time
from typing import Any

COLUMNS = ("what", "worlds", "steps/s", "times Box2D")
ROUNDS = 4  # of both in turn; the best of each counts
SECONDS = 2.0  # a round


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a number of our worlds, and one a number of Box2D's."""
    from jaxcurriculum import use_cores

    use_cores(1)
    sizes = (1024,) if quick else (64, 256, 1024, 4096)
    cores = os.cpu_count() or 1
    others = sorted({2, cores, 2 * cores} if quick else {2, cores, 2 * cores, 4 * cores, 8 * cores})
    made = [("VectorEnv", num, _ours(num)) for num in sizes]
    made += [("AsyncVectorEnv of Box2D", num, _box2d(num)) for num in others]
    rates = [[_steps_per_second(worlds) for _, _, worlds in made] for _ in range(ROUNDS)]
    for _, _, worlds in made:
        worlds.close()
    best = [max(rounds) for rounds in zip(*rates)]
    reference = max(best[len(sizes) :])
    return [
        {"what": what, "worlds": num, "steps/s": rate, "times Box2D": rate / reference}
        for (what, num, _), rate in zip(made, best)
    ]


def _ours(num: int) -> Any:
    from jaxcurriculum import envs
    from jaxcurriculum.interop import to_vector_env

    return to_vector_env(envs.stump_tracks(), num)


def _box2d(num: int) -> Any:
    import gymnasium

    make = functools.partial(gymnasium.make, "BipedalWalker-v3")
    return gymnasium.vector.AsyncVectorEnv([make] * num, context="spawn")


def _steps_per_second(worlds: Any) -> float:
    """Of all worlds together, after a reset and a step that are not counted."""
    import numpy as np

    shape = (100, *worlds.action_space.shape)
    actions = np.random.default_rng(0).uniform(-1, 1, shape).astype(np.float32)
    worlds.reset(seed=0)
    worlds.step(actions[0])
    num, start = 0, time.perf_counter()
    while time.perf_counter() - start < SECONDS:
        worlds.step(actions[num % len(actions)])
        num += 1
    return num * worlds.num_envs / (time.perf_counter() - start)


if __name__ == "__main__":
    from bench.report import main

    main(measure)
