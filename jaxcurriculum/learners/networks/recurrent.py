"""One body for policy and value: features of the observation, layers of memory, two heads."""

from __future__ import annotations

import math
from typing import Any, Protocol, cast

import flax.linen as nn
import jax
import jax.numpy as jnp
from jax.typing import ArrayLike

from jaxcurriculum.learners.networks.parts import (
    Network,
    dense,
    features,
    policy_head,
    value_head,
)
from jaxcurriculum.learners.policies import policy_distribution
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.spaces import Space


class Layer(Protocol):
    """A layer of memory: a flax module that is made with the number of its features, `size`.

    It forgets everything where `first` holds.
    """

    def __call__(self, size: int, *, name: str) -> Any:
        """The module: (memory [num, width], x [num_steps, num, size], first [num_steps, num]) ->
        (memories after each step [num_steps, num, width], outputs [num_steps, num, size]).
        """
        ...

    def width(self, size: int) -> int:
        """How many numbers it remembers."""
        ...


def recurrent(
    layer: Layer,
    actions: Space,
    hidden: tuple[int, ...],
    size: int,
    num_layers: int,
    initial_log_std: ArrayLike | None,
) -> Network:
    """`num_layers` layers of memory with `size` features each. Its memory is [num, num_layers,
    width].

    Raises:
      ValueError: when the layer cannot have so many features.
    """
    width = layer.width(size)
    body = Recurrent(layer, hidden, size, num_layers, actions, initial_log_std)

    def memory(num: int) -> jax.Array:
        return jnp.zeros((num, num_layers, width), jnp.float32)

    def init(key: Key, obs: PyTree) -> PyTree:
        return body.init(key, memory(1), obs, jnp.ones((1, 1), bool))

    def unroll(params: PyTree, memory: PyTree, obs: PyTree, first: jax.Array):
        memories, outputs, value = cast(Any, body.apply(params, memory, obs, first))
        return memories, policy_distribution(actions, *outputs), value

    return Network(init=init, memory=memory, unroll=unroll, is_recurrent=True)


class Recurrent(nn.Module):
    """Features, layers of memory over time, and two heads."""

    layer: Layer
    hidden: tuple[int, ...]
    size: int
    num_layers: int
    actions: Space
    initial_log_std: ArrayLike | None

    @nn.compact
    def __call__(self, memory: jax.Array, obs: PyTree, first: jax.Array):
        x = nn.relu(dense(self.size, math.sqrt(2))(features(obs, first.ndim)))
        memories = []
        for i in range(self.num_layers):
            remembered, x = self.layer(self.size, name=f"memory_{i}")(memory[:, i], x, first)
            memories.append(remembered)
        policy = policy_head(self, x, self.hidden, self.actions, self.initial_log_std)
        return jnp.stack(memories, axis=2), policy, value_head(x, self.hidden)
