"""SAC's losses, and a gradient step of each of its networks on one batch."""

from __future__ import annotations

from typing import Any, cast

import jax
import jax.numpy as jnp
import optax
from flax import struct

from jaxcurriculum.learners.sac_networks import Networks, sample_action
from jaxcurriculum.records import Key, PyTree

METRICS = ("critic_loss", "policy_loss", "value", "entropy", "temperature")


class SacSettings(struct.PyTreeNode):
    """What may change while it learns, [] float32 each; see `SacConfig`."""

    learning_rate: jax.Array
    discount: jax.Array
    target_rate: jax.Array
    target_entropy: jax.Array
    temperature: jax.Array  # as it is now


class Batch(struct.PyTreeNode):
    """Samples of steps, every field with leading axis [num]."""

    obs: PyTree
    action: jax.Array  # within [-1, 1]
    reward: jax.Array
    next_obs: PyTree
    terminated: jax.Array
    weight: jax.Array  # they add up to 1


class Trained(struct.PyTreeNode):
    """Parameters, and the state of the optimiser that trains them."""

    params: PyTree
    optimiser: PyTree


class SacState(struct.PyTreeNode):
    """What an update changes."""

    policy: Trained
    critics: Trained
    value: Trained | None  # None: the critics have a target, no value network
    target: PyTree  # parameters that follow those of the value network, or of the critics
    temperature_optimiser: PyTree
    settings: SacSettings
    metrics: dict[str, jax.Array]  # scalars of the last update


def make_optimiser(settings: SacSettings) -> optax.GradientTransformation:
    return optax.adam(settings.learning_rate)


def soft_value(
    networks: Networks, params: PyTree, policy: Any, obs: PyTree, temperature: jax.Array, key: Key
) -> jax.Array:
    """V(s) = min_i Q_i(s, a) - temperature log pi(a), with a ~ `policy`; [num]."""
    action, log_prob = sample_action(policy, key)
    return jnp.min(networks.critics(params, obs, action), axis=0) - temperature * log_prob


def critic_loss(params: PyTree, networks: Networks, batch: Batch, target: jax.Array) -> jax.Array:
    """The sum over the critics of E[(Q(s, a) - target)^2] / 2; `target` is [num]."""
    values = networks.critics(params, batch.obs, batch.action)
    return 0.5 * jnp.sum(batch.weight[None] * (values - target[None]) ** 2)


def value_loss(params: PyTree, networks: Networks, batch: Batch, target: jax.Array) -> jax.Array:
    """E[(V(s) - target)^2] / 2; `target` is [num]."""
    return 0.5 * jnp.sum(batch.weight * (networks.value(params, batch.obs) - target) ** 2)


def policy_loss(
    params: PyTree,
    networks: Networks,
    critics: PyTree,
    batch: Batch,
    temperature: jax.Array,
    first_only: bool,
    key: Key,
) -> tuple[jax.Array, tuple[jax.Array, jax.Array]]:
    """E[temperature log pi(a) - Q(s, a)] with a ~ pi, and (min_i Q_i(s, a), log pi(a)), [num] each.

    Q is the smaller one of the two critics, or with `first_only` the first.
    """
    action, log_prob = sample_action(networks.policy(params, batch.obs), key)
    values = networks.critics(critics, batch.obs, action)
    least = jnp.min(values, axis=0)
    followed = values[0] if first_only else least
    return jnp.sum(batch.weight * (temperature * log_prob - followed)), (least, log_prob)


def update(
    key: Key, networks: Networks, state: SacState, batch: Batch, learn_temperature: bool
) -> SacState:
    """A step of the critics, the policy, the value network, the temperature and the target.

    Where there is a value network the policy follows the first critic alone.
    """
    settings, has_value = state.settings, state.value is not None
    key_target, key_policy = jax.random.split(key)
    target = _target(key_target, networks, state, batch)
    slope = jax.value_and_grad(critic_loss)
    of_critics, gradient = slope(state.critics.params, networks, batch, target)
    critics = descend(settings, state.critics, gradient)
    slope = jax.value_and_grad(policy_loss, has_aux=True)
    given = (networks, critics.params, batch, settings.temperature, has_value, key_policy)
    (of_policy, (least, log_prob)), gradient = slope(state.policy.params, *given)
    metrics = {
        "critic_loss": of_critics,
        "policy_loss": of_policy,
        "value": jnp.sum(batch.weight * least),
        "entropy": -jnp.sum(batch.weight * log_prob),
        "temperature": settings.temperature,
    }
    state = state.replace(
        critics=critics, policy=descend(settings, state.policy, gradient), metrics=metrics
    )
    state = _follow(networks, state, batch, least - settings.temperature * log_prob)
    if not learn_temperature:
        return state
    return _temper(state, jnp.sum(batch.weight * (-log_prob - settings.target_entropy)))


def _target(key: Key, networks: Networks, state: SacState, batch: Batch) -> jax.Array:
    """r + discount V(s') where the episode goes on, [num]."""
    settings = state.settings
    if state.value is not None:
        following = networks.value(state.target, batch.next_obs)
    else:
        policy = networks.policy(state.policy.params, batch.next_obs)
        fields = (policy, batch.next_obs, settings.temperature, key)
        following = soft_value(networks, state.target, *fields)
    return batch.reward + settings.discount * jnp.where(batch.terminated, 0, following)


def descend(settings: SacSettings, trained: Trained, gradient: PyTree) -> Trained:
    """One step of Adam."""
    change, optimiser = make_optimiser(settings).update(gradient, trained.optimiser)
    return Trained(optax.apply_updates(trained.params, change), optimiser)


def _follow(networks: Networks, state: SacState, batch: Batch, goal: jax.Array) -> SacState:
    """A step of the value network towards `goal` ([num]), and of the target towards it.

    Without one the target follows the critics.
    """
    followed = state.critics
    if state.value is not None:
        gradient = jax.grad(value_loss)(state.value.params, networks, batch, goal)
        followed = descend(state.settings, state.value, gradient)
        state = state.replace(value=followed)
    rate = state.settings.target_rate
    return state.replace(target=optax.incremental_update(followed.params, state.target, rate))


def _temper(state: SacState, surplus: jax.Array) -> SacState:
    """Lower the temperature where the policy's entropy has a surplus over its target, else raise
    it.

    The surplus is the gradient of the loss by the temperature's logarithm.
    """
    settings = state.settings
    change, optimiser = make_optimiser(settings).update(surplus, state.temperature_optimiser)
    temperature = settings.temperature * jnp.exp(cast(jax.Array, change))
    return state.replace(
        settings=settings.replace(temperature=temperature), temperature_optimiser=optimiser
    )
