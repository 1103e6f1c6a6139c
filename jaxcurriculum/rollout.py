"""Batched stepping with a pool of levels: a fresh task for every episode, and nothing generated inside the step.

Once a round the proposed levels and their start states are made in one batch. With the levels still in use they form a table of
num_envs + pool_size rows that stands outside the scan's carry; an environment holds its row. One that ends takes the next row of
the pool by its rank among those that end (`cumsum`), by a gather.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct
from jax.typing import ArrayLike

from jaxcurriculum.fields import check_integers
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, level_key
from jaxcurriculum.roles import Environment

Policy = Callable[[Key, jax.Array], tuple[jax.Array, PyTree]]  # (key, obs [n, obs_dim]) -> (actions [n, ...], extras of the trajectory)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RolloutConfig:
    """Sizes of one round of experience, and how environments are given their levels."""

    num_envs: int = 256  # environments stepped together
    num_steps: int = 128  # steps of each environment a round
    pool_size: int = 512  # proposals a round; used again from the top when it runs out (reported as pool_wraps)
    episodes_per_task: int = 1  # attempts in a row at each proposal
    assign: str = "pool"  # "pool": the next proposal to whoever ends first; "slot": environment i repeats proposal i all round
    carry: bool = True  # episodes still running at the end of a round go on in the next (False: they are dropped)

    def __post_init__(self):
        check_integers(self, num_envs=1, num_steps=1, pool_size=1, episodes_per_task=1)
        if self.assign not in ("pool", "slot"):
            raise ValueError(f'RolloutConfig.assign must be "pool" or "slot", got {self.assign!r}.')
        if self.assign == "slot" and self.pool_size != self.num_envs:
            raise ValueError(
                f'RolloutConfig.pool_size must equal num_envs when assign="slot", got {self.pool_size} for {self.num_envs} environments.'
            )


class EpisodeSums(struct.PyTreeNode):
    """Running sums of the episodes under way, one an environment; they survive the end of a round."""

    length: jax.Array  # [n], float32 (whole numbers), environment steps
    returns: jax.Array  # [n], sum of rewards
    discounted: jax.Array  # [n], sum of discount^t reward_t
    initial_value: jax.Array  # [n]
    value: jax.Array  # [n], sum of values
    positive_advantage: jax.Array  # [n]
    absolute_advantage: jax.Array  # [n]
    advantage: jax.Array  # [n]


class RolloutState(struct.PyTreeNode):
    """What the next round needs of this one, every field with leading axis `num_envs`."""

    levels: PyTree
    proposals: Proposals  # the task, seed, origin and weight of the level in use
    env_state: PyTree
    obs: jax.Array  # [n, obs_dim]
    sums: EpisodeSums
    over: jax.Array  # [n], bool: no episode is under way


class Trajectory(struct.PyTreeNode):
    """One round of experience, every field with leading axes [num_steps, num_envs]."""

    obs: jax.Array  # [..., obs_dim]
    next_obs: jax.Array  # [..., obs_dim], the true next observation, also at the end of an episode
    action: jax.Array
    extras: PyTree  # what the policy said beside the action
    reward: jax.Array
    terminated: jax.Array  # bool
    truncated: jax.Array  # bool
    row: jax.Array  # int32, row of the table of proposals


class Table(struct.PyTreeNode):
    """Levels in use and proposed, rows [num_envs + pool_size]; start states for the pool's rows only."""

    levels: PyTree
    proposals: Proposals
    start_state: PyTree  # [pool_size, ...]
    start_obs: jax.Array  # [pool_size, obs_dim]


def init_rollout(env: Environment, num_envs: int) -> RolloutState:
    """A state in which no episode is under way: the first round starts them all."""
    key, task = jax.eval_shape(lambda: jax.random.key(0)), jax.eval_shape(env.task_space.sample, jax.random.key(0))
    level = jax.eval_shape(env.generate, key, task)
    state, timestep = jax.eval_shape(env.reset, key, level)
    blank = lambda tree: jax.tree.map(lambda leaf: jnp.zeros((num_envs, *leaf.shape), leaf.dtype), tree)
    zero = jnp.zeros((num_envs,), jnp.float32)
    return RolloutState(
        levels=blank(level),
        proposals=Proposals(
            tasks=blank(task), seeds=jnp.zeros((num_envs,), jnp.uint32), origin=jnp.zeros((num_envs,), jnp.int32), weight=zero
        ),
        env_state=blank(state),
        obs=blank(timestep.obs),
        sums=EpisodeSums(**{field.name: zero for field in dataclasses.fields(EpisodeSums)}),
        over=jnp.ones((num_envs,), bool),
    )


