"""The records that environments, students and teachers exchange.

Three words are kept apart everywhere: a *task* is what a teacher chooses (a point in a space of parameters), a *level* is one
concrete world made from a task and a seed (read-only), an *episode* is one attempt at a level.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

PyTree = Any
Key = jax.Array  # a typed key, `jax.random.key(0)`


class TimeStep(struct.PyTreeNode):
    """What an environment shows after `reset` or `step`; `obs` is the true last observation when the episode ends."""

    obs: jax.Array  # [obs_dim], float32
    reward: jax.Array  # [], the reward of the step that led here (0 after reset)
    terminated: jax.Array  # [], bool: the episode is over and what follows is worth 0
    truncated: jax.Array  # [], bool: the episode is cut here, but its value goes on (bootstrap from `obs`)


class Proposals(struct.PyTreeNode):
    """The tasks that a teacher offers for one round, every field with leading axis `num`.

    `level_key(seed)` and the task together make the level, so a proposal that is repeated with its seed is the same level.
    """

    tasks: PyTree  # [num, ...]
    seeds: jax.Array  # [num], uint32
    origin: jax.Array  # [num], int32: the teacher's own tag, returned unchanged with the episode
    weight: jax.Array  # [num], float32: multiplies the student's gradient; 0 = roll out and score only


class Episodes(struct.PyTreeNode):
    """How a batch of episodes went, in the order in which they ended, every field with leading axis `num`.

    Where `valid` is false the slot holds nothing and may hold nan: mask with `jnp.where`, never with a product. A field that a
    student cannot give is nan. Value fields are averages over the episode's steps, in units of the raw return. To teachers an
    episode whose return is nan, infinite or beyond 1e15 in size is as if it were not there.
    """

    tasks: PyTree  # [num, ...]
    seeds: jax.Array  # [num], uint32
    origin: jax.Array  # [num], int32
    returns: jax.Array  # [num], undiscounted sum of rewards
    discounted_returns: jax.Array  # [num], sum of discount^t reward_t
    lengths: jax.Array  # [num], int32, environment steps
    solved: jax.Array  # [num], bool
    initial_value: jax.Array  # [num], the critic's value of the first observation
    mean_value: jax.Array  # [num]
    positive_value_loss: jax.Array  # [num], mean of max(0, advantage)
    l1_value_loss: jax.Array  # [num], mean of |advantage|
    signed_gae: jax.Array  # [num], mean advantage
    valid: jax.Array  # [num], bool


def strong(tree: PyTree) -> PyTree:
    """`tree` with a fixed dtype for every leaf.

    A Python number, or an array made of nothing else, is weakly typed: what it is computed with decides
    its dtype, and a loop that carries it is compiled again when that happens.

    >>> jax.typeof(strong({"speed": 0.5})["speed"])
    ShapedArray(float32[])
    """
    fixed = lambda leaf: jnp.asarray(leaf, jnp.result_type(leaf))
    return jax.tree.map(lambda leaf: fixed(leaf) if jax.typeof(leaf).weak_type else leaf, tree)


def level_key(seed: jax.Array) -> Key:
    """The random key that, with a task, makes the level of `seed` ([] uint32)."""
    return jax.random.key(seed)


def random_seeds(key: Key, num: int) -> jax.Array:
    """`num` level seeds, uniform over all uint32."""
    return jax.random.bits(key, (num,), jnp.uint32)


def fresh_proposals(key: Key, tasks: PyTree) -> Proposals:
    """Proposals for `tasks` ([num, ...]) with fresh level seeds, origin 0 and full weight."""
    num = jax.tree.leaves(tasks)[0].shape[0]
    return Proposals(
        tasks=tasks,
        seeds=random_seeds(key, num),
        origin=jnp.zeros((num,), jnp.int32),
        weight=jnp.ones((num,), jnp.float32),
    )
