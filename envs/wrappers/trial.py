"""Several attempts at a level as one episode, so that an agent with a memory can learn within it.

With `with_previous` around it this is the world of RL² (Duan et al. 2016, arXiv:1611.02779; Wang et
al. 2016, arXiv:1611.05763): what is remembered survives the end of an attempt, and the return of a
trial is that of all its attempts, so that it pays to explore in the first.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.wrappers.viewer import InnerViewer
from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.records import Key, PyTree, TimeStep, level_key
from jaxcurriculum.roles import Environment, Student


class TrialState(struct.PyTreeNode):
    """The attempt under way, and how those before it went."""

    inner: PyTree  # the state of the world that is tried
    attempt: jax.Array  # [], int32, attempts that are over
    time: jax.Array  # [], int32, steps of the one under way
    returns: jax.Array  # [attempts], of each attempt so far


def trial(env: Environment, attempts: int = 16) -> Environment:
    """A world whose episode is so many `attempts` at one level of `env`.

    An attempt begins in the step in which the one before it ends: that step shows the first
    observation of the new one. The trial is over with its last attempt, and what follows is worth
    nothing. Its return is the sum of theirs, and it is solved when their mean return is above that
    of a solved episode of `env`. Every step also resets `env`, whether that is needed or not.

    Observation: {"obs": that of `env`, "begins": [1], 1 where an attempt begins, "attempt": [1],
    the share of the attempts that are over}.

    Raises:
      ValueError: when `attempts` is not a positive integer.

    >>> from jaxcurriculum.envs import cart_pole
    >>> trial(cart_pole(), attempts=4).max_episode_steps
    2000
    """
    check_kind("trial.env", env, Environment)
    if not is_integer(attempts, 1):
        raise ValueError(f"trial.attempts must be a positive integer, got {attempts!r}.")

    def seen(timestep: TimeStep, obs: PyTree, attempt: jax.Array, begins: jax.Array) -> TimeStep:
        numbers = {"begins": begins, "attempt": attempt / attempts}
        numbers = {name: x.astype(jnp.float32)[None] for name, x in numbers.items()}
        return timestep.replace(obs={"obs": obs, **numbers})

    def reset(key: Key, level: PyTree) -> tuple[TrialState, TimeStep]:
        inner, timestep = env.reset(key, level)
        none = jnp.int32(0)
        state = TrialState(inner, none, none, jnp.zeros((attempts,), jnp.float32))
        return state, seen(timestep, timestep.obs, none, jnp.bool_(True))

    def step(key: Key, level: PyTree, state: TrialState, action: PyTree):
        key_step, key_reset = jax.random.split(key)
        inner, timestep = env.step(key_step, level, state.inner, action)
        time = state.time + 1
        is_last = time >= env.max_episode_steps
        over = timestep.terminated | timestep.truncated | is_last
        attempt = state.attempt + over
        begins = over & (attempt < attempts)
        fresh, start = env.reset(key_reset, level)
        inner, obs = jax.tree.map(
            lambda new, old: jnp.where(begins, new, old), (fresh, start.obs), (inner, timestep.obs)
        )
        returns = state.returns.at[state.attempt].add(timestep.reward)  # none after the last one
        state = TrialState(inner, attempt, jnp.where(over, 0, time), returns)
        timestep = seen(timestep, obs, attempt, begins)
        ends = {"terminated": attempt >= attempts, "truncated": jnp.bool_(False)}
        return state, timestep.replace(**ends)

    scale = env.return_range
    return dataclasses.replace(
        env,
        name=f"{env.name}, {attempts} attempts",
        max_episode_steps=attempts * env.max_episode_steps,
        solved_above=attempts * env.solved_above,
        return_range=scale and (attempts * scale[0], attempts * scale[1]),
        optimal_return=None,  # the first attempts have to find out
        reset=reset,
        step=step,
        viewer=env.viewer and InnerViewer(env.viewer, lambda state, obs: (state.inner, obs["obs"])),
    )


def attempt_returns(
    key: Key,
    student: Student,
    state: PyTree,
    tasks: PyTree,
    seeds: jax.Array,
    deterministic: bool = True,
) -> jax.Array:
    """The return of each attempt of a student that plays trials, [num_tasks, attempts].

    Args:
      state: the student's.
      tasks: [num_tasks, ...].
      seeds: [num_tasks] uint32, of their levels.

    Raises:
      ValueError: when it plays another world.
    """
    env, act, memory = student.environment, student.act, student.memory
    refusal = ValueError(f"attempt_returns: {student.name!r} must play trials (`trial`).")
    if env is None or act is None or memory is None:
        raise refusal
    num = seeds.shape[0]
    key_reset, key_steps = jax.random.split(key)
    levels = jax.vmap(lambda seed, task: env.generate(level_key(seed), task))(seeds, tasks)
    start, timestep = jax.vmap(env.reset)(jax.random.split(key_reset, num), levels)
    if not isinstance(start, TrialState):
        raise refusal

    def step(carry):
        time, env_state, obs, remembered = carry
        key_act, key_step = jax.random.split(jax.random.fold_in(key_steps, time))
        first = jnp.broadcast_to(time == 0, (num,))
        remembered, action = act(key_act, state, remembered, obs, first, deterministic)
        keys = jax.random.split(key_step, num)
        env_state, timestep = jax.vmap(env.step)(keys, levels, env_state, action)
        return time + 1, env_state, timestep.obs, remembered

    def unfinished(carry):
        return jnp.any(carry[1].attempt < start.returns.shape[-1])

    carry = (jnp.int32(0), start, timestep.obs, memory(num))
    return jax.lax.while_loop(unfinished, step, carry)[1].returns
