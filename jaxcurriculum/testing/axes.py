"""Which axes of a task change what happens.

An axis to which a world does not react makes every curriculum over it void, and nothing fails: a
mass that some other constant was derived from long ago, a field that one physics engine of three
reads. So pairs of episodes are played, with the same random numbers and the same actions, of which
one has its task moved along one axis by half of its range.

What happens is the rewards, the ends, and those entries of the observation that change within an
episode. An entry that stays as it was at the start, in all episodes, only tells the task, as where
the task is appended to what is seen; so it counts for nothing. What follows an end does not count
either, nor a pair whose unmoved copy does not repeat.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.checks import check_environment
from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.records import Key, PyTree, TimeStep, level_key
from jaxcurriculum.roles import Environment, strong_environment
from jaxcurriculum.spaces import Box
from jaxcurriculum.testing.compiling import quick_jit

NUM_STEPS = 50
NUM_TASKS = 64
KEEP = 0.9  # probability that an action is kept, in every other episode: some worlds are slow
TOLERANCE = 1e-5  # of numbers that are taken for equal, relative from 1 on


def check_axes(env: Environment, num_steps: int = NUM_STEPS, num_tasks: int = NUM_TASKS) -> None:
    """Play an environment on random tasks, each moved along every axis, and compare.

    Args:
      num_steps: how long an episode is; a world where what the task says comes late needs more.
      num_tasks: pairs of episodes an axis.

    Raises:
      ValueError: naming the axes that change nothing, or where the environment breaks its contract
        (`check_environment`).
      TypeError: when it is no environment, or its tasks have no axes.
    """
    ignored = ignored_axes(env, num_steps, num_tasks)
    if ignored:
        raise ValueError(
            f"Environment {env.name!r} ignores {', '.join(ignored)}: within {num_steps} random"
            f" steps of {num_tasks} tasks it changed nothing but what tells the task."
        )


def ignored_axes(
    env: Environment, num_steps: int = NUM_STEPS, num_tasks: int = NUM_TASKS
) -> tuple[str, ...]:
    """The names of the axes that `check_axes` refuses; one without width is none.

    >>> from jaxcurriculum import envs
    >>> ignored_axes(envs.cart_pole(["mass_cart", "force"], as_published=True))
    ('mass_cart',)
    """
    check_kind("env", env, Environment)
    check_environment(env)
    env, space = strong_environment(env), env.task_space
    if not isinstance(space, Box):
        kind = type(space).__name__
        raise TypeError(f"Environment {env.name!r}: task_space must be a Box, got a {kind}.")
    for name, value in (("num_steps", num_steps), ("num_tasks", num_tasks)):
        if not is_integer(value, 1):
            raise ValueError(f"{name} must be a positive integer, got {value!r}.")

    def play(key: Key, task: jax.Array, keep: jax.Array) -> TimeStep:
        return _episode(env, num_steps, key, task, keep)

    def compare(key: Key) -> jax.Array:
        keys, keys_tasks = jax.random.split(key, (2, num_tasks))
        tasks = jax.vmap(space.sample)(keys_tasks)
        moved = jax.vmap(lambda task: _moved(space, task))(tasks)  # [num_tasks, 2 + axes, axes]
        keep = KEEP * (jnp.arange(num_tasks) % 2)
        played = jax.vmap(jax.vmap(play, (None, 0, None)))(keys, moved, keep)
        differs = _differs(played)
        return jnp.any(differs[:, 2:] & ~differs[:, 1:2], axis=0)

    changes = np.asarray(quick_jit(compare)(jax.random.key(0)))
    return tuple(np.array(space.names)[space.has_width & ~changes].tolist())


def _moved(space: Box, task: jax.Array) -> jax.Array:
    """The task twice, then moved along each axis by half of its range, [2 + axes, axes]."""
    turned = space.from_unit((space.to_unit(task) + 0.5) % 1.0)
    moved = jnp.where(jnp.eye(space.dims, dtype=bool), turned[None], task[None])
    return jnp.concatenate([jnp.stack([task, task]), moved])


def _episode(env: Environment, num_steps: int, key: Key, task: jax.Array, keep) -> TimeStep:
    """All time steps of an episode of random actions, from its start on, [1 + num_steps, ...]."""
    key_level, key_reset, key_action, key_steps = jax.random.split(key, 4)
    level = env.generate(level_key(jax.random.bits(key_level)), task)
    state, first = env.reset(key_reset, level)

    def step(carry: tuple[PyTree, PyTree], key: Key):
        state, last = carry
        key_kept, key_action, key_step = jax.random.split(key, 3)
        kept = jax.random.bernoulli(key_kept, keep)
        new = env.action_space.sample(key_action)
        action = jax.tree.map(functools.partial(jnp.where, kept), last, new)
        state, timestep = env.step(key_step, level, state, action)
        return (state, action), timestep

    start = state, env.action_space.sample(key_action)
    _, later = jax.lax.scan(step, start, jax.random.split(key_steps, num_steps))
    return jax.tree.map(lambda one, rest: jnp.insert(rest, 0, one, axis=0), first, later)


def _differs(played: TimeStep) -> jax.Array:
    """Which episodes differ from the first one of their task, [num_tasks, 2 + axes]."""
    ends = played.terminated | played.truncated
    ended_before = jnp.cumsum(ends, axis=2) > ends
    counts = ~ended_before & ~ended_before[:, :1]
    same = jnp.ones(counts.shape, bool)
    for leaf in jax.tree.leaves(played):
        numbers = leaf.astype(jnp.float32).reshape(*counts.shape, -1)
        varies = jnp.any(numbers != numbers[:, :, :1], axis=(0, 1, 2), keepdims=True)
        base = numbers[:, :1]
        close = jnp.isclose(numbers, base, rtol=TOLERANCE, atol=TOLERANCE, equal_nan=True)
        same &= jnp.all(close | ~varies, axis=-1)
    return jnp.any(counts & ~same, axis=2)
