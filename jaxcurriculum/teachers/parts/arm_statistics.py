"""What bandit teachers remember of each arm, and how they take episodes one by one."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.records import Episodes
from jaxcurriculum.teachers.parts.ring import usable, valid_first

State = TypeVar("State")


class ArmWindow(struct.PyTreeNode):
    """The latest `size` values of each arm: its value number n in its slot n mod size."""

    values: jax.Array  # [arms, size], 0 where nothing was written
    num: jax.Array  # [arms], int32, values ever written
    mean: jax.Array  # [arms], of the values held; 0 for an arm without any


def empty(num_arms: int, size: int) -> ArmWindow:
    """Windows of `size` values, nothing written yet."""
    return ArmWindow(
        values=jnp.zeros((num_arms, size), jnp.float32),
        num=jnp.zeros((num_arms,), jnp.int32),
        mean=jnp.zeros((num_arms,), jnp.float32),
    )


def push(window: ArmWindow, arm: jax.Array, value: jax.Array) -> ArmWindow:
    """Write `value` ([]) for `arm` ([] int32) over its oldest; nothing beyond the last arm.

    The mean is summed anew from the arm's values, so no rounding gathers over a long run; they are
    read after the write, which lets the compiler write in place.

    >>> window = push(empty(2, 3), jnp.int32(1), jnp.float32(2.0))
    >>> window = push(window, jnp.int32(1), jnp.float32(4.0))
    >>> window.mean.tolist(), window.num.tolist()
    ([0.0, 3.0], [0, 2])
    """
    size = window.values.shape[1]
    here = is_arm(window, arm)
    num_before = window.num[arm]
    values = window.values.at[arm, num_before % size].set(value, mode="drop")
    mean = jnp.sum(values[arm]) / jnp.minimum(num_before + 1, size)
    return ArmWindow(
        values=values,
        num=window.num + here,
        mean=jnp.where(here, mean, window.mean),
    )


def is_arm(window: ArmWindow, arm: jax.Array) -> jax.Array:
    """Which of all arms is `arm` ([] int32), [arms] bool: a mask to replace its statistic.

    A mask and not a scatter for each (`xla.write_row` says why): an update has one, that of `push`.
    """
    return jnp.arange(window.num.shape[0]) == arm


def latest(window: ArmWindow, arm: jax.Array, age: jax.Array | int) -> jax.Array:
    """The value [...] that `arm` got `age` values before its latest one, if still held."""
    return window.values[arm, (window.num[arm] - 1 - age) % window.values.shape[1]]


def slope(times: jax.Array, values: jax.Array, written: jax.Array) -> jax.Array:
    """Least-squares slope of `values` over `times` where `written` (all [size]).

        sum (t - mean t) (v - mean v) / sum (t - mean t)^2

    It is 0 where all times are equal.

    >>> times, values = jnp.array([1.0, 2.0, 9.0]), jnp.array([5.0, 8.0, 7.0])
    >>> slope(times, values, jnp.array([True, True, False])).item()
    3.0
    """
    num = jnp.maximum(jnp.sum(written), 1)
    times = jnp.where(written, times, 0.0)
    values = jnp.where(written, values, 0.0)
    spread = jnp.where(written, times - jnp.sum(times) / num, 0.0)
    drift = jnp.where(written, values - jnp.sum(values) / num, 0.0)
    variance = jnp.sum(spread**2)
    return jnp.sum(spread * drift) / jnp.where(variance > 0, variance, 1.0)


def one_by_one(
    learn: Callable[[State, jax.Array, Episodes, jax.Array], State],
    state: State,
    episodes: Episodes,
    num_arms: int,
) -> State:
    """`state` after the usable episodes (see `history.usable`), taken in their order.

    Args:
      learn: (state, arm, episode, i) -> state, where i ([] int32) counts the usable episodes and
        `episode` has no leading axis. `arm` is `num_arms` where there is no episode (another seed
        has more of them): nothing may change then.
    """
    order, num_usable = valid_first(usable(episodes))

    def take(i: jax.Array, state: State) -> State:
        episode = jax.tree.map(lambda leaf: leaf[order[i]], episodes)
        return learn(state, jnp.where(i < num_usable, episode.origin, num_arms), episode, i)

    return jax.lax.fori_loop(0, shared_max(num_usable), take, state)
