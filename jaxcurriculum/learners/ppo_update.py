"""PPO's loss, and several passes of it over a round of samples."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import optax
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.learners.networks import Network
from jaxcurriculum.learners.shuffle import random_order
from jaxcurriculum.records import Key, PyTree

METRICS = ("policy_loss", "value_loss", "entropy", "kl", "clipped_fraction")


class PpoSettings(struct.PyTreeNode):
    """What may change while it learns, [] float32 each; see `PpoConfig`."""

    learning_rate: jax.Array
    discount: jax.Array
    gae_lambda: jax.Array
    clip_ratio: jax.Array
    entropy_coefficient: jax.Array
    value_coefficient: jax.Array
    max_gradient_norm: jax.Array


class Batch(struct.PyTreeNode):
    """Sequences of samples, every field with leading axes [length, num]."""

    obs: PyTree  # standardised
    action: PyTree  # before clipping
    first: jax.Array
    log_prob: jax.Array
    advantage: jax.Array
    target: jax.Array  # of the value, in units of the scaled reward
    weight: jax.Array


class Learned(struct.PyTreeNode):
    """What an update changes."""

    params: PyTree
    optimiser: PyTree


def clipped_surrogate(
    ratio: jax.Array, advantage: jax.Array, clip_ratio: float | jax.Array
) -> jax.Array:
    """PPO's objective of each sample: min(ratio A, clip(ratio, 1 - c, 1 + c) A)."""
    clipped = jnp.clip(ratio, 1 - clip_ratio, 1 + clip_ratio)
    return jnp.minimum(ratio * advantage, clipped * advantage)


def discovered_surrogate(log_ratio: jax.Array, advantage: jax.Array) -> jax.Array:
    """DPO's objective of each sample, ratio A - F, whose drift F meta-learning suggested:

        F = max(0, (ratio - 1) A - 2 tanh((ratio - 1) A / 2))       where A >= 0
        F = max(0, log(ratio) A - 0.6 tanh(log(ratio) A / 0.6))     where A < 0

    Source: C. Lu et al., "Discovered policy optimisation", 2022, arXiv:2210.05639.
    """
    ratio = jnp.exp(log_ratio)
    gain = jnp.where(advantage >= 0, ratio - 1, log_ratio) * advantage
    width = jnp.where(advantage >= 0, 2.0, 0.6)
    return ratio * advantage - jax.nn.relu(gain - width * jnp.tanh(gain / width))


def make_optimiser(settings: PpoSettings) -> optax.GradientTransformation:
    return optax.chain(
        optax.clip_by_global_norm(settings.max_gradient_norm),  # type: ignore[arg-type]
        optax.adam(settings.learning_rate, eps=1e-5),
    )


def loss(
    params: PyTree,
    network: Network,
    settings: PpoSettings,
    batch: Batch,
    memory: PyTree,
    objective: str,
) -> tuple[jax.Array, dict[str, jax.Array]]:
    """PPO's loss of a minibatch, and what is worth knowing about it, weighted averages all.

    L = -E[surrogate] + value_coefficient E[(V - target)^2] / 2
        - entropy_coefficient E[entropy]
    """
    weight = batch.weight / jnp.maximum(jnp.sum(batch.weight), 1e-8)
    centred = batch.advantage - jnp.sum(weight * batch.advantage)
    advantage = centred / (jnp.sqrt(jnp.sum(weight * centred**2)) + 1e-8)
    _, policy, value = network.unroll(params, memory, batch.obs, batch.first)
    log_ratio = policy.log_prob(batch.action) - batch.log_prob
    ratio = jnp.exp(log_ratio)
    if objective == "dpo":
        surrogate = discovered_surrogate(log_ratio, advantage)
    else:
        surrogate = clipped_surrogate(ratio, advantage, settings.clip_ratio)
    is_clipped = jnp.abs(ratio - 1) > settings.clip_ratio
    metrics = {
        "policy_loss": -jnp.sum(weight * surrogate),
        "value_loss": 0.5 * jnp.sum(weight * (value - batch.target) ** 2),
        "entropy": jnp.sum(weight * policy.entropy()),
        "kl": jnp.sum(weight * (ratio - 1 - log_ratio)),  # Schulman's low-variance estimate
        "clipped_fraction": jnp.sum(weight * is_clipped),
    }
    value_part = settings.value_coefficient * metrics["value_loss"]
    entropy_part = settings.entropy_coefficient * metrics["entropy"]
    return metrics["policy_loss"] + value_part - entropy_part, metrics


def update(
    key: Key,
    network: Network,
    learned: Learned,
    settings: PpoSettings,
    batch: Batch,
    memory: PyTree,
    num_epochs: int,
    minibatch_size: int,
    objective: str,
) -> tuple[Learned, dict[str, jax.Array]]:
    """`num_epochs` passes over a round, and the mean metrics of their gradient steps.

    A minibatch without any weight changes nothing.
    A policy without memory learns from single steps, another one from sequences, which begin with
    `memory` [num, ...].
    """
    num_steps, num = batch.weight.shape
    if not network.is_recurrent:
        batch = jax.tree.map(lambda x: x.reshape(1, num_steps * num, *x.shape[2:]), batch)
        num_steps, num = 1, num_steps * num
    keys = jax.random.split(key, num_epochs)
    order = jax.vmap(lambda key: random_order(key, num))(keys)
    optimiser = make_optimiser(settings)

    def gradient_step(learned: Learned, index: jax.Array) -> tuple[Learned, dict]:
        chosen = jax.tree.map(lambda leaf: leaf[:, index], batch)
        remembered = tree.take(memory, index)
        slope = jax.grad(loss, has_aux=True)
        gradient, metrics = slope(learned.params, network, settings, chosen, remembered, objective)
        change, state = optimiser.update(gradient, learned.optimiser)
        stepped = Learned(optax.apply_updates(learned.params, change), state)
        # without any weight Adam would still go on with its momentum
        has_weight = jnp.any(chosen.weight > 0)
        return jax.tree.map(lambda x, y: jnp.where(has_weight, x, y), stepped, learned), metrics

    minibatches = order.reshape(-1, minibatch_size // num_steps)
    learned, metrics = jax.lax.scan(gradient_step, learned, minibatches)
    return learned, jax.tree.map(jnp.mean, metrics)
