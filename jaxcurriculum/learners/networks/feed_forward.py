"""Separate tanh networks for policy and value, which remember nothing."""

from __future__ import annotations

from typing import Any, cast

import flax.linen as nn
import jax
from jax.typing import ArrayLike

from jaxcurriculum import tree
from jaxcurriculum.learners.networks.parts import Network, features, policy_head, value_head
from jaxcurriculum.learners.policies import policy_distribution
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.spaces import Space


def feed_forward(
    actions: Space, hidden: tuple[int, ...], initial_log_std: ArrayLike | None
) -> Network:
    """Separate tanh networks for policy and value, each with convolutions of its own."""
    policy, value = Policy(hidden, actions, initial_log_std), Value(hidden)

    def init(key: Key, obs: PyTree) -> PyTree:
        key_policy, key_value = jax.random.split(key)
        one = tree.take(obs, 0)
        return {"policy": policy.init(key_policy, one, 1), "value": value.init(key_value, one, 1)}

    def unroll(params: PyTree, memory: PyTree, obs: PyTree, first: jax.Array):
        outputs = cast(Any, policy.apply(params["policy"], obs, first.ndim))
        values = cast(jax.Array, value.apply(params["value"], obs, first.ndim))
        return (), policy_distribution(actions, *outputs), values

    return Network(init=init, memory=lambda num: (), unroll=unroll, is_recurrent=False)


class Policy(nn.Module):
    """What a distribution over actions is made of, from the observation."""

    hidden: tuple[int, ...]
    actions: Space
    initial_log_std: ArrayLike | None

    @nn.compact
    def __call__(self, obs: PyTree, num_leading: int) -> tuple[jax.Array, jax.Array | None]:
        x = features(obs, num_leading)
        return policy_head(self, x, self.hidden, self.actions, self.initial_log_std)


class Value(nn.Module):
    """The expected return of the observation, [leading..., ...] to [leading...]."""

    hidden: tuple[int, ...]

    @nn.compact
    def __call__(self, obs: PyTree, num_leading: int) -> jax.Array:
        return value_head(features(obs, num_leading), self.hidden)
