"""What networks are made of: dense layers with an orthogonal start, convolutions, two heads.

The start has gain sqrt(2), last layers 0.01 (policy) and 1 (value). Observations are any pytree:
leaves of three axes are images, which pass convolutions; all others are flattened and joined.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxcurriculum.learners.policies import head_size, num_continuous
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.spaces import Space

FILTERS, SIDE = 16, 3  # of a convolution: how many, and how many pixels each is wide
LARGE = 12  # pixels: convolutions of stride 2 make an image smaller until a side is no longer


@dataclasses.dataclass(frozen=True, kw_only=True)
class Network:
    """Policy and value over sequences [num_steps, num, ...]; functions of parameters.

    `unroll` begins with `memory` [num, ...], forgets it where `first` holds, and also returns what
    is remembered after each step.
    """

    init: Callable[[Key, PyTree], PyTree]  # (key, obs [1, 1, ...]) -> parameters
    memory: Callable[[int], PyTree]  # (num) -> memory before an episode
    # (parameters, memory, obs, first) -> (memories after each step, policy, value)
    unroll: Callable[[PyTree, PyTree, PyTree, jax.Array], tuple[PyTree, Any, jax.Array]]
    is_recurrent: bool


def flatten(obs: PyTree, num_leading: int) -> jax.Array:
    """All leaves as one vector: [leading..., all their numbers], float32."""
    leaves = [
        leaf.astype(jnp.float32).reshape(*leaf.shape[:num_leading], -1)
        for leaf in jax.tree.leaves(obs)
    ]
    return leaves[0] if len(leaves) == 1 else jnp.concatenate(leaves, axis=-1)


def features(obs: PyTree, num_leading: int) -> jax.Array:
    """`flatten`, with convolutions over every image."""
    leaves = jax.tree.leaves(obs)
    images = [leaf for leaf in leaves if leaf.ndim >= num_leading + 3]
    others = [leaf for leaf in leaves if leaf.ndim < num_leading + 3]
    return flatten([*map(convolved, images), *others], num_leading)


def convolved(image: jax.Array) -> jax.Array:
    """[..., height, width, channels] after convolutions; bytes are scaled to [0, 1].

    Raises:
      ValueError: when the image is smaller than a filter.
    """
    height, width = image.shape[-3:-1]
    if min(height, width) < 3:
        raise ValueError(f"An image must have 3 by 3 pixels at least, got {height} by {width}.")
    x = image.astype(jnp.float32)
    if image.dtype == jnp.uint8:
        x = x / 255
    while min(x.shape[-3:-1]) > LARGE:
        x = nn.relu(Conv(stride=2)(x))
    return nn.relu(Conv(stride=1)(x))


class Conv(nn.Module):
    """A convolution of SIDE by SIDE pixels without padding, as one product over all patches.

    XLA's CPU compiler takes 11 to 27 times as long for a convolution's gradient by its weights.
    """

    stride: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        """[..., height, width, channels] to [..., smaller height, smaller width, FILTERS]."""
        weights = self.param(
            "kernel", kernel(math.sqrt(2)), (SIDE, SIDE, x.shape[-1], FILTERS), jnp.float32
        )
        bias = self.param("bias", nn.initializers.zeros, (FILTERS,), jnp.float32)
        height, width = (1 + (side - SIDE) // self.stride for side in x.shape[-3:-1])
        rows, columns = (
            [slice(i, i + self.stride * (num - 1) + 1, self.stride) for i in range(SIDE)]
            for num in (height, width)
        )
        patches = jnp.concatenate([x[..., i, j, :] for i in rows for j in columns], axis=-1)
        flat = patches.reshape(-1, patches.shape[-1]) @ weights.reshape(-1, FILTERS) + bias[None]
        return flat.reshape(*x.shape[:-3], height, width, FILTERS)


def policy_head(
    module: nn.Module,
    x: jax.Array,
    hidden: tuple[int, ...],
    actions: Space,
    initial_log_std: ArrayLike | None,
) -> tuple[jax.Array, jax.Array | None]:
    """What a distribution over actions is made of.

    A Gaussian's mean depends on `x`, its standard deviation is a parameter of `module`. Without one
    to begin with it is a beta distribution, all of which depends on `x`.
    """
    size = head_size(actions, has_std=initial_log_std is not None)
    outputs = tanh_network(x, hidden, size, last_gain=0.01)
    num = num_continuous(actions)
    if num == 0 or initial_log_std is None:
        return outputs, None
    start = jnp.full((num,), initial_log_std, jnp.float32)
    return outputs, module.param("log_std", lambda _: start)


def value_head(x: jax.Array, hidden: tuple[int, ...]) -> jax.Array:
    """The expected return, [..., size] to [...]."""
    return tanh_network(x, hidden, 1, last_gain=1.0)[..., 0]


def tanh_network(
    x: jax.Array, hidden: tuple[int, ...], num_outputs: int, last_gain: float
) -> jax.Array:
    """Dense layers of `hidden` numbers with tanh between them, and one of `num_outputs`."""
    leading = x.shape[:-1]
    x = x.reshape(-1, x.shape[-1])  # XLA's CPU compiler copies for gradients of batches of batches
    for width in hidden:
        x = nn.tanh(dense(width, math.sqrt(2))(x))
    return dense(num_outputs, last_gain)(x).reshape(*leading, num_outputs)


def dense(width: int, gain: float) -> nn.Dense:
    """A dense layer with an orthogonal start."""
    return nn.Dense(width, kernel_init=kernel(gain))


def kernel(gain: float) -> Callable:
    """An initialiser: orthogonal times `gain`."""
    return lambda key, shape, dtype: _orthogonal(key, shape, gain).astype(dtype)


def _orthogonal(key: jax.Array, shape: tuple[int, ...], gain: float) -> jax.Array:
    """A random orthogonal matrix times `gain`; under `vmap` one after another.

    QR decompositions of a batch share XLA's threads on a CPU, and with several such in one program
    it sometimes waits for itself for ever (jaxlib 0.10, measured: a vmapped start of two seeds
    stood still within a hundred starts).
    """
    draw = jax.custom_batching.sequential_vmap(
        lambda key: nn.initializers.orthogonal(gain)(key, shape)
    )
    return draw(key)
