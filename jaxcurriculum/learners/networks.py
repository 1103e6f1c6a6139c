"""Separate tanh networks for policy and value, with an orthogonal start (gain sqrt(2), last layers 0.01 and 1)."""

from __future__ import annotations

import math

import distrax
import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike


class Policy(nn.Module):
    """A Gaussian over actions: its mean is a tanh network of the observation, its standard deviation a parameter."""

    hidden: tuple[int, ...]
    num_actions: int
    initial_log_std: ArrayLike

    @nn.compact
    def __call__(self, obs: jax.Array) -> distrax.MultivariateNormalDiag:
        mean = _tanh_network(obs, self.hidden, self.num_actions, last_gain=0.01)
        log_std = self.param("log_std", lambda _, shape: jnp.full(shape, self.initial_log_std, jnp.float32), (self.num_actions,))
        return distrax.MultivariateNormalDiag(mean, jnp.broadcast_to(jnp.exp(log_std), mean.shape))


class Value(nn.Module):
    """The expected return of the observation, [..., obs_dim] to [...]."""

    hidden: tuple[int, ...]

    @nn.compact
    def __call__(self, obs: jax.Array) -> jax.Array:
        return _tanh_network(obs, self.hidden, 1, last_gain=1.0)[..., 0]


def _tanh_network(x: jax.Array, hidden: tuple[int, ...], num_outputs: int, last_gain: float) -> jax.Array:
    for width in hidden:
        x = nn.tanh(_dense(width, math.sqrt(2))(x))
    return _dense(num_outputs, last_gain)(x)


def _dense(width: int, gain: float) -> nn.Dense:
    return nn.Dense(width, kernel_init=lambda key, shape, dtype: _orthogonal(key, shape, gain).astype(dtype))


def _orthogonal(key: jax.Array, shape: tuple[int, ...], gain: float) -> jax.Array:
    """A random orthogonal matrix times `gain`; under `vmap` one after another.

    QR decompositions of a batch share XLA's threads on a CPU, and with several such in one program it sometimes waits for itself for
    ever (jaxlib 0.10, measured: a vmapped start of two seeds stood still within a hundred starts).
    """
    draw = jax.custom_batching.sequential_vmap(lambda key: nn.initializers.orthogonal(gain)(key, shape))
    return draw(key)
