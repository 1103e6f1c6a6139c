"""Mazes on one core: steps with random actions, new levels, edits, and floods from the agent.

13 by 13 cells, 1,024 mazes at once and 32, a round's. Seconds of the processor, not of the clock.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from bench.measure import cpu_seconds, pin

COLUMNS = ("what", "mazes", "a second", "us each")
NUM_STEPS = 256


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row for each part and number of mazes."""
    repeats = 3 if quick else 10
    rows = []
    for num in (32, 1024):
        for what, (call, times) in parts(num).items():
            each = cpu_seconds(call, repeats) / (num * times)
            row = {"what": what, "mazes": num}
            rows.append(row | {"a second": 1 / each, "us each": 1e6 * each})
    return rows


def parts(num: int) -> dict[str, tuple[Callable[[], Any], int]]:
    """Compiled calls that each do one thing so many times to each of `num` mazes."""
    import jax

    import jaxcurriculum.envs as envs

    mazes = envs.Mazes(num_walls=60, num_edits=20)
    keys = jax.random.split(jax.random.key(0), num)
    levels = jax.jit(jax.vmap(mazes.sample))(keys)

    def each(function: Callable[..., Any], *mapped: Any) -> Callable[[], Any]:
        compiled = jax.jit(jax.vmap(function))
        return lambda: compiled(*mapped)

    found = {"a step, with what is seen": (walk(num, levels), NUM_STEPS)}
    for walls in ("replacement", "exact", "dcd-uniform"):
        drawn = envs.Mazes(num_walls=60, walls=walls)
        found[f"a random maze of 60 walls, {walls}"] = each(drawn.sample, keys), 1
    for edits in ("minimax", "jaxued", "dcd"):
        edited = envs.Mazes(edits=edits)
        change = lambda key, maze, space=edited: space.mutate(key, maze, 0.0)
        found[f"5 edits, {edits}"] = each(change, keys, levels), 1
    found["shortest way in moves"] = each(envs.shortest_moves, levels), 1
    found["shortest way in actions"] = each(envs.shortest_actions, levels), 1
    found["perfect maze, depth-first"] = each(envs.perfect_maze, keys), 1
    return found


def walk(num: int, levels: Any) -> Callable[[], Any]:
    """A call that takes `NUM_STEPS` random steps in each of `levels` and looks at every view."""
    import jax
    import jax.numpy as jnp

    import jaxcurriculum.envs as envs

    env = envs.maze()

    @jax.jit
    def roll(key):
        keys = jax.random.split(key, num)
        state, _ = jax.vmap(env.reset)(keys, levels)

        def step(carry, key):
            state, total = carry
            action = jax.random.randint(key, (num,), 0, env.action_space.num)
            step = jax.vmap(env.step, in_axes=(None, 0, 0, 0))
            state, timestep = step(key, levels, state, action)
            seen = sum(leaf.sum() for leaf in jax.tree.leaves(timestep.obs))
            return (state, total + seen + timestep.reward.sum()), None

        steps = jax.random.split(key, NUM_STEPS)
        return jax.lax.scan(step, (state, jnp.float32(0)), steps)[0]

    return lambda: roll(jax.random.key(0))


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
