"""Whole episodes without learning."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes, Key, PyTree, attempts, level_key
from jaxcurriculum.roles import Environment
from jaxcurriculum.rollout.collect import Policy


def attempt(
    key: Key,
    env: Environment,
    policy: Policy,
    memory: PyTree,
    tasks: PyTree,
    seeds: jax.Array,
    num_episodes: int,
) -> Episodes:
    """Play `num_episodes` whole episodes on each level, task-major.

    Args:
      memory: the policy's before an episode, [num_tasks * num_episodes, ...].
      tasks: [num_tasks, ...].
      seeds: [num_tasks], of their levels.
    """
    asked = attempts(tasks, seeds, num_episodes)
    num = asked.seeds.shape[0]
    key_reset, key_steps = jax.random.split(key)
    make = jax.vmap(lambda seed, task: env.generate(level_key(seed), task))
    levels = make(asked.seeds, asked.tasks)
    env_state, timestep = jax.vmap(env.reset)(jax.random.split(key_reset, num), levels)

    def step(carry):
        time, env_state, obs, memory, returns, lengths, over = carry
        key_act, key_step = jax.random.split(jax.random.fold_in(key_steps, time))
        first = jnp.broadcast_to(time == 0, (num,))
        memory, action, _ = policy(key_act, memory, obs, first)
        action = jax.vmap(env.action_space.clip)(action)
        keys = jax.random.split(key_step, num)
        env_state, timestep = jax.vmap(env.step)(keys, levels, env_state, action)
        returns = returns + jnp.where(over, 0, timestep.reward)
        lengths = lengths + ~over
        over = over | timestep.terminated | timestep.truncated
        return time + 1, env_state, timestep.obs, memory, returns, lengths, over

    def unfinished(carry):
        return (carry[0] < env.max_episode_steps) & ~jnp.all(carry[-1])

    returns = jnp.zeros((num,), jnp.float32)
    lengths = jnp.zeros((num,), jnp.int32)
    over = jnp.zeros((num,), bool)
    start = (jnp.int32(0), env_state, timestep.obs, memory, returns, lengths, over)
    *_, returns, lengths, _ = jax.lax.while_loop(unfinished, step, start)
    return Episodes.of(asked, returns, returns > env.solved_above, lengths=lengths)
