"""A pool of levels: a fresh task for every episode, and nothing generated inside the step.

Once a round the proposed levels and their start states are made in one batch. With the levels still
in use they form a table of num_envs + pool_size rows that stands outside the scan's carry; an
environment holds its row. One that ends takes the next row of the pool by its rank among those that
end (`cumsum`), by a gather.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, field
from jaxcurriculum.records import Key, Proposals, PyTree, level_key
from jaxcurriculum.roles import Environment


@dataclasses.dataclass(frozen=True, kw_only=True)
class RolloutConfig(Config):
    """Sizes of one round of experience, and how environments are given their levels."""

    num_envs: int = field(256, low=1, help="environments stepped together")
    num_steps: int = field(128, low=1, help="steps of each environment a round")
    pool_size: int = field(
        512,
        low=1,
        help="proposals a round; used again from the top when it runs out (counted as pool_wraps)",
    )
    episodes_per_task: int = field(1, low=1, help="attempts in a row at each proposal")
    assign: Literal["pool", "slot"] = field(
        "pool",
        help=(
            "pool: the next proposal to whoever ends first; slot: environment i repeats proposal i"
            " all round, and its first two episodes are recorded"
        ),
    )
    carry: bool = field(
        True,
        help="episodes still running at the end of a round go on in the next, else are dropped",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.assign == "slot" and self.pool_size != self.num_envs:
            raise ValueError(
                'RolloutConfig.pool_size must equal num_envs when assign="slot", got'
                f" {self.pool_size} for {self.num_envs} environments."
            )

    @property
    def most_records_each(self) -> int | None:
        """How many episodes of one environment a round records; None: those that end first.

        Where each environment has a level of its own, quick ones would leave no room for the rest.
        """
        return (self.num_envs + self.pool_size) // self.num_envs if self.assign == "slot" else None


class Table(struct.PyTreeNode):
    """Levels in use and proposed, rows [num_envs + pool_size]; start states of the pool's rows."""

    levels: PyTree
    proposals: Proposals
    start_state: PyTree  # [pool_size, ...]
    start_obs: PyTree  # [pool_size, ...]


class Seats(struct.PyTreeNode):
    """Who plays what: of each environment the row of its level, its state and what it sees."""

    row: jax.Array  # [num_envs], int32
    env_state: PyTree  # the batch lies on the environment's `batch_axis`
    obs: PyTree  # [num_envs, ...]
    num_starts: jax.Array  # [], int32, episodes begun in this round


def make_table(
    key: Key, env: Environment, levels: PyTree, held: Proposals, proposals: Proposals
) -> Table:
    """Generate and reset every proposed level, and put them below the levels in use."""
    make = jax.vmap(lambda seed, task: env.generate(level_key(seed), task))
    new = make(proposals.seeds, proposals.tasks)
    keys = jax.random.split(key, proposals.seeds.shape[0])
    start_state, timestep = jax.vmap(env.reset)(keys, new)

    def stack(above: PyTree, below: PyTree) -> PyTree:
        return jax.tree.map(lambda x, y: jnp.concatenate([x, y]), above, below)

    return Table(
        levels=stack(levels, new),
        proposals=stack(held, proposals),
        start_state=start_state,
        start_obs=timestep.obs,
    )


def start_next(
    config: RolloutConfig, batch_axis: int, table: Table, ended: jax.Array, seats: Seats
) -> Seats:
    """Give every environment that has `ended` ([num_envs] bool) the next row of the pool.

    States with the batch last lie where a processor's vectors do: then a choice between two costs
    next to nothing, and environments that work on a batch in this order need no transposition.
    """
    if config.assign == "slot":
        entry = jnp.arange(config.num_envs)
    else:
        place = (seats.num_starts + jnp.cumsum(ended) - 1) // config.episodes_per_task
        entry = place % config.pool_size

    def fetch(leaf: jax.Array) -> jax.Array:
        return leaf.at[entry].get(mode="promise_in_bounds")

    start_state, start_obs = jax.tree.map(fetch, (table.start_state, table.start_obs))
    start_state = tree.move_axis(start_state, 0, batch_axis)
    return Seats(
        row=jnp.where(ended, config.num_envs + entry, seats.row),
        env_state=tree.where(ended, start_state, seats.env_state, batch_axis),
        obs=tree.where(ended, start_obs, seats.obs),
        num_starts=seats.num_starts + jnp.sum(ended),
    )


def pool_counts(config: RolloutConfig, num_starts: jax.Array) -> dict[str, jax.Array]:
    """How often the pool was used again from the top, and episodes that started on a used row."""
    if config.assign == "slot":  # every environment repeats its level by intent
        return {"pool_wraps": jnp.int32(0), "repeated_starts": jnp.int32(0)}
    capacity = config.pool_size * config.episodes_per_task
    wraps = jnp.maximum(num_starts - 1, 0) // capacity
    return {
        "pool_wraps": wraps.astype(jnp.int32),
        "repeated_starts": jnp.maximum(num_starts - capacity, 0).astype(jnp.int32),
    }
