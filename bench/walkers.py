"""Walker steps a second with random actions, everything included, on one core, beside Box2D's BipedalWalker on the same core.

Everything: generating the levels of the pool, physics, observation, lidar, reward, ends of episodes and their next levels. The cost
of the task pool is the difference to stepping the same walkers on levels that never change and never end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.measure import difference_in_seconds, pin, seconds

COLUMNS = ("body", "walkers", "steps/s", "ns/step", "times Box2D", "note")
NUM_STEPS = 100


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a number of walkers and body, one for Box2D, one for the cost of the pool."""
    sizes = (64, 1024) if quick else (64, 256, 512, 1024, 2048, 4096, 8192)
    box2d = box2d_steps_per_second()
    rows = [{"body": "default", "walkers": 1, "steps/s": box2d, "note": "gymnasium's BipedalWalker-v3 (Box2D)"}]
    for body, num in [*(("default", num) for num in sizes), ("short", 1024)]:
        rows.append(_row(body, num, seconds(rollout(body, num, pool=True)), max(box2d, box2d_steps_per_second(1.0))))
    pair = [rollout("default", 1024, pool) for pool in (True, False)]
    cost = difference_in_seconds(*pair) / (1024 * NUM_STEPS) * 1e9
    rows.append({"body": "default", "walkers": 1024, "ns/step": cost, "note": "of these for the task pool"})
    return rows


def _row(body: str, num: int, duration: float, box2d: float) -> dict[str, Any]:
    rate = num * NUM_STEPS / duration
    return {"body": body, "walkers": num, "steps/s": rate, "ns/step": 1e9 / rate, "times Box2D": rate / box2d}


def rollout(body: str, num: int, pool: bool) -> Callable[[], Any]:
    """A call that steps `num` walkers NUM_STEPS times; with the pool it goes on from where the last one stopped."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import envs
    from jaxcurriculum.rollout import RolloutConfig, collect, init_rollout
    from jaxcurriculum.types import fresh_proposals

    env = envs.stump_tracks(body=body)
    config = RolloutConfig(num_envs=num, num_steps=NUM_STEPS, pool_size=num)
    actions = lambda key: jax.random.uniform(key, (num, env.action_space.dims), minval=-1, maxval=1)

    def propose(key):
        key_tasks, key_seeds = jax.random.split(key)
        return fresh_proposals(key_seeds, jax.vmap(env.task_space.sample)(jax.random.split(key_tasks, num)))

    @jax.jit
    def with_pool(key, state):
        key_propose, key_collect = jax.random.split(key)
        policy = lambda key, obs: (actions(key), None)
        state, trajectory, _, _ = collect(key_collect, env, config, state, propose(key_propose), policy)
        return state, (trajectory.reward.sum(), trajectory.obs.sum(), trajectory.next_obs.sum())

    @jax.jit
    def without_pool(key, levels, state):
        def step(state, key):
            state, timestep = jax.vmap(env.step, in_axes=(None, 0, 0, 0))(key, levels, state, actions(key))
            return state, (timestep.reward, timestep.obs, timestep.obs, timestep.terminated)

        state, seen = jax.lax.scan(step, state, jax.random.split(key, NUM_STEPS))
        return state, jax.tree.map(jnp.sum, seen)

    key = jax.random.key(0)
    if not pool:
        proposals = propose(key)
        levels = jax.jit(jax.vmap(lambda seed, task: env.generate(jax.random.key(seed), task)))(proposals.seeds, proposals.tasks)
        state, _ = jax.jit(jax.vmap(env.reset))(jax.random.split(key, num), levels)
        return lambda: without_pool(key, levels, state)[1]  # always from the start: those that fell would lie there ever after
    held = [init_rollout(env, num)]

    def go_on():
        held[0], seen = with_pool(key, held[0])
        return seen

    return go_on


def box2d_steps_per_second(duration: float = 3.0) -> float:
    """gymnasium's BipedalWalker-v3 with random actions, resets included, for `duration` seconds."""
    import gymnasium
    import numpy as np

    env = gymnasium.make("BipedalWalker-v3").unwrapped
    env.reset(seed=0)
    actions = np.random.default_rng(0).uniform(-1, 1, (10_000, 4)).astype(np.float32)
    num, start = 0, time.perf_counter()
    while time.perf_counter() - start < duration:
        _, _, terminated, _, _ = env.step(actions[num % len(actions)])
        num += 1
        if terminated:
            env.reset()
    return num / (time.perf_counter() - start)


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
