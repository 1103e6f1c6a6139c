"""What many teachers share: choices by score, tasks known to be easy, free axes."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.device.xla import running_sum
from jaxcurriculum.fields import is_traced
from jaxcurriculum.records import Key
from jaxcurriculum.spaces import Box


def log_proportional(scores: jax.Array, valid: jax.Array) -> jax.Array:
    """Logits of a choice among `valid` in proportion to `scores` (0 if negative).

    Without any positive score each valid entry is equally likely.

    >>> scores, valid = jnp.array([1.0, 3.0, 9.0]), jnp.array([True, True, False])
    >>> jnp.exp(log_proportional(scores, valid)).tolist()
    [1.0, 3.0, 0.0]
    """
    scores = jnp.where(valid, jnp.maximum(scores, 0.0), 0.0)
    scores = jnp.where(jnp.sum(scores) > 0, scores, valid.astype(jnp.float32))
    return jnp.log(scores)


def in_proportion(places: jax.Array, scores: jax.Array, num_valid: jax.Array) -> jax.Array:
    """Indices ([num] int32) of the first `num_valid` scores, drawn in proportion to them.

    They are equally likely if all are 0; `places` are in [0, 1). The inverse of the cumulative sum,
    found in two steps, first the block and then the place in it: a sum over all of them a seed
    would cost more than the rest of a round.

    >>> places, scores = jnp.array([0.0, 0.2, 0.3, 0.9]), jnp.array([1.0, 0.0, 3.0, 9.0])
    >>> in_proportion(places, scores, jnp.int32(3)).tolist()
    [0, 0, 2, 2]
    """
    size = int(np.ceil(np.sqrt(scores.shape[0])))
    valid = jnp.arange(scores.shape[0]) < num_valid
    scores = jnp.where(valid, scores, 0.0)
    scores = jnp.where(jnp.any(scores > 0), scores, valid.astype(jnp.float32))
    padded = jnp.pad(scores, (0, size * size - scores.shape[0]))
    blocks = padded.reshape(size, size)
    until_block = running_sum(jnp.sum(blocks, axis=1))
    target = places * until_block[-1]
    num_before = jnp.sum(until_block[None] <= target[:, None], axis=1)
    block = jnp.minimum(num_before, size - 1)
    target = target - jnp.where(block > 0, until_block[block - 1], 0.0)
    until_score = running_sum(blocks[block])
    num_before = jnp.sum(until_score <= target[:, None], axis=1)
    place = jnp.minimum(num_before, size - 1)
    return jnp.minimum(block * size + place, num_valid - 1).astype(jnp.int32)


def without_repeats(key: Key, probs: jax.Array, num: int) -> jax.Array:
    """`num` indices ([num] int32) drawn one after the other in proportion to `probs`, none twice.

    When all of positive probability have come they come again in the same order; index 0 where none
    has any. Each waits an exponential time of rate `probs`, the shortest come first.

    Source: P. Efraimidis, P. Spirakis, "Weighted random sampling with a reservoir", 2006.

    >>> drawn = without_repeats(jax.random.key(0), jnp.array([0.98, 0.0, 0.01, 0.01]), 6)
    >>> sorted(drawn[:3].tolist()), drawn[3:].tolist() == drawn[:3].tolist()
    ([0, 2, 3], True)
    """
    size = probs.shape[0]
    waiting = jax.random.exponential(key, (size,)) / jnp.maximum(probs, 1e-37)
    waiting = jnp.where(probs > 0, waiting, jnp.inf)
    _, order = jax.lax.top_k(-waiting, min(num, size))
    num_possible = jnp.clip(jnp.sum(probs > 0), 1, order.shape[0])
    return order[jnp.arange(num) % num_possible].astype(jnp.int32)


def easy_tasks(
    key: Key, space: Box, mean: tuple[float, ...] | None, std: float | jax.Array, num: int
) -> jax.Array:
    """`num` tasks ([num, dims]) that an expert says are easy: Gaussian about `mean`, clipped.

        task ~ N(mean, (std * range)^2) on every axis

    Args:
      mean: one entry an axis, in its units; None where no expert was asked, then tasks are uniform.
      std: fraction of each axis' range (TeachMyAgent's "high" expert knowledge has 0.1).

    >>> box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> easy_tasks(jax.random.key(0), box, (0.0, 6.0), 0.0, 1).tolist()
    [[0.0, 6.0]]
    """
    if mean is None:
        return jax.vmap(space.sample)(jax.random.split(key, num))
    low, high = map(jnp.asarray, space.bounds)
    noise = jax.random.normal(key, (num, space.dims)) * (std * (high - low))[None]
    return jax.vmap(space.clip)(jnp.array(mean, jnp.float32)[None] + noise)


def free_axes(space: Box) -> np.ndarray:
    """The axes of more than zero width, by number; all of them where there is none.

    >>> free_axes(Box(names=("height", "constant"), low=(0.0, 1.0), high=(3.0, 1.0))).tolist()
    [0]
    """
    free = np.flatnonzero(space.has_width)
    return free if len(free) else np.arange(space.dims)


def from_free(space: Box, point: jax.Array) -> jax.Array:
    """The task of a point of the unit cube of the free axes (see `free_axes`).

    >>> box = Box(names=("height", "constant"), low=(0.0, 1.0), high=(3.0, 1.0))
    >>> from_free(box, jnp.array([0.5])).tolist()
    [1.5, 1.0]
    """
    origin = jnp.zeros((space.dims,))
    return space.from_unit(origin.at[free_axes(space)].set(point))


def check_task(config: Any, field: str, space: Box) -> None:
    """Check that `field` of `config` is None or a task of `space`.

    Raises:
      ValueError: naming the field, the rule and the value.
    """
    task = getattr(config, field)
    name = f"{type(config).__name__}.{field}"
    if task is None:
        return
    if len(task) != space.dims:
        raise ValueError(f"{name} must have one entry an axis: {space.dims} axes but got {task}.")
    for axis, value, low, high in zip(space.names, task, space.low, space.high):
        if not is_traced(low, high) and not low <= value <= high:
            raise ValueError(
                f"{name} must lie in the task space: axis {axis!r} is {value}, its bounds are {low}"
                f" and {high}."
            )
