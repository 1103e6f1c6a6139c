"""Steps a second with a fresh task for every episode, beside brax's and gymnax's with one task.

One core, random actions; both keep what a learner needs. Theirs is the package's own batched step,
which resets by itself, ours the rollout of a student: the tasks of the pool and their first states
are made within the time. Both run in turn: steps/s are of the fastest turn, the ratio is the median
over pairs of turns.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

from bench.measure import pin

COLUMNS = ("what", "worlds", "steps/s", "theirs, steps/s", "ratio")
Turn = Callable[[Any, Any], tuple[Any, Any]]  # (key, carry) -> (carry, what was seen)


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a world and number of them."""
    from jaxcurriculum import envs

    cases = [  # what, beside which of gymnax's, our environment, steps of an episode at random
        ("gymnax's CartPole-v1", "CartPole-v1", envs.gymnax("CartPole-v1"), 20),
        ("cart-pole", "CartPole-v1", envs.cart_pole(), 20),
        ("gymnax's Pendulum-v1", "Pendulum-v1", envs.gymnax("Pendulum-v1"), 200),
        ("pendulum", "Pendulum-v1", envs.pendulum(), 200),
    ]
    rows = []
    for num in (1024,) if quick else (64, 256, 1024, 4096):
        for what, name, env, length in cases:
            pair = our_loop(env, num, 128, length), gymnax_loop(name, num, 128)
            rows.append(_row(what, num, 128, pair, turns=100_000 // num))
    for backend in ("spring",) if quick else ("spring", "generalized"):
        ours = our_loop(envs.brax("ant", backend=backend), 128, 10, length=100)
        pair = ours, brax_loop("ant", backend, 128, 10)
        rows.append(_row(f"brax's ant, {backend}", 128, 10, pair, turns=9))
    return rows


def _row(what: str, num: int, steps: int, pair: Any, turns: int) -> dict[str, Any]:
    both = [Running(*loop) for loop in pair]
    pairs = [[each.turn() for each in both] for _ in range(turns + 1)][1:]  # the first compiles
    here, there = (num * steps / min(times) for times in zip(*pairs))
    ratio = statistics.median(theirs / ours for ours, theirs in pairs)
    return {"what": what, "worlds": num, "steps/s": here, "theirs, steps/s": there, "ratio": ratio}


class Running:
    """A loop and where it stands."""

    def __init__(self, turn: Turn, carry: Any):
        import jax

        self.loop, self.carry, self.key = jax.jit(turn), carry, jax.random.key(0)

    def turn(self) -> float:
        """How long the next turn takes, s."""
        import jax

        self.key, key = jax.random.split(self.key)
        start = time.perf_counter()
        self.carry, _ = jax.block_until_ready(self.loop(key, self.carry))
        return time.perf_counter() - start


def our_loop(env: Any, num: int, steps: int, length: int) -> tuple[Turn, Any]:
    """The rollout of `env`, with a pool that lasts for episodes of `length` steps on average."""
    import jax

    from jaxcurriculum.records import fresh_proposals
    from jaxcurriculum.rollout.collect import collect, init_rollout
    from jaxcurriculum.rollout.pool import RolloutConfig

    pool = max(num, num * steps // length)
    config = RolloutConfig(num_envs=num, num_steps=steps, pool_size=pool)

    def policy(key: Any, memory: Any, obs: Any, first: Any) -> tuple[Any, Any, tuple]:
        return memory, random_actions(env.action_space, num, key), ()

    def turn(key: Any, state: Any) -> tuple[Any, Any]:
        key_tasks, key_seeds, key_steps = jax.random.split(key, 3)
        tasks = jax.vmap(env.task_space.sample)(jax.random.split(key_tasks, pool))
        proposals = fresh_proposals(key_seeds, tasks)
        state, rollout = collect(key_steps, env, config, state, proposals, policy)
        return state, (rollout.experience, rollout.row)

    return turn, init_rollout(env, num, ())


def gymnax_loop(name: str, num: int, steps: int) -> tuple[Turn, Any]:
    """gymnax's `step` of `num` environments."""
    import gymnax
    import jax

    env, params = gymnax.make(name)
    advance = jax.vmap(env.step, in_axes=(0, 0, 0, None))

    def step(carry: Any, key: Any) -> tuple[Any, Any]:
        obs, state = carry
        key_action, key_step = jax.random.split(key)
        action = random_actions(env.action_space(params), num, key_action)
        keys = jax.random.split(key_step, num)
        after = advance(keys, state, action, params)
        next_obs, state, reward, terminated, truncated, info = after
        seen = obs, info["final_observation"], action, reward, terminated, truncated
        return (next_obs, state), seen

    def turn(key: Any, carry: Any) -> tuple[Any, Any]:
        return jax.lax.scan(step, carry, jax.random.split(key, steps))

    reset = jax.jit(jax.vmap(env.reset, in_axes=(0, None)))
    return turn, reset(jax.random.split(jax.random.key(0), num), params)


def brax_loop(name: str, backend: str, num: int, steps: int) -> tuple[Turn, Any]:
    """brax's `step` of `num` robots in its own wrappers."""
    import jax
    from brax.envs import create

    env = create(name, backend=backend, batch_size=num)

    def step(state: Any, key: Any) -> tuple[Any, Any]:
        action = jax.random.uniform(key, (num, env.action_size), minval=-1.0, maxval=1.0)
        after = env.step(state, action)
        seen = state.obs, after.obs, action, after.reward, after.done, after.info["truncation"]
        return after, seen

    def turn(key: Any, state: Any) -> tuple[Any, Any]:
        return jax.lax.scan(step, state, jax.random.split(key, steps))

    return turn, jax.jit(env.reset)(jax.random.key(0))


def random_actions(space: Any, num: int, key: Any) -> Any:
    """Of our spaces and of gymnax's, drawn in one go."""
    import jax
    import jax.numpy as jnp

    choices = getattr(space, "num", getattr(space, "n", None))
    if choices is not None:
        return jax.random.randint(key, (num,), 0, choices)
    low, high = jnp.atleast_1d(jnp.array(space.low)), jnp.atleast_1d(jnp.array(space.high))
    return jax.random.uniform(key, (num, len(low)), minval=low[None], maxval=high[None])


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
