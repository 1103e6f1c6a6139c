"""Distributions over the actions of a space, from the numbers that a network puts out.

Box        a Gaussian: one mean a dimension, and standard deviations that do not depend on them; or,
           without standard deviations, a beta distribution a dimension, which ends at the bounds
Discrete   a categorical distribution: one logit an action
Product    one distribution a part, independent of each other
"""

from __future__ import annotations

from typing import Any

import distrax
import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.records import Key
from jaxcurriculum.spaces import Box, Discrete, Product, Space

EDGE = 1e-6  # of the unit interval, which float32 would round beta distributions to


def head_size(actions: Space, has_std: bool = True) -> int:
    """How many numbers a network puts out for a distribution over `actions`.

    Args:
      has_std: whether a Box gets a Gaussian; else a beta distribution.

    Raises:
      TypeError: when there is no distribution for such a space.

    >>> head_size(Product(move=Discrete(num=3), force=Box(names=("x",), low=(0,), high=(1,))))
    4
    """
    if isinstance(actions, Box):
        return actions.dims if has_std else 2 * actions.dims
    if isinstance(actions, Discrete):
        return actions.num
    if isinstance(actions, Product):
        return sum(head_size(part, has_std) for part in actions.parts.values())
    kinds = "a Box, a Discrete or a Product of them"
    raise TypeError(f"action_space must be {kinds}, got {type(actions).__name__}.")


def num_continuous(actions: Space) -> int:
    """How many standard deviations a distribution over `actions` has."""
    if isinstance(actions, Product):
        return sum(num_continuous(part) for part in actions.parts.values())
    return actions.dims if isinstance(actions, Box) else 0


def policy_distribution(actions: Space, outputs: jax.Array, log_std: jax.Array | None) -> Any:
    """The distribution over `actions`.

    Args:
      outputs: [..., head_size].
      log_std: [num_continuous], None where there is none.
    """
    if isinstance(actions, Box):
        if log_std is None:
            return _beta(actions, outputs)
        return distrax.MultivariateNormalDiag(
            outputs, jnp.broadcast_to(jnp.exp(log_std), outputs.shape)
        )
    if isinstance(actions, Discrete):
        return distrax.Categorical(logits=outputs)
    assert isinstance(actions, Product)
    parts = actions.parts
    sizes = [head_size(part, log_std is not None) for part in parts.values()]
    widths = [num_continuous(part) for part in parts.values()]
    split = jnp.split(outputs, np.cumsum(sizes)[:-1], axis=-1)
    stds = [None] * len(parts)
    if log_std is not None:
        stds = jnp.split(log_std, np.cumsum(widths)[:-1])
    each = zip(parts.items(), split, stds)
    return distrax.Joint({name: policy_distribution(part, x, std) for (name, part), x, std in each})


class Beta(distrax.Beta):
    """A beta distribution that keeps off 0 and 1, where its logarithm ends."""

    def _sample_n(self, key: Key, n: int) -> Any:
        return jnp.clip(super()._sample_n(key, n), EDGE, 1 - EDGE)

    def log_prob(self, value: Any) -> Any:
        return super().log_prob(jnp.clip(value, EDGE, 1 - EDGE))

    def mode(self) -> Any:
        """The middle where all values are alike."""
        return jnp.nan_to_num(super().mode(), nan=0.5)


def _beta(actions: Box, outputs: jax.Array) -> Any:
    """Beta(1 + softplus, 1 + softplus) of every dimension, from its low to its high."""
    alpha, beta = jnp.split(1 + jax.nn.softplus(outputs), 2, axis=-1)
    low, high = jnp.array(actions.low), jnp.array(actions.high)
    width = jnp.where(high > low, high - low, 1.0)  # no width has no density
    stretch = distrax.Block(distrax.ScalarAffine(low, width), 1)
    return distrax.Transformed(distrax.Independent(Beta(alpha, beta), 1), stretch)
