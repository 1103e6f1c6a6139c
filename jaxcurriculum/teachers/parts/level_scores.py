"""What a level is replayed for: scores of a visit, by name.

A score is a function (visit, memory [], known [] bool) -> (score [], memory []). `memory` is what
it remembers of the level from visit to visit, which means nothing where the level is not `known`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import jax
import jax.numpy as jnp

from jaxcurriculum.records import CriticScores
from jaxcurriculum.teachers.parts.visits import Visits

Score = Callable[[Visits, jax.Array, jax.Array], tuple[jax.Array, jax.Array]]
ScoreName = Literal[
    "positive_value_loss",
    "l1_value_loss",
    "signed_gae",
    "max_mc",
    "return_change",
    "learnability",
    "true_regret",
]


def _positive_value_loss(visit: Visits, memory: jax.Array, known: jax.Array):
    return _critic(visit).positive_value_loss, memory


def _l1_value_loss(visit: Visits, memory: jax.Array, known: jax.Array):
    return _critic(visit).l1_value_loss, memory


def _signed_gae(visit: Visits, memory: jax.Array, known: jax.Array):
    return _critic(visit).signed_gae, memory


def _max_mc(visit: Visits, best: jax.Array, known: jax.Array):
    best = jnp.where(known, jnp.maximum(best, visit.best_return), visit.best_return)
    return best - _critic(visit).mean_value, best


def _return_change(visit: Visits, last: jax.Array, known: jax.Array):
    change = jnp.abs(visit.mean_return - last)
    return jnp.where(known, change, 0.0), visit.mean_return


def _learnability(visit: Visits, rate: jax.Array, known: jax.Array):
    rate = 0.5 * (jnp.where(known, rate, 0.5) + visit.success_rate)
    return rate * (1 - rate), rate


def _true_regret(visit: Visits, memory: jax.Array, known: jax.Array):
    return visit.optimal_return - visit.mean_return, memory


def _critic(visit: Visits) -> CriticScores:
    assert visit.critic is not None, "the loop refuses a student without a critic"
    return visit.critic


OF_CRITIC: dict[str, Score] = {
    "positive_value_loss": _positive_value_loss,
    "l1_value_loss": _l1_value_loss,
    "signed_gae": _signed_gae,
    "max_mc": _max_mc,
}
SCORES = OF_CRITIC | {
    "return_change": _return_change,
    "learnability": _learnability,
    "true_regret": _true_regret,
}
