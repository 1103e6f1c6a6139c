"""What a round of replay proposes: which proposals are levels of the buffer, and which are new."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from jaxcurriculum.fields import is_number
from jaxcurriculum.records import Key, Proposals
from jaxcurriculum.spaces import Space
from jaxcurriculum.teachers.parts import level_buffer
from jaxcurriculum.teachers.parts.level_buffer import LevelBuffer
from jaxcurriculum.teachers.parts.new_levels import new_levels

if TYPE_CHECKING:
    from jaxcurriculum.teachers.plr import PlrConfig


def proposer(space: Space, config: PlrConfig) -> Callable[..., Proposals]:
    """The function (key, buffer, num, num_parts=2) -> proposals.

    Parallel rounds have `num_parts`: the first one is new, the second replayed, others are new.

    Raises:
      ValueError: when `initial_mean` is no task of the space, or there are not enough different
          levels to fill the buffer as far as it must be.
    """
    _check_enough(space, config)
    draw_new = new_levels(space, config)

    def propose(key: Key, buffer: LevelBuffer, num: int, num_parts: int = 2) -> Proposals:
        key_new, key_kinds, key_slots = jax.random.split(key, 3)
        new = draw_new(key_new, num)
        replayed = _replayed(key_kinds, buffer, config, num, num_parts)
        both = level_buffer.with_replays(key_slots, buffer, new, replayed, config.distinct)
        return both.replace(weight=1.0 * replayed) if config.robust else both

    return propose


def _check_enough(space: Space, config: PlrConfig) -> None:
    """Check that new levels can fill the buffer so far that replay begins."""
    num = getattr(space, "num_distinct", math.inf)
    least = config.least_filled
    if config.seeds_from_tasks and is_number(least) and least * config.capacity > num:
        raise ValueError(
            f"PlrConfig.least_filled must be at most {num / config.capacity:g} where new levels are"
            f" {num} at most, of a capacity of {config.capacity}, got {least}."
        )


def _replayed(
    key: Key, buffer: LevelBuffer, config: PlrConfig, num: int, num_parts: int
) -> jax.Array:
    """Which of `num` proposals replay a level, [num] bool."""
    prob = replay_prob(buffer, config)
    if config.rounds == "parallel":
        if num < num_parts:
            needs = f"needs at least {num_parts} proposals a round"
            raise ValueError(f'PlrConfig.rounds="parallel" {needs}, got {num}.')
        part = num // num_parts
        place = jnp.arange(num)
        return (prob > 0) & (place >= part) & (place < 2 * part)
    coins = jax.random.uniform(key, () if config.rounds == "alternating" else (num,))
    return jnp.broadcast_to(coins < prob, (num,))


def replay_prob(buffer: LevelBuffer, config: PlrConfig) -> jax.Array:
    """The probability that a proposal replays a level now, [] (0 from an empty buffer)."""
    share = buffer.num_filled / config.capacity
    prob = config.replay_prob
    if config.schedule == "proportionate":
        prob = jnp.minimum(share, prob)
    is_ready = (buffer.num_filled > 0) & (share >= config.least_filled)
    return jnp.where(is_ready, prob, 0.0)
