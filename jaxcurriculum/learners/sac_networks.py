"""SAC's networks: a squashed Gaussian policy, twin critics, and a value network where wanted.

Observations are any pytree of arrays, flattened and joined; actions are scaled to [-1, 1].
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

import distrax
import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxcurriculum.learners.networks.parts import flatten
from jaxcurriculum.records import Key, PyTree

LOG_STD = (-20.0, 2.0)  # bounds of the policy's log standard deviation, before it is squashed


@dataclasses.dataclass(frozen=True, kw_only=True)
class Networks:
    """Functions of parameters and batches: obs [num, ...], action [num, dims] within [-1, 1]."""

    init: Callable[[Key, PyTree], dict[str, PyTree]]  # (key, obs [1, ...]) -> parameters by name
    policy: Callable[[PyTree, PyTree], distrax.Transformed]  # (parameters, obs) -> distribution
    critics: Callable[
        [PyTree, PyTree, jax.Array], jax.Array
    ]  # (..., obs, action) -> [critics, num]
    value: Callable[[PyTree, PyTree], jax.Array]  # (parameters, obs) -> [num]


def make_networks(dims: int, hidden: tuple[int, ...]) -> Networks:
    """Rectified networks with `hidden` layers for actions of `dims` numbers.

    The two critics are one network of stacked parameters: their products are computed together.
    """
    body, scalar = Body(hidden, 2 * dims), Body(hidden, 1)

    def init(key: Key, obs: PyTree) -> dict[str, PyTree]:
        key_policy, key_critics, key_value = jax.random.split(key, 3)
        seen = flatten(obs, 1)
        pair = jnp.concatenate([seen, jnp.zeros((1, dims))], axis=1)
        return {
            "policy": body.init(key_policy, seen),
            "critics": jax.vmap(scalar.init, in_axes=(0, None))(
                jax.random.split(key_critics), pair
            ),
            "value": scalar.init(key_value, seen),
        }

    def policy(params: PyTree, obs: PyTree) -> distrax.Transformed:
        outputs = cast(jax.Array, body.apply(params, flatten(obs, 1)))
        mean, log_std = jnp.split(outputs, 2, axis=-1)
        return squashed_gaussian(mean, jnp.clip(log_std, *LOG_STD))

    def critics(params: PyTree, obs: PyTree, action: jax.Array) -> jax.Array:
        pair = jnp.concatenate([flatten(obs, 1), action], axis=1)
        return jax.vmap(lambda one: value_of(one, pair))(params)

    def value_of(params: PyTree, inputs: PyTree) -> jax.Array:
        return cast(Any, scalar.apply(params, flatten(inputs, 1)))[:, 0]

    return Networks(init=init, policy=policy, critics=critics, value=value_of)


class Body(nn.Module):
    """A rectified network, [num, inputs] to [num, num_outputs]."""

    hidden: tuple[int, ...]
    num_outputs: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for width in self.hidden:
            x = nn.relu(nn.Dense(width)(x))
        return nn.Dense(self.num_outputs)(x)


def squashed_gaussian(mean: jax.Array, log_std: jax.Array) -> distrax.Transformed:
    """tanh of a Gaussian with independent dimensions, [num, dims] each.

    >>> policy = squashed_gaussian(jnp.zeros((1, 2)), jnp.zeros((1, 2)))
    >>> policy.sample(seed=jax.random.key(0)).shape, best_action(policy).tolist()
    ((1, 2), [[0.0, 0.0]])
    """
    gaussian = distrax.MultivariateNormalDiag(mean, jnp.exp(log_std))
    return distrax.Transformed(gaussian, distrax.Block(distrax.Tanh(), 1))


def sample_action(policy: distrax.Transformed, key: Key) -> tuple[jax.Array, jax.Array]:
    """An action of each row, [num, dims], and the logarithm of its density, [num]."""
    with jax.numpy_rank_promotion("allow"):  # distrax adds an axis of one sample and relies on it
        return cast(Any, policy).sample_and_log_prob(seed=key)


def best_action(policy: distrax.Transformed) -> jax.Array:
    """The action of the Gaussian's mean, [num, dims]."""
    return cast(Any, policy.bijector).forward(cast(Any, policy.distribution).mode())
