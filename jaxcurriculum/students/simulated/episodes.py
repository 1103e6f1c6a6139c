"""Records of simulated episodes: one step long, with a return, and nothing of what only a critic could give."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes, Proposals, PyTree


def of_proposals(proposals: Proposals, returns: jax.Array, solved: jax.Array) -> Episodes:
    """The episodes of a round in which every proposal was practised once, in their order; returns, solved are [num].

    >>> from jaxcurriculum.records import fresh_proposals
    >>> proposals = fresh_proposals(jax.random.key(0), jnp.zeros((2, 1)))
    >>> episodes = of_proposals(proposals, jnp.array([0.5, 1.0]), jnp.array([False, True]))
    >>> episodes.returns.tolist(), episodes.lengths.tolist(), episodes.mean_value.tolist()
    ([0.5, 1.0], [1, 1], [nan, nan])
    """
    unknown = jnp.full(returns.shape, jnp.nan, jnp.float32)
    return Episodes(
        tasks=proposals.tasks,
        seeds=proposals.seeds,
        origin=proposals.origin,
        returns=returns,
        discounted_returns=unknown,
        lengths=jnp.ones(returns.shape, jnp.int32),
        solved=solved,
        initial_value=unknown,
        mean_value=unknown,
        positive_value_loss=unknown,
        l1_value_loss=unknown,
        signed_gae=unknown,
        valid=jnp.ones(returns.shape, bool),
    )


def attempts(tasks: PyTree, seeds: jax.Array, num_episodes: int) -> Proposals:
    """Each of `tasks` ([num, ...]) and `seeds` ([num]) `num_episodes` times in a row, without any weight: to score only."""
    repeat = lambda leaf: jnp.repeat(leaf, num_episodes, axis=0)
    seeds = repeat(seeds)
    blank = jnp.zeros(seeds.shape, jnp.int32)
    return Proposals(tasks=jax.tree.map(repeat, tasks), seeds=seeds, origin=blank, weight=blank.astype(jnp.float32))
