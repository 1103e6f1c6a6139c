"""Regret: how much better one learner of a population does on a level than another.

With $best_i$ the highest and $mean_i$ the mean return of learner i on a level:

    paired        $max_{i > 0} best_i - mean_0$: of the antagonist, and of the protagonist 0
    flexible      $best_a - mean_others$: antagonist a is who has the highest return
    population    $max_i best_i - mean_i mean_i$: nobody has a part of their own
    mean          $max_{i > 0} mean_i - mean_0$
    minimax       $-mean_i mean_i$: no regret, but how bad they are

Source: M. Dennis, N. Jaques, E. Vinitsky, A. Bayen, S. Russell, A. Critch, S. Levine, "Emergent
complexity and zero-shot transfer via unsupervised environment design", NeurIPS 2020; flexible: M.
Jiang et al., "Replay-guided adversarial environment design", NeurIPS 2021 (their code); population
and mean: M. Jiang et al., "minimax: Efficient baselines for autocurricula in JAX", 2023.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes
from jaxcurriculum.teachers.parts.ring import usable


def _paired(best: jax.Array, mean: jax.Array) -> jax.Array:
    return jnp.max(best[1:], axis=0) - mean[0]


def _flexible(best: jax.Array, mean: jax.Array) -> jax.Array:
    antagonist = jnp.argmax(best, axis=0)
    is_other = jnp.arange(best.shape[0])[:, None] != antagonist[None]
    return jnp.max(best, axis=0) - jnp.mean(mean, axis=0, where=is_other)


def _population(best: jax.Array, mean: jax.Array) -> jax.Array:
    return jnp.max(best, axis=0) - jnp.mean(mean, axis=0)


def _mean(best: jax.Array, mean: jax.Array) -> jax.Array:
    return jnp.max(mean[1:], axis=0) - mean[0]


def _minimax(best: jax.Array, mean: jax.Array) -> jax.Array:
    return -jnp.mean(mean, axis=0)


# (best returns [learners, levels], mean returns [learners, levels]) -> [levels]
OBJECTIVES: dict[str, Callable[[jax.Array, jax.Array], jax.Array]] = {
    "paired": _paired,
    "flexible": _flexible,
    "population": _population,
    "mean": _mean,
    "minimax": _minimax,
}


def regret_by_origin(
    episodes: Episodes, num_origins: int, objective: str = "paired", num_learners: int = 2
) -> tuple[jax.Array, jax.Array]:
    """The regret of every level, by one of `OBJECTIVES`.

    Episodes are grouped by `origin` (0 to num_origins - 1; others are left out) and `learner`: for
    regret level by level the teacher numbers its proposals in `origin`.

    Returns:
      regret [num_origins], 0 where it is not known, and whether it is, [num_origins] bool: every
          learner has ended an episode there.

    >>> from jaxcurriculum.records import fresh_proposals
    >>> played = fresh_proposals(jax.random.key(0), jnp.zeros((3, 1)))
    >>> episodes = Episodes.of(played, jnp.array([1.0, 3.0, 5.0]), jnp.zeros(3, bool))
    >>> regret_by_origin(episodes.replace(learner=jnp.array([0, 0, 1])), 1)[0].tolist()
    [3.0]
    """
    shape = (num_learners, num_origins)
    origin, learner = episodes.origin, episodes.learner
    counts = usable(episodes) & (origin >= 0) & (learner < num_learners)
    learner = jnp.where(counts, learner, num_learners)  # out of the table, and so dropped

    def total(values: jax.Array) -> jax.Array:
        return jnp.zeros(shape).at[learner, origin].add(values, mode="drop")

    num = total(jnp.ones_like(episodes.returns))
    mean = total(jnp.where(counts, episodes.returns, 0.0)) / jnp.maximum(num, 1)
    lowest = jnp.full(shape, -jnp.inf)
    best = lowest.at[learner, origin].max(episodes.returns, mode="drop")
    known = jnp.all(num > 0, axis=0)
    return jnp.where(known, OBJECTIVES[objective](best, mean), 0.0), known
