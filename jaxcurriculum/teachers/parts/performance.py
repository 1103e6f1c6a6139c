"""How well an episode went, where a teacher compares it with a threshold."""

from __future__ import annotations

from typing import Literal

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes
from jaxcurriculum.teachers.parts import ring

Performance = Literal["return", "discounted-return", "success"]
PERFORMANCE_HELP = (
    "what is compared with the threshold: the return, the return discounted as the student"
    " does (which needs a critic), or 1 for a solved episode and 0 for any other"
)


def performance_of(episodes: Episodes, kind: Performance) -> tuple[jax.Array, jax.Array]:
    """The performance of each episode and which of them can be learned from, [num] both."""
    usable = ring.usable(episodes)
    if kind == "success":
        return episodes.solved.astype(jnp.float32), usable
    if kind == "return":
        return episodes.returns, usable
    assert episodes.critic is not None, "a loop refuses this teacher a student without one"
    discounted = episodes.critic.discounted_returns
    return discounted, usable & ring.is_measured(discounted)
