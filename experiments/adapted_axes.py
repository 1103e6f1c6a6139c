"""Which axes of the worlds of brax and gymnax change anything.

    python experiments/adapted_axes.py [--backends spring ...]

Every axis is moved alone to both of its bounds; the first state and the random actions stay the
same. Written down is by how much an observation differs within 50 steps at most, for gymnax a
reward or an end too. Results are kept as they come, in `results/adapted_axes.json`; what stands
there is not measured again.
"""

from __future__ import annotations

import argparse
import json
import pathlib
import warnings
from collections.abc import Callable, Iterator

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Box, Environment
from jaxcurriculum.envs.adapters import brax_env, gymnax_env, gymnax_params
from jaxcurriculum.testing.compiling import quick_jit

RESULTS = pathlib.Path(__file__).parent / "results/adapted_axes.json"
NUM_STEPS = 50
NUM_EPISODES = 8  # of an environment of gymnax
# The largest difference that each axis makes, by its name; in words where that is no number.
Felt = dict[str, float | str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--backends", nargs="*", default=brax_env.BACKENDS)
    backends = parser.parse_args().backends
    results = json.loads(RESULTS.read_text()) if RESULTS.exists() else {}
    for name, measure in cases(backends):
        if name not in results:
            results[name] = measure()
            RESULTS.write_text(json.dumps(results, indent=1) + "\n")
        print(name, results[name], flush=True)


def cases(backends: list[str]) -> Iterator[tuple[str, Callable[[], Felt | str]]]:
    """(name, what measures it) of every world."""
    import gymnax

    for name in gymnax.registered_envs:
        yield f"gymnax {name}", lambda name=name: gymnax_axes(name)
    for backend in backends:
        for name in brax_env.RETURNS:
            yield f"brax {backend} {name}", lambda x=name, y=backend: brax_axes(x, y)


def brax_axes(name: str, backend: str) -> Felt:
    """Of a robot, refused axes too."""
    from brax.envs import get_environment

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # brax says that it is not maintained
        robot = get_environment(name, backend=backend)
    low, high = zip(*brax_env.AXES.values())
    space = Box(names=tuple(brax_env.AXES), low=low, high=high)
    start, advance = brax_env.functions_of(robot, space)
    actions = jax.random.uniform(
        jax.random.key(1), (NUM_STEPS, robot.action_size), minval=-1.0, maxval=1.0
    )

    def episode(level: jax.Array) -> jax.Array:
        state_like, _ = jax.eval_shape(start, jax.random.key(0), level)

        def step(state, action):
            after = advance(level, state, action)
            return brax_env.like(state_like, after.pipeline_state), after.obs

        state, _ = start(jax.random.key(0), level)
        return jax.lax.scan(step, state, actions)[1]

    levels = np.concatenate([np.ones((1, space.dims)), *ends(space, np.ones(space.dims))])
    seen = quick_jit(jax.vmap(episode))(jnp.asarray(levels, jnp.float32))
    return differences(space, np.asarray(seen)[:, None])


def gymnax_axes(name: str) -> Felt | str:
    """Of an environment; in words why there are none."""
    import gymnax

    try:
        _, params = gymnax.make(name)
    except OSError as error:
        return f"cannot be made: {error}"
    axes = gymnax_params.AXES.get(name) or {
        axis: around(float(getattr(params, axis))) for axis in gymnax_params.numbers_of(params)
    }
    if not axes:
        return "has no numbers among its parameters"
    # told, so that what nothing reads is not refused
    derive = gymnax_params.DERIVED.get(name, gymnax_params.as_published)
    env = gymnax_env.gymnax(name, axes, derive=derive, observe_task=False)
    space = env.task_space
    assert isinstance(space, Box)
    published = np.array([float(getattr(params, axis)) for axis in axes])
    levels = np.concatenate([published[None], *ends(space, published)])
    seen = quick_jit(jax.vmap(lambda level: episodes(env, level)))(jnp.asarray(levels, jnp.float32))
    return differences(space, np.asarray(seen))


def around(value: float) -> tuple[float, float]:
    """Bounds about a published value."""
    return (value / 2, value * 2) if value > 0 else (value - 1, value + 1)


def episodes(env: Environment, level: jax.Array) -> jax.Array:
    """All that is seen of some episodes of random actions, [episodes, steps, numbers]."""

    def episode(key: jax.Array) -> jax.Array:
        key_reset, key_steps = jax.random.split(key)
        state, _ = env.reset(key_reset, env.generate(key, level))

        def step(carry, key):
            state, over = carry
            key_action, key_step = jax.random.split(key)
            state, timestep = env.step(key_step, level, state, env.action_space.sample(key_action))
            leaves = jax.tree.leaves((timestep.obs, timestep.reward, timestep.terminated))
            seen = jnp.concatenate([leaf.astype(jnp.float32).ravel() for leaf in leaves])
            return (state, over | timestep.terminated), jnp.where(over, 0, seen)

        start = state, jnp.bool_(False)
        return jax.lax.scan(step, start, jax.random.split(key_steps, NUM_STEPS))[1]

    return jax.vmap(episode)(jax.random.split(jax.random.key(0), NUM_EPISODES))


def ends(space: Box, published: np.ndarray) -> Iterator[np.ndarray]:
    """For every axis the two levels [2, dims] in which it alone is at its bounds."""
    for axis, bounds in enumerate(zip(space.low, space.high)):
        levels = np.tile(published, (2, 1))
        levels[:, axis] = bounds
        yield levels


def differences(space: Box, seen: np.ndarray) -> Felt:
    """From what is seen of the published level and of both ends of each axis, [1 + 2 dims, ...]."""
    apart = np.abs(seen[1:] - seen[:1]).reshape(space.dims, -1).max(axis=1)
    return {
        name: float(f"{number:.3g}") if np.isfinite(number) else "not finite"
        for name, number in zip(space.names, apart)
    }


if __name__ == "__main__":
    main()
