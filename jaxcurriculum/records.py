"""The records that environments, students and teachers exchange.

Three words are kept apart everywhere: a *task* is what a teacher chooses (a point in a space of
parameters), a *level* is one concrete world made from a task and a seed (read-only), an *episode*
is one attempt at a level.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

PyTree = Any
Key = jax.Array  # a typed key, `jax.random.key(0)`


class TimeStep(struct.PyTreeNode):
    """What an environment shows after `reset` or `step`.

    `obs` is the true last observation when the episode ends.
    """

    obs: PyTree
    reward: jax.Array  # [], the reward of the step that led here (0 after reset)
    terminated: jax.Array  # [], bool: the episode is over and what follows is worth 0
    truncated: jax.Array  # [], bool: the episode is cut here, but its value goes on


class Proposals(struct.PyTreeNode):
    """The tasks that a teacher offers for one round, every field with leading axis `num`.

    `level_key(seed)` and the task together make the level, so a proposal that is repeated with its
    seed is the same level.
    """

    tasks: PyTree  # [num, ...]
    seeds: jax.Array  # [num], uint32
    origin: jax.Array  # [num], int32: the teacher's own tag, returned unchanged with the episode
    weight: jax.Array  # [num], float32: multiplies the gradient; 0 = roll out and score only


class Experience(struct.PyTreeNode):
    """What a learner learns from: one round of steps, fields with leading axes [num_steps, num]."""

    obs: PyTree
    next_obs: PyTree  # the true next observation, also at the end of an episode
    action: PyTree
    extras: PyTree  # what the policy said beside the action
    reward: jax.Array
    terminated: jax.Array  # bool
    truncated: jax.Array  # bool
    first: jax.Array  # bool: the observation is the first one of an episode
    weight: jax.Array  # of the proposal that is played
    memory: PyTree  # [num, ...], the policy's memory before the first step; () where it has none


class Critique(struct.PyTreeNode):
    """What a learner's critic thinks of a round of steps, in units of the raw return."""

    values: jax.Array  # [num_steps, num], of the observations
    advantages: jax.Array  # [num_steps, num]
    discount: jax.Array  # [], per step


class CriticScores(struct.PyTreeNode):
    """What a critic thinks of episodes, averaged over their steps, in units of the raw return.

    Every field has the leading axis `num` of the episodes. Teachers take an episode whose score is
    not finite as one without.
    """

    discounted_returns: jax.Array  # [num], sum of discount^t reward_t
    initial_value: jax.Array  # [num], the value of the first observation
    mean_value: jax.Array  # [num]
    positive_value_loss: jax.Array  # [num], mean of max(0, advantage)
    l1_value_loss: jax.Array  # [num], mean of |advantage|
    signed_gae: jax.Array  # [num], mean advantage


class Episodes(struct.PyTreeNode):
    """How a batch of episodes went, in the order in which they ended, with leading axis `num`.

    Where `valid` is false the slot holds nothing and may hold nan: mask with `jnp.where`, never
    with a product. To teachers an episode whose return is nan, infinite or beyond 1e15 in size is
    as if it were not there.
    """

    tasks: PyTree  # [num, ...]
    seeds: jax.Array  # [num], uint32
    origin: jax.Array  # [num], int32
    learner: jax.Array  # [num], int32: who played it, in a population; else 0
    returns: jax.Array  # [num], undiscounted sum of rewards
    lengths: jax.Array  # [num], int32, environment steps
    solved: jax.Array  # [num], bool
    valid: jax.Array  # [num], bool
    critic: CriticScores | None = None  # None: the student has no critic

    @classmethod
    def of(cls, proposals: Proposals, returns: jax.Array, solved: jax.Array, **others) -> Episodes:
        """One episode for each of `proposals`, in their order, valid and one step long.

        `others` may say something else; returns and solved are [num].

        >>> proposals = fresh_proposals(jax.random.key(0), jnp.zeros((2, 1)))
        >>> episodes = Episodes.of(proposals, jnp.array([0.5, 1.0]), jnp.array([False, True]))
        >>> episodes.lengths.tolist(), episodes.valid.tolist(), episodes.critic
        ([1, 1], [True, True], None)
        """
        num = returns.shape
        known = {
            "tasks": proposals.tasks,
            "seeds": proposals.seeds,
            "origin": proposals.origin,
            "learner": jnp.zeros(num, jnp.int32),
            "lengths": jnp.ones(num, jnp.int32),
            "valid": jnp.ones(num, bool),
        }
        return cls(returns=returns, solved=solved, **(known | others))


def strong(tree: PyTree) -> PyTree:
    """`tree` with a fixed dtype for every leaf.

    A Python number, or an array made of nothing else, is weakly typed: what it is computed with
    decides its dtype, and a loop that carries it is compiled again when that happens.

    >>> jax.typeof(strong({"speed": 0.5})["speed"])
    ShapedArray(float32[])
    """

    def fixed(leaf: Any) -> Any:
        return jnp.asarray(leaf, jnp.result_type(leaf)) if jax.typeof(leaf).weak_type else leaf

    return jax.tree.map(fixed, tree)


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


def attempts(tasks: PyTree, seeds: jax.Array, num_episodes: int) -> Proposals:
    """`num_episodes` attempts in a row at each of `tasks` ([num, ...]) and `seeds`, to score."""
    asked = (tasks, seeds)
    tasks, seeds = jax.tree.map(lambda leaf: jnp.repeat(leaf, num_episodes, axis=0), asked)
    return Proposals(
        tasks=tasks,
        seeds=seeds,
        origin=jnp.zeros(seeds.shape, jnp.int32),
        weight=jnp.zeros(seeds.shape, jnp.float32),
    )
