"""Generalised advantage estimation (Schulman et al. 2015, arXiv:1506.02438)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


def gae(
    reward: jax.Array,
    value: jax.Array,
    next_value: jax.Array,
    terminated: jax.Array,
    over: jax.Array,
    discount: ArrayLike,
    gae_lambda: ArrayLike,
) -> jax.Array:
    """Generalised advantage estimation along the leading axis.

        delta_t = r_t + discount (1 - terminated_t) V(o'_t) - V(o_t)
        A_t     = delta_t + discount lambda (1 - over_t) A_{t+1}

    Args:
      reward, value, next_value, terminated, over: [num_steps, ...]; `next_value` is that of the
          true next observation, `over` says that the episode ends here (terminated or truncated).

    Returns:
      advantages [num_steps, ...]; with lambda = 1, advantage + value is the (bootstrapped)
          discounted return.

    >>> ones, no, yes = jnp.ones(2), jnp.zeros(2, bool), jnp.array([False, True])
    >>> [float(a) for a in gae(ones, 0 * ones, 0 * ones, yes, yes, 0.5, 1.0)]
    [1.5, 1.0]
    """
    delta = reward + discount * jnp.where(terminated, 0, next_value) - value

    def step(advantage, inputs):
        delta, over = inputs
        advantage = delta + discount * gae_lambda * jnp.where(over, 0, advantage)
        return advantage, advantage

    last = jnp.zeros_like(delta[0])
    return jax.lax.scan(step, last, (delta, over), reverse=True)[1]
