"""What many teachers share: choices in proportion to a score, tasks that an expert knows to be easy, axes that can be chosen at all."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.space import Box
from jaxcurriculum.types import Key


def log_proportional(scores: jax.Array, valid: jax.Array) -> jax.Array:
    """Logits ([num]) of a choice in proportion to `scores` ([num], those below 0 count as 0) among `valid` ([num] bool).

    Without any positive score each valid entry is equally likely.

    >>> jnp.exp(log_proportional(jnp.array([1.0, 3.0, 9.0]), jnp.array([True, True, False]))).tolist()
    [1.0, 3.0, 0.0]
    """
    scores = jnp.where(valid, jnp.maximum(scores, 0.0), 0.0)
    return jnp.log(jnp.where(jnp.sum(scores) > 0, scores, valid.astype(jnp.float32)))


def easy_tasks(key: Key, space: Box, mean: tuple[float, ...] | None, std: float | jax.Array, num: int) -> jax.Array:
    """`num` tasks ([num, dims]) that an expert says are easy: Gaussian about `mean`, clipped to the space.

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
    spread = std * (jnp.array(space.high, jnp.float32) - jnp.array(space.low, jnp.float32))
    noise = jax.random.normal(key, (num, space.dims)) * spread[None]
    return jax.vmap(space.clip)(jnp.array(mean, jnp.float32)[None] + noise)


def free_axes(space: Box) -> np.ndarray:
    """The axes of more than zero width, by number; all of them where there is none.

    >>> free_axes(Box(names=("height", "constant"), low=(0.0, 1.0), high=(3.0, 1.0))).tolist()
    [0]
    """
    free = np.flatnonzero(np.array(space.high) > np.array(space.low))
    return free if len(free) else np.arange(space.dims)


def check_easy_mean(config: Any, space: Box) -> None:
    """Check that `config.initial_mean` is None or a task of `space`.

    Raises:
      ValueError: naming the field, the rule and the value.
    """
    mean, name = config.initial_mean, type(config).__name__
    if mean is None:
        return
    if len(mean) != space.dims:
        raise ValueError(f"{name}.initial_mean must have one entry an axis: {space.dims} axes but got {mean}.")
    for axis, value, low, high in zip(space.names, mean, space.low, space.high):
        if not low <= value <= high:
            raise ValueError(f"{name}.initial_mean must lie in the task space: axis {axis!r} is {value}, its bounds are {low} and {high}.")
