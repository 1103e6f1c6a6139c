"""Regret: how much better one learner of a population does on a level than another.

Source: M. Dennis, N. Jaques, E. Vinitsky, A. Bayen, S. Russell, A. Critch, S. Levine, "Emergent
complexity and zero-shot transfer via unsupervised environment design", NeurIPS 2020.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes
from jaxcurriculum.teachers.parts.ring import usable


def regret_by_origin(episodes: Episodes, num_origins: int) -> tuple[jax.Array, jax.Array]:
    """The antagonist's best return less the protagonist's mean one, level by level.

        regret(level) = max over episodes of learner 1 of return - mean over those of learner 0

    Episodes are grouped by `origin` (0 to num_origins - 1; others are left out) and `learner`: for
    regret level by level the teacher numbers its proposals in `origin`.

    Returns:
      regret [num_origins], 0 where it is not known, and whether it is, [num_origins] bool: both
      have
          ended an episode there.

    >>> from jaxcurriculum.records import fresh_proposals
    >>> played = fresh_proposals(jax.random.key(0), jnp.zeros((3, 1)))
    >>> episodes = Episodes.of(played, jnp.array([1.0, 3.0, 5.0]), jnp.zeros(3, bool))
    >>> regret_by_origin(episodes.replace(learner=jnp.array([0, 0, 1])), 1)[0].tolist()
    [3.0]
    """
    counts = usable(episodes)
    protagonist, antagonist = (counts & (episodes.learner == number) for number in (0, 1))
    place = jnp.where(episodes.origin < 0, num_origins, episodes.origin)

    def total(values: jax.Array) -> jax.Array:
        return jnp.zeros(num_origins).at[place].add(values, mode="drop")

    num = total(protagonist.astype(jnp.float32))
    total_return = total(jnp.where(protagonist, episodes.returns, 0.0))
    mean = total_return / jnp.maximum(num, 1)
    lowest = jnp.full(num_origins, -jnp.inf)
    returns = jnp.where(antagonist, episodes.returns, -jnp.inf)
    best = lowest.at[place].max(returns, mode="drop")
    known = (num > 0) & jnp.isfinite(best)
    return jnp.where(known, best - mean, 0.0), known
