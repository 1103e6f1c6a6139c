"""Networks for policy and value, with an orthogonal start (gain sqrt(2), last layers 0.01 and 1).

    feed_forward   separate tanh networks for policy and value
    gru            one body for both: features of the observation, a gated recurrent unit, two heads

Observations are any pytree: leaves of three axes and more are images, which pass a convolution;
all others are flattened and joined.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Callable
from typing import Any, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxcurriculum import tree
from jaxcurriculum.learners.policies import head_size, num_continuous, policy_distribution
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.spaces import Space

CONVOLUTION = 16  # filters of 3 by 3 for an image


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


def feed_forward(actions: Space, hidden: tuple[int, ...], initial_log_std: ArrayLike) -> Network:
    """Separate tanh networks for policy and value, which remember nothing."""
    policy, value = Policy(hidden, actions, initial_log_std), Value(hidden)

    def init(key: Key, obs: PyTree) -> PyTree:
        key_policy, key_value = jax.random.split(key)
        one = flatten(tree.take(obs, 0), 1)
        return {"policy": policy.init(key_policy, one), "value": value.init(key_value, one)}

    def unroll(params: PyTree, memory: PyTree, obs: PyTree, first: jax.Array):
        flat = flatten(obs, first.ndim)
        distribution = policy_distribution(
            actions, *cast(Any, policy.apply(params["policy"], flat))
        )
        return (), distribution, cast(jax.Array, value.apply(params["value"], flat))

    return Network(init=init, memory=lambda num: (), unroll=unroll, is_recurrent=False)


def gru(actions: Space, hidden: tuple[int, ...], size: int, initial_log_std: ArrayLike) -> Network:
    """One body with a gated recurrent unit of `size` numbers, and a head each for policy and
    value.
    """
    body = Recurrent(hidden, size, actions, initial_log_std)

    def memory(num: int) -> jax.Array:
        return jnp.zeros((num, size), jnp.float32)

    def init(key: Key, obs: PyTree) -> PyTree:
        return body.init(key, memory(1), obs, jnp.ones((1, 1), bool))

    def unroll(params: PyTree, memory: PyTree, obs: PyTree, first: jax.Array):
        memories, outputs, value = cast(Any, body.apply(params, memory, obs, first))
        return memories, policy_distribution(actions, *outputs), value

    return Network(init=init, memory=memory, unroll=unroll, is_recurrent=True)


class Policy(nn.Module):
    """What a distribution over actions is made of: a tanh network of the observation.

    A Gaussian's mean depends on the observation, its standard deviation is a parameter.
    """

    hidden: tuple[int, ...]
    actions: Space
    initial_log_std: ArrayLike

    @nn.compact
    def __call__(self, obs: jax.Array) -> tuple[jax.Array, jax.Array | None]:
        outputs = _tanh_network(obs, self.hidden, head_size(self.actions), last_gain=0.01)
        return outputs, _log_std(self, self.actions, self.initial_log_std)


class Value(nn.Module):
    """The expected return of the observation, [..., obs_dim] to [...]."""

    hidden: tuple[int, ...]

    @nn.compact
    def __call__(self, obs: jax.Array) -> jax.Array:
        return _tanh_network(obs, self.hidden, 1, last_gain=1.0)[..., 0]


class Recurrent(nn.Module):
    """Features, a gated recurrent unit over time, and two heads of one hidden layer each."""

    hidden: tuple[int, ...]
    size: int
    actions: Space
    initial_log_std: ArrayLike

    @nn.compact
    def __call__(self, memory: jax.Array, obs: PyTree, first: jax.Array):
        features = nn.relu(_dense(self.size, math.sqrt(2))(_features(obs, first.ndim)))
        cell = nn.scan(
            _Cell, variable_broadcast="params", split_rngs={"params": False}, in_axes=0, out_axes=0
        )
        _, memories = cell(self.size)(memory, (features, first))
        outputs = _tanh_network(memories, self.hidden, head_size(self.actions), last_gain=0.01)
        value = _tanh_network(memories, self.hidden, 1, last_gain=1.0)[..., 0]
        return memories, (outputs, _log_std(self, self.actions, self.initial_log_std)), value


class _Cell(nn.Module):
    """One step of the unit, which forgets everything at the first step of an episode."""

    size: int

    @nn.compact
    def __call__(self, memory: jax.Array, inputs: tuple[jax.Array, jax.Array]):
        features, first = inputs
        memory = jnp.where(first[:, None], 0.0, memory)
        return nn.GRUCell(self.size, recurrent_kernel_init=_kernel(1.0))(memory, features)


def flatten(obs: PyTree, num_leading: int) -> jax.Array:
    """All leaves as one vector: [leading..., all their numbers], float32."""
    leaves = [
        leaf.astype(jnp.float32).reshape(*leaf.shape[:num_leading], -1)
        for leaf in jax.tree.leaves(obs)
    ]
    return leaves[0] if len(leaves) == 1 else jnp.concatenate(leaves, axis=-1)


def _features(obs: PyTree, num_leading: int) -> jax.Array:
    """`flatten`, with a convolution over every image."""
    images = [leaf for leaf in jax.tree.leaves(obs) if leaf.ndim >= num_leading + 3]
    others = [leaf for leaf in jax.tree.leaves(obs) if leaf.ndim < num_leading + 3]
    seen = []
    for image in images:
        layer = nn.Conv(CONVOLUTION, (3, 3), padding="VALID", kernel_init=_kernel(math.sqrt(2)))
        seen.append(nn.relu(layer(image.astype(jnp.float32))))
    return flatten([*seen, *others], num_leading)


def _log_std(module: nn.Module, actions: Space, initial: ArrayLike) -> jax.Array | None:
    num = num_continuous(actions)
    if num == 0:
        return None
    return module.param("log_std", lambda _, n: jnp.full((n,), initial, jnp.float32), num)


def _tanh_network(
    x: jax.Array, hidden: tuple[int, ...], num_outputs: int, last_gain: float
) -> jax.Array:
    leading = x.shape[:-1]
    x = x.reshape(-1, x.shape[-1])  # XLA's CPU compiler copies for gradients of batches of batches
    for width in hidden:
        x = nn.tanh(_dense(width, math.sqrt(2))(x))
    return _dense(num_outputs, last_gain)(x).reshape(*leading, num_outputs)


def _dense(width: int, gain: float) -> nn.Dense:
    return nn.Dense(width, kernel_init=_kernel(gain))


def _kernel(gain: float) -> Callable:
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
