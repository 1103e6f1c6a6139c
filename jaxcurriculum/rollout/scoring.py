"""From steps to records of episodes; an episode's sums survive the end of a round."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.records import CriticScores, Critique, Episodes
from jaxcurriculum.roles import Environment
from jaxcurriculum.rollout.collect import Rollout


class CriticTally(struct.PyTreeNode):
    """Sums over the steps of the episodes under way, [num_envs] each."""

    discounted: jax.Array  # discount^t reward_t
    initial_value: jax.Array
    value: jax.Array
    positive_advantage: jax.Array
    absolute_advantage: jax.Array
    advantage: jax.Array


class Tally(struct.PyTreeNode):
    """Sums over the steps of the episodes under way, one an environment."""

    length: jax.Array  # [num_envs], float32 (whole numbers), environment steps
    returns: jax.Array  # [num_envs], sum of rewards
    critic: CriticTally | None  # None: the learner has no critic


def init_tally(num_envs: int, has_critic: bool) -> Tally:
    """The sums of episodes that have not begun."""
    zero = jnp.zeros((num_envs,), jnp.float32)
    critic = CriticTally(zero, zero, zero, zero, zero, zero) if has_critic else None
    return Tally(length=zero, returns=zero, critic=critic)


def score_episodes(
    env: Environment,
    rollout: Rollout,
    tally: Tally,
    critique: Critique | None,
    most_each: int | None = None,
) -> tuple[Tally, Episodes, jax.Array]:
    """The episodes that ended in a round, in the order of ending.

    Args:
      tally: of the episodes under way when the round began.
      critique: what the critic thinks of the round's steps; None where there is none.
      most_each: how many episodes of one environment are recorded; None: all while there is room.

    Returns:
      the tally at the end of the round, Episodes with pool_size + num_envs slots, and how many
          episodes found no slot.
    """
    experience, table = rollout.experience, rollout.table
    over = experience.terminated | experience.truncated

    def step(tally, inputs):
        reward, over, values_and_advantages = inputs
        total = _add(tally, reward, critique, values_and_advantages)
        return jax.tree.map(lambda leaf: jnp.where(over, 0, leaf), total), total

    steps = () if critique is None else (critique.values, critique.advantages)
    tally, totals = jax.lax.scan(step, tally, (experience.reward, over, steps))
    slots = table.proposals.seeds.shape[0]
    recorded = over if most_each is None else over & (jnp.cumsum(over, axis=0) <= most_each)
    num_recorded = jnp.minimum(jnp.sum(recorded), slots)
    index = jnp.nonzero(recorded.reshape(-1), size=slots, fill_value=0)[0]
    ended = jax.tree.map(lambda leaf: leaf.reshape(-1)[index], totals)
    proposals = tree.take(table.proposals, rollout.row.reshape(-1)[index])
    episodes = Episodes.of(
        proposals,
        ended.returns,
        ended.returns > env.solved_above,
        lengths=ended.length.astype(jnp.int32),
        valid=jnp.arange(slots) < num_recorded,
        critic=None if critique is None else _averages(ended),
    )
    return tally, episodes, (jnp.sum(over) - num_recorded).astype(jnp.int32)


def _add(tally: Tally, reward: jax.Array, critique: Critique | None, step: tuple) -> Tally:
    """The sums with one more step, whose value and advantage are `step`."""
    critic = tally.critic
    if critique is not None and critic is not None:
        value, advantage = step
        critic = CriticTally(
            discounted=critic.discounted + critique.discount**tally.length * reward,
            initial_value=jnp.where(tally.length == 0, value, critic.initial_value),
            value=critic.value + value,
            positive_advantage=critic.positive_advantage + jnp.maximum(advantage, 0),
            absolute_advantage=critic.absolute_advantage + jnp.abs(advantage),
            advantage=critic.advantage + advantage,
        )
    return Tally(length=tally.length + 1, returns=tally.returns + reward, critic=critic)


def _averages(ended: Tally) -> CriticScores:
    critic, steps = ended.critic, jnp.maximum(ended.length, 1)
    assert critic is not None
    return CriticScores(
        discounted_returns=critic.discounted,
        initial_value=critic.initial_value,
        mean_value=critic.value / steps,
        positive_value_loss=critic.positive_advantage / steps,
        l1_value_loss=critic.absolute_advantage / steps,
        signed_gae=critic.advantage / steps,
    )
