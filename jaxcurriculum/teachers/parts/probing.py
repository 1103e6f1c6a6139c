"""What a probe of the student tells: how often it solves each task, and what that cost."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes
from jaxcurriculum.teachers.parts.ring import usable

MOST_ATTEMPTS = 1_000_000  # they are played at once, and no part of the state


def success_rates(episodes: Episodes, num_attempts: int) -> tuple[jax.Array, jax.Array]:
    """The share of attempts that solve each task, and how many count, [num_tasks] both.

    `episodes` are task-major, as a probe returns them; the share is 0 where no attempt counts.
    """
    counts = usable(episodes).reshape(-1, num_attempts)
    solved = counts & episodes.solved.reshape(counts.shape)
    num = jnp.sum(counts, axis=1)
    return jnp.sum(solved, axis=1) / jnp.maximum(num, 1), num


def spent_steps(episodes: Episodes) -> jax.Array:
    """The environment steps of a probe, [] int32."""
    return jnp.sum(jnp.where(episodes.valid, episodes.lengths, 0), dtype=jnp.int32)


def check_attempts(config: Any, size: str) -> None:
    """Check that `num_attempts` at each of as many tasks as the field `size` says can be played.

    Raises:
      ValueError: naming both fields, the rule and the values.
    """
    num_tasks, num_attempts = getattr(config, size), config.num_attempts
    if num_tasks * num_attempts > MOST_ATTEMPTS:
        raise ValueError(
            f"{type(config).__name__} must have {size} * num_attempts <= {MOST_ATTEMPTS:,}, got"
            f" {num_tasks} * {num_attempts}."
        )