def make_table(key: Key, env: Environment, state: RolloutState, proposals: Proposals) -> Table:
    """Generate and reset every proposed level, and put them below the levels in use."""
    levels = jax.vmap(lambda seed, task: env.generate(level_key(seed), task))(proposals.seeds, proposals.tasks)
    start_state, timestep = jax.vmap(env.reset)(jax.random.split(key, proposals.seeds.shape[0]), levels)
    stack = lambda a, b: jax.tree.map(lambda x, y: jnp.concatenate([x, y]), a, b)
    return Table(
        levels=stack(state.levels, levels),
        proposals=stack(state.proposals, proposals),
        start_state=start_state,
        start_obs=timestep.obs,
    )


def collect(
    key: Key, env: Environment, config: RolloutConfig, state: RolloutState, proposals: Proposals, policy: Policy
) -> tuple[RolloutState, Trajectory, Table, dict[str, jax.Array]]:
    """Step every environment `num_steps` times.

    Returns:
      the next state (its sums are still those of the episodes under way when the round began: `finished_episodes` brings them up to
      date), the trajectory, the table that its rows refer to, and the counts `pool_wraps` (how often the pool was used again from the
      top) and `repeated_starts` (episodes that started on a used row).
    """
    key_table, key_scan = jax.random.split(key)
    num_envs = config.num_envs
    table = make_table(key_table, env, state, proposals)

    def step(carry, key):
        row, cursor, length, env_state, obs = carry
        key_act, key_step = jax.random.split(key)
        action, extras = policy(key_act, obs)
        level = jax.tree.map(lambda leaf: leaf[row], table.levels)
        env_state, timestep = jax.vmap(env.step, in_axes=(0, 0, -1, 0), out_axes=(-1, 0))(
            jax.random.split(key_step, num_envs), level, env_state, jax.vmap(env.action_space.clip)(action)
        )
        truncated = ~timestep.terminated & (timestep.truncated | (length + 1 >= env.max_episode_steps))
        over = timestep.terminated | truncated
        transition = Trajectory(obs, timestep.obs, action, extras, timestep.reward, timestep.terminated, truncated, row)
        row, cursor, env_state, obs = _start_next(config, table, over, row, cursor, env_state, timestep.obs)
        return (row, cursor, jnp.where(over, 0, length + 1), env_state, obs), transition

    over = state.over if config.carry else jnp.ones_like(state.over)
    sums = jax.tree.map(lambda x: jnp.where(over, 0, x), state.sums)
    env_state = jax.tree.map(lambda x: jnp.moveaxis(x, 0, -1), state.env_state)
    row, cursor, env_state, obs = _start_next(config, table, over, jnp.arange(num_envs), jnp.int32(0), env_state, state.obs)
    start = (row, cursor, sums.length.astype(jnp.int32), env_state, obs)
    (row, cursor, _, env_state, obs), trajectory = jax.lax.scan(step, start, jax.random.split(key_scan, config.num_steps))
    levels, proposals = jax.tree.map(lambda leaf: leaf[row], (table.levels, table.proposals))
    env_state = jax.tree.map(lambda x: jnp.moveaxis(x, -1, 0), env_state)
    state = RolloutState(levels=levels, proposals=proposals, env_state=env_state, obs=obs, sums=sums, over=jnp.zeros_like(over))
    return state, trajectory, table, _pool_counts(config, cursor)


