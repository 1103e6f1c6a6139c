"""Distributions over the actions of a space, from the numbers that a network puts out.

Box        a Gaussian: one mean a dimension, and standard deviations that do not depend on them
Discrete   a categorical distribution: one logit an action
Product    one distribution a part, independent of each other
"""

from __future__ import annotations

from typing import Any

import distrax
import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.spaces import Box, Discrete, Product, Space


def head_size(actions: Space) -> int:
    """How many numbers a network puts out for a distribution over `actions`.

    Raises:
      TypeError: when there is no distribution for such a space.

    >>> head_size(Product(move=Discrete(num=3), force=Box(names=("x",), low=(0,), high=(1,))))
    4
    """
    if isinstance(actions, Box):
        return actions.dims
    if isinstance(actions, Discrete):
        return actions.num
    if isinstance(actions, Product):
        return sum(head_size(part) for part in actions.parts.values())
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
        assert log_std is not None
        return distrax.MultivariateNormalDiag(
            outputs, jnp.broadcast_to(jnp.exp(log_std), outputs.shape)
        )
    if isinstance(actions, Discrete):
        return distrax.Categorical(logits=outputs)
    assert isinstance(actions, Product)
    parts, sizes = actions.parts, [head_size(part) for part in actions.parts.values()]
    widths = [num_continuous(part) for part in parts.values()]
    split = jnp.split(outputs, np.cumsum(sizes)[:-1], axis=-1)
    stds = [None] * len(parts)
    if log_std is not None:
        stds = jnp.split(log_std, np.cumsum(widths)[:-1])
    each = zip(parts.items(), split, stds)
    return distrax.Joint({name: policy_distribution(part, x, std) for (name, part), x, std in each})
