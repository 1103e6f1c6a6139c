"""Batched stepping: every environment plays its level for a number of steps."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.records import Experience, Key, Proposals, PyTree
from jaxcurriculum.roles import Environment
from jaxcurriculum.rollout.pool import (
    RolloutConfig,
    Seats,
    Table,
    make_table,
    pool_counts,
    start_next,
)

# (key, memory, obs [num, ...], first [num]) -> (memory, action, extras of the experience)
Policy = Callable[[Key, PyTree, PyTree, jax.Array], tuple[PyTree, PyTree, PyTree]]


class RolloutState(struct.PyTreeNode):
    """What the next round needs of this one, every field with leading axis `num_envs`."""

    levels: PyTree
    proposals: Proposals  # the task, seed, origin and weight of the level in use
    env_state: PyTree
    obs: PyTree
    length: jax.Array  # [num_envs], int32, steps of the episode under way
    over: jax.Array  # [num_envs], bool: no episode is under way
    memory: PyTree  # the policy's


class Rollout(struct.PyTreeNode):
    """A round of steps, and which levels they were played on."""

    experience: Experience
    row: jax.Array  # [num_steps, num_envs], int32, row of the table
    table: Table
    counts: dict[str, jax.Array]  # of the use of the pool


def init_rollout(env: Environment, num_envs: int, memory: PyTree) -> RolloutState:
    """A state in which no episode is under way: the first round starts them all."""
    key = jax.eval_shape(lambda: jax.random.key(0))
    task = jax.eval_shape(env.task_space.sample, key)
    level = jax.eval_shape(env.generate, key, task)
    state, timestep = jax.eval_shape(env.reset, key, level)
    none = jnp.zeros((num_envs,), jnp.int32)
    return RolloutState(
        levels=tree.blank(level, num_envs),
        proposals=Proposals(
            tasks=tree.blank(task, num_envs),
            seeds=none.astype(jnp.uint32),
            origin=none,
            weight=none.astype(jnp.float32),
        ),
        env_state=tree.blank(state, num_envs),
        obs=tree.blank(timestep.obs, num_envs),
        length=none,
        over=jnp.ones((num_envs,), bool),
        memory=memory,
    )


def collect(
    key: Key,
    env: Environment,
    config: RolloutConfig,
    state: RolloutState,
    proposals: Proposals,
    policy: Policy,
) -> tuple[RolloutState, Rollout]:
    """Step every environment `num_steps` times on the levels of `proposals`."""
    key_table, key_scan = jax.random.split(key)
    num_envs, axis = config.num_envs, env.batch_axis
    table = make_table(key_table, env, state.levels, state.proposals, proposals)
    env_step = jax.vmap(env.step, in_axes=(0, 0, axis, 0), out_axes=(axis, 0))

    def step(carry, key):
        seats, length, first, memory = carry
        key_act, key_step = jax.random.split(key)
        memory, action, extras = policy(key_act, memory, seats.obs, first)
        env_state, timestep = env_step(
            jax.random.split(key_step, num_envs),
            tree.take(table.levels, seats.row),
            seats.env_state,
            jax.vmap(env.action_space.clip)(action),
        )
        is_last = length + 1 >= env.max_episode_steps
        truncated = ~timestep.terminated & (timestep.truncated | is_last)
        over = timestep.terminated | truncated
        experience = Experience(
            obs=seats.obs,
            next_obs=timestep.obs,
            action=action,
            extras=extras,
            reward=timestep.reward,
            terminated=timestep.terminated,
            truncated=truncated,
            first=first,
            weight=table.proposals.weight[seats.row],
            memory=(),
        )
        row = seats.row
        seats = seats.replace(env_state=env_state, obs=timestep.obs)
        seats = start_next(config, axis, table, over, seats)
        return (seats, jnp.where(over, 0, length + 1), over, memory), (experience, row)

    over = state.over if config.carry else jnp.ones_like(state.over)
    length = jnp.where(over, 0, state.length)
    seats = Seats(
        row=jnp.arange(num_envs),
        env_state=tree.move_axis(state.env_state, 0, axis),
        obs=state.obs,
        num_starts=jnp.int32(0),
    )
    seats = start_next(config, axis, table, over, seats)
    start = (seats, length, length == 0, state.memory)
    keys = jax.random.split(key_scan, config.num_steps)
    (seats, length, _, memory), (experience, row) = jax.lax.scan(step, start, keys)
    levels, held = tree.take((table.levels, table.proposals), seats.row)
    state = RolloutState(
        levels=levels,
        proposals=held,
        env_state=tree.move_axis(seats.env_state, axis, 0),
        obs=seats.obs,
        length=length,
        over=jnp.zeros_like(over),
        memory=memory,
    )
    experience = experience.replace(memory=start[-1])
    counts = pool_counts(config, seats.num_starts)
    return state, Rollout(experience=experience, row=row, table=table, counts=counts)