def _start_next(
    config: RolloutConfig, table: Table, over: jax.Array, row: jax.Array, cursor: jax.Array, env_state: PyTree, obs: jax.Array
) -> tuple[jax.Array, jax.Array, PyTree, jax.Array]:
    """Give every environment that is over the next row of the pool and its start state; `cursor` counts the starts of the round.

    States have the batch last, where a processor's vectors lie: then a choice between two costs next to nothing, and environments that
    work on a batch in this order (the walkers) need no transposition a step.
    """
    if config.assign == "slot":
        entry = jnp.arange(config.num_envs)
    else:
        entry = ((cursor + jnp.cumsum(over) - 1) // config.episodes_per_task) % config.pool_size
    start_state, start_obs = jax.tree.map(lambda x: x.at[entry].get(mode="promise_in_bounds"), (table.start_state, table.start_obs))
    begin = lambda new, old: jnp.where(over.reshape(*[1] * (old.ndim - 1), -1), jnp.moveaxis(new, 0, -1), old)
    env_state = jax.tree.map(begin, start_state, env_state)
    obs = jnp.where(over[:, None], start_obs, obs)
    return jnp.where(over, config.num_envs + entry, row), cursor + jnp.sum(over), env_state, obs


def _pool_counts(config: RolloutConfig, num_starts: jax.Array) -> dict[str, jax.Array]:
    if config.assign == "slot":  # every environment repeats its level by intent
        return {"pool_wraps": jnp.int32(0), "repeated_starts": jnp.int32(0)}
    capacity = config.pool_size * config.episodes_per_task
    return {
        "pool_wraps": (jnp.maximum(num_starts - 1, 0) // capacity).astype(jnp.int32),
        "repeated_starts": jnp.maximum(num_starts - capacity, 0).astype(jnp.int32),
    }


def finished_episodes(
    env: Environment, table: Table, trajectory: Trajectory, sums: EpisodeSums, values: jax.Array, advantages: jax.Array, discount: ArrayLike
) -> tuple[EpisodeSums, Episodes, jax.Array]:
    """The episodes that ended in a round, in the order of ending, and the sums of those still under way.

    Args:
      values, advantages: [num_steps, num_envs], in units of the raw return.
      sums: those of the episodes under way when the round began.

    Returns:
      sums at the end of the round, Episodes with pool_size + num_envs slots, and how many episodes found no slot.
    """

    def step(sums, inputs):
        reward, value, advantage, over = inputs
        total = EpisodeSums(
            length=sums.length + 1,
            returns=sums.returns + reward,
            discounted=sums.discounted + discount**sums.length * reward,
            initial_value=jnp.where(sums.length == 0, value, sums.initial_value),
            value=sums.value + value,
            positive_advantage=sums.positive_advantage + jnp.maximum(advantage, 0),
            absolute_advantage=sums.absolute_advantage + jnp.abs(advantage),
            advantage=sums.advantage + advantage,
        )
        return jax.tree.map(lambda x: jnp.where(over, 0, x), total), total

    over = trajectory.terminated | trajectory.truncated
    sums, totals = jax.lax.scan(step, sums, (trajectory.reward, values, advantages, over))
    slots = table.proposals.seeds.shape[0]
    num_over = jnp.sum(over)
    index = jnp.nonzero(over.reshape(-1), size=slots, fill_value=0)[0]
    ended = jax.tree.map(lambda x: x.reshape(-1)[index], totals)
    row = trajectory.row.reshape(-1)[index]
    proposals = jax.tree.map(lambda leaf: leaf[row], table.proposals)
    steps = jnp.maximum(ended.length, 1)
    episodes = Episodes(
        tasks=proposals.tasks,
        seeds=proposals.seeds,
        origin=proposals.origin,
        returns=ended.returns,
        discounted_returns=ended.discounted,
        lengths=ended.length.astype(jnp.int32),
        solved=ended.returns > env.solved_above,
        initial_value=ended.initial_value,
        mean_value=ended.value / steps,
        positive_value_loss=ended.positive_advantage / steps,
        l1_value_loss=ended.absolute_advantage / steps,
        signed_gae=ended.advantage / steps,
        valid=jnp.arange(slots) < num_over,
    )
    return sums, episodes, jnp.maximum(num_over - slots, 0).astype(jnp.int32)


def attempt(key: Key, env: Environment, policy: Policy, tasks: PyTree, seeds: jax.Array, num_episodes: int) -> Episodes:
    """Play `num_episodes` whole episodes on each level (task-major) without learning; value fields are nan."""
    repeat = lambda tree: jax.tree.map(lambda leaf: jnp.repeat(leaf, num_episodes, axis=0), tree)
    tasks, seeds = repeat((tasks, seeds))
    num = seeds.shape[0]
    key_reset, key_steps = jax.random.split(key)
    levels = jax.vmap(lambda seed, task: env.generate(level_key(seed), task))(seeds, tasks)
    env_state, timestep = jax.vmap(env.reset)(jax.random.split(key_reset, num), levels)

    def step(carry):
        time, env_state, obs, returns, lengths, over = carry
        key_act, key_step = jax.random.split(jax.random.fold_in(key_steps, time))
        action, _ = policy(key_act, obs)
        env_state, timestep = jax.vmap(env.step)(
            jax.random.split(key_step, num), levels, env_state, jax.vmap(env.action_space.clip)(action)
        )
        returns = returns + jnp.where(over, 0, timestep.reward)
        lengths = lengths + ~over
        return time + 1, env_state, timestep.obs, returns, lengths, over | timestep.terminated | timestep.truncated

    def unfinished(carry):
        return (carry[0] < env.max_episode_steps) & ~jnp.all(carry[-1])

    start = (jnp.int32(0), env_state, timestep.obs, jnp.zeros((num,), jnp.float32), jnp.zeros((num,), jnp.int32), jnp.zeros((num,), bool))
    _, _, _, returns, lengths, _ = jax.lax.while_loop(unfinished, step, start)
    nan = jnp.full((num,), jnp.nan, jnp.float32)
    return Episodes(
        tasks=tasks,
        seeds=seeds,
        origin=jnp.zeros((num,), jnp.int32),
        returns=returns,
        discounted_returns=nan,
        lengths=lengths,
        solved=returns > env.solved_above,
        initial_value=nan,
        mean_value=nan,
        positive_value_loss=nan,
        l1_value_loss=nan,
        signed_gae=nan,
        valid=jnp.ones((num,), bool),
    )
