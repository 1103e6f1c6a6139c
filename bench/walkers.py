"""Walker steps a second with random actions, all included, on one core, beside Box2D.

Everything: generating the levels of the pool, physics, observation, lidar, reward, ends of episodes
and their next levels. The cost of the task pool is the difference to stepping the same walkers on
levels that never change and never end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from bench.measure import difference_in_seconds, pin, seconds

COLUMNS = ("body", "track", "walkers", "steps/s", "ns/step", "Box2D steps/s", "times Box2D", "note")
NUM_STEPS = 100
# of walkers and Box2D in turn; the best of each counts, so that a slow spell of the machine strikes
# neither alone
ROUNDS = 8
STUMPS = "stump_tracks"
OTHERS = [
    ("short", STUMPS),
    ("long", STUMPS),
    ("quadruped", STUMPS),
    ("default", "hexagon_tracks"),
    ("default", "stump_sequences"),
]
ROUGH = [
    ("default", "bipedal_walker"),
    ("default", "obstacle_tracks"),
    ("quadruped", "hexagon_tracks"),
]


def measure(quick: bool) -> list[dict[str, Any]]:
    """Rows: walkers, body and track; one for the cost of the pool; one a track for new levels."""
    sizes = (64, 1024) if quick else (64, 256, 512, 1024, 2048, 4096, 8192)
    rows = []
    others = OTHERS if quick else OTHERS + ROUGH
    cases = [("default", STUMPS, num) for num in sizes]
    cases += [(body, track, 1024) for body, track in others]
    for body, track, num in cases:
        walk = rollout(body, num, pool=True, track=track)
        in_turn = [(seconds(walk, 2), box2d_steps_per_second(body, 0.5)) for _ in range(ROUNDS)]
        durations, references = zip(*in_turn)
        rows.append(_row(body, track, num, min(durations), max(references)))
    pair = [rollout("default", 1024, pool) for pool in (True, False)]
    cost = difference_in_seconds(*pair) / (1024 * NUM_STEPS) * 1e9
    rows.append(
        {
            "body": "default",
            "track": STUMPS,
            "walkers": 1024,
            "ns/step": cost,
            "note": "of these for the task pool",
        }
    )
    for track in (STUMPS, "hexagon_tracks", "obstacle_tracks"):
        took = seconds(new_tracks(track, 1024)) * 1e3
        rows.append(
            {
                "body": "default",
                "track": track,
                "walkers": 1024,
                "note": f"{took:.1f} ms for 1,024 new tracks and walkers at their start",
            }
        )
    return rows


def _row(body: str, track: str, num: int, duration: float, box2d: float) -> dict[str, Any]:
    rate = num * NUM_STEPS / duration
    both = {
        "steps/s": rate,
        "ns/step": 1e9 / rate,
        "Box2D steps/s": box2d,
        "times Box2D": rate / box2d,
    }
    return {"body": body, "track": track, "walkers": num, **both}


def new_tracks(track: str, num: int) -> Callable[[], Any]:
    """A call that makes `num` levels of random tasks and sets a walker on each."""
    import jax

    from jaxcurriculum import envs

    env, keys = getattr(envs, track)(), jax.random.split(jax.random.key(0), num)

    def begin(key):
        return env.reset(key, env.generate(key, env.task_space.sample(key)))

    make = jax.jit(jax.vmap(begin))
    return lambda: make(keys)


def rollout(body: str, num: int, pool: bool, track: str = STUMPS) -> Callable[[], Any]:
    """A call that steps `num` walkers NUM_STEPS times; with the pool each goes on from the last."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import envs
    from jaxcurriculum.records import fresh_proposals
    from jaxcurriculum.rollout import RolloutConfig
    from jaxcurriculum.rollout.collect import collect, init_rollout

    env = getattr(envs, track)(body)
    config = RolloutConfig(num_envs=num, num_steps=NUM_STEPS, pool_size=num)

    def actions(key):
        return jax.random.uniform(key, (num, env.action_space.dims), minval=-1, maxval=1)

    def policy(key, memory, obs, first):
        return memory, actions(key), None

    def propose(key):
        key_tasks, key_seeds = jax.random.split(key)
        tasks = jax.vmap(env.task_space.sample)(jax.random.split(key_tasks, num))
        return fresh_proposals(key_seeds, tasks)

    @jax.jit
    def with_pool(key, state):
        key_propose, key_collect = jax.random.split(key)
        proposals = propose(key_propose)
        state, rollout = collect(key_collect, env, config, state, proposals, policy)
        seen = rollout.experience
        return state, (seen.reward.sum(), seen.obs.sum(), seen.next_obs.sum())

    @jax.jit
    def without_pool(key, levels, state):
        def step(state, key):
            state, timestep = jax.vmap(env.step, in_axes=(None, 0, 0, 0))(
                key, levels, state, actions(key)
            )
            return state, (timestep.reward, timestep.obs, timestep.obs, timestep.terminated)

        state, seen = jax.lax.scan(step, state, jax.random.split(key, NUM_STEPS))
        return state, jax.tree.map(jnp.sum, seen)

    key = jax.random.key(0)
    if not pool:
        proposals = propose(key)
        levels = jax.jit(jax.vmap(lambda seed, task: env.generate(jax.random.key(seed), task)))(
            proposals.seeds, proposals.tasks
        )
        state, _ = jax.jit(jax.vmap(env.reset))(jax.random.split(key, num), levels)
        return lambda: without_pool(key, levels, state)[
            1
        ]  # always from the start: those that fell would lie there ever after
    held = [init_rollout(env, num, ())]

    def go_on():
        held[0], seen = with_pool(key, held[0])
        return seen

    return go_on


def box2d_steps_per_second(body: str, duration: float) -> float:
    """Box2D with random actions, resets included, for `duration` seconds.

    gymnasium's BipedalWalker-v3, and other bodies on its ground. Theirs is the tests' stepper,
    leaner than gymnasium's class. Short bodies fall soon, and resets of Box2D are slow.
    """
    import gymnasium
    import numpy as np

    if body == "default":
        env = gymnasium.make("BipedalWalker-v3").unwrapped
    else:
        from references.box2d_walker import Box2DWalker

        env = Box2DWalker(body, own_ground=True)
    env.reset(seed=0)
    num_joints = 8 if body == "quadruped" else 4
    actions = np.random.default_rng(0).uniform(-1, 1, (10_000, num_joints)).astype(np.float32)
    num, start = 0, time.perf_counter()
    while time.perf_counter() - start < duration:
        _, _, terminated, *_ = env.step(actions[num % len(actions)])
        num += 1
        if terminated:
            env.reset()
    return num / (time.perf_counter() - start)


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
