"""Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347) on the levels that a teacher proposes.

The recipe and where each choice comes from ("details" is Huang et al. 2022, "The 37 implementation details of PPO"):

- separate tanh networks for policy and value, orthogonal start with gain sqrt(2), last layers 0.01 and 1 (details 2 and 13);
- a Gaussian policy with a standard deviation that does not depend on the state, actions clipped to their box (details 11, 14);
- observations standardised by running statistics and clipped to +-10 (details 15, 16); the statistics change between rounds only,
  so that the ratio of the first update is exactly 1;
- rewards divided by the running standard deviation of the discounted return (detail 17), without clipping them, so that a fall
  (-100) keeps its size;
- generalised advantage estimation (arXiv:1506.02438), with the value of the true last observation where an episode is truncated
  (Pardo et al. 2018, arXiv:1712.00378);
- advantages standardised over each minibatch, global gradient-norm clipping, Adam with epsilon 1e-5 (details 3, 7, 10);
- no clipping of the value loss, which Andrychowicz et al. 2020 (arXiv:2006.05990) found to hurt;
- each sample's loss is multiplied by its proposal's weight (weight 0: rolled out and scored only, as in robust PLR).
"""

from __future__ import annotations

import dataclasses
import math
from typing import Any, cast

import jax
import jax.numpy as jnp
import optax
from flax import struct
from jax.typing import ArrayLike

from jaxcurriculum.checks import check_environment, strong_environment
from jaxcurriculum.fields import check_integers, check_kind, check_numbers, check_widths
from jaxcurriculum.learners.networks import Policy, Value
from jaxcurriculum.learners.normaliser import Moments, init_moments, standardise, update_moments
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.roles import Environment, Student
from jaxcurriculum.rollout import RolloutConfig, RolloutState, Trajectory, attempt, collect, finished_episodes, init_rollout

MOST_EPOCHS = 1000  # each shuffles all samples, before the first begins


@dataclasses.dataclass(frozen=True, kw_only=True)
class PpoConfig:
    """Sizes are static; everything from `learning_rate` on may be an array, so that a sweep is a `vmap`."""

    rollout: RolloutConfig = RolloutConfig()  # environments, steps and proposals a round
    hidden: tuple[int, ...] = (64, 64)  # width of each hidden layer, policy and value alike
    num_epochs: int = 5  # passes over a round's samples
    minibatch_size: int = 1024  # samples a gradient step; divides num_envs * num_steps
    learning_rate: ArrayLike = 1e-3  # Adam's step size
    discount: ArrayLike = 0.99  # per environment step
    gae_lambda: ArrayLike = 0.95  # 0: one-step advantage, 1: Monte-Carlo return
    clip_ratio: ArrayLike = 0.2  # largest change of an action's probability that is rewarded
    entropy_coefficient: ArrayLike = 0.0  # weight of the policy's entropy, nats
    value_coefficient: ArrayLike = 0.5  # weight of the value loss
    max_gradient_norm: ArrayLike = 0.5  # global norm at which gradients are clipped
    initial_log_std: ArrayLike = 0.0  # log standard deviation of the first policy's actions

    def __post_init__(self):
        batch = self.rollout.num_envs * self.rollout.num_steps
        check_widths(self, "hidden")
        check_integers(self, num_epochs=(1, MOST_EPOCHS), minibatch_size=1)
        if batch % self.minibatch_size:
            raise ValueError(f"PpoConfig.minibatch_size must divide num_envs * num_steps = {batch}, got {self.minibatch_size!r}.")
        positive, share = (0, math.inf), (0, 1)
        check_numbers(self, learning_rate=positive, discount=share, gae_lambda=share, clip_ratio=positive, entropy_coefficient=positive)
        check_numbers(self, value_coefficient=positive, max_gradient_norm=positive, initial_log_std=(-math.inf, math.inf))


class PpoState(struct.PyTreeNode):
    """What the next round needs, and the last round's metrics."""

    params: PyTree  # {"policy": ..., "value": ...}
    optimiser: PyTree
    obs_moments: Moments  # [obs_dim]
    return_moments: Moments  # [], of the discounted return under way
    running_return: jax.Array  # [num_envs], discounted sum of the rewards so far
    rollout: RolloutState
    metrics: dict[str, jax.Array]  # scalars of the last round


class Batch(struct.PyTreeNode):
    """Samples of one round, every field with leading axis [num_envs * num_steps]."""

    obs: jax.Array  # [..., obs_dim], standardised
    action: jax.Array  # [..., num_actions], before clipping
    log_prob: jax.Array
    advantage: jax.Array
    target: jax.Array  # of the value, in units of the scaled reward
    weight: jax.Array


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
      reward, value, next_value, terminated, over: [num_steps, ...]; `next_value` is that of the true next observation, `over`
        says that the episode ends here (terminated or truncated).

    Returns:
      advantages [num_steps, ...]; with lambda = 1, advantage + value is the (bootstrapped) discounted return.

    >>> ones, no, yes = jnp.ones(2), jnp.zeros(2, bool), jnp.array([False, True])
    >>> [float(a) for a in gae(ones, 0 * ones, 0 * ones, yes, yes, 0.5, 1.0)]
    [1.5, 1.0]
    """
    delta = reward + discount * jnp.where(terminated, 0, next_value) - value

    def step(advantage, inputs):
        delta, over = inputs
        advantage = delta + discount * gae_lambda * jnp.where(over, 0, advantage)
        return advantage, advantage

    return jax.lax.scan(step, jnp.zeros_like(delta[0]), (delta, over), reverse=True)[1]


def clipped_surrogate(ratio: jax.Array, advantage: jax.Array, clip_ratio: ArrayLike) -> jax.Array:
    """PPO's objective of each sample: min(ratio A, clip(ratio, 1 - c, 1 + c) A)."""
    return jnp.minimum(ratio * advantage, jnp.clip(ratio, 1 - clip_ratio, 1 + clip_ratio) * advantage)


def ppo(env: Environment, config: PpoConfig = PpoConfig()) -> Student:
    """A PPO student on `env`.

    One round: collect num_envs * num_steps transitions, then `num_epochs` passes of clipped-surrogate updates over them.

    Raises:
      ValueError: when a function of `env` does not keep its contract (see `check_environment`).
    """
    check_kind("ppo.env", env, Environment)
    check_kind("ppo.config", config, PpoConfig)
    check_environment(env)
    env = strong_environment(env)
    policy_net = Policy(config.hidden, env.action_space.dims, config.initial_log_std)
    value_net = Value(config.hidden)
    distribution = lambda params, obs: cast(Any, policy_net.apply(params["policy"], obs))
    value = lambda params, obs: cast(Any, value_net.apply(params["value"], obs))
    optimiser = optax.chain(optax.clip_by_global_norm(config.max_gradient_norm), optax.adam(cast(Any, config.learning_rate), eps=1e-5))
    num_envs, num_steps = config.rollout.num_envs, config.rollout.num_steps

    def init(key: Key) -> PpoState:
        key_policy, key_value = jax.random.split(key)
        obs = jnp.zeros((1, env.obs_dim))
        params = {"policy": policy_net.init(key_policy, obs), "value": value_net.init(key_value, obs)}
        zero = jnp.zeros((), jnp.float32)
        return PpoState(
            params=params,
            optimiser=optimiser.init(params),
            obs_moments=init_moments((env.obs_dim,)),
            return_moments=init_moments(()),
            running_return=jnp.zeros((num_envs,), jnp.float32),
            rollout=init_rollout(env, num_envs),
            metrics={name: zero for name in FLOAT_METRICS} | {name: jnp.zeros((), jnp.int32) for name in COUNTS},
        )

    def sample_actions(params, obs_moments, deterministic):
        def policy(key, obs):
            actions = distribution(params, standardise(obs_moments, obs))
            action = actions.mean() if deterministic else actions.sample(seed=key)
            return action, actions.log_prob(action)

        return policy

    def train(key, state, proposals):
        key_collect, key_update = jax.random.split(key)
        policy = sample_actions(state.params, state.obs_moments, False)
        rollout, trajectory, table, counts = collect(key_collect, env, config.rollout, state.rollout, proposals, policy)
        running_return, return_moments = _observe_returns(state, trajectory, config.discount)
        scale = jnp.sqrt(return_moments.variance + 1e-8)

        obs, next_obs = (standardise(state.obs_moments, x) for x in (trajectory.obs, trajectory.next_obs))
        values, next_values = value(state.params, obs), value(state.params, next_obs)
        over = trajectory.terminated | trajectory.truncated
        advantages = gae(trajectory.reward / scale, values, next_values, trajectory.terminated, over, config.discount, config.gae_lambda)
        sums, episodes, dropped = finished_episodes(
            env, table, trajectory, rollout.sums, values * scale, advantages * scale, config.discount
        )
        batch = Batch(
            obs=obs,
            action=trajectory.action,
            log_prob=trajectory.extras,
            advantage=advantages,
            target=advantages + values,
            weight=table.proposals.weight[trajectory.row],
        )
        batch = jax.tree.map(lambda x: x.reshape(num_envs * num_steps, *x.shape[2:]), batch)
        params, optimiser_state, metrics = update(key_update, state.params, state.optimiser, batch)
        metrics = metrics | counts | {"dropped": dropped, "nonfinite": _count_nonfinite((params, trajectory.reward, trajectory.obs))}
        return PpoState(
            params=params,
            optimiser=optimiser_state,
            obs_moments=update_moments(state.obs_moments, trajectory.obs.reshape(-1, env.obs_dim)),
            return_moments=return_moments,
            running_return=running_return,
            rollout=rollout.replace(sums=sums),
            metrics=metrics,
        ), episodes

    def loss(params, batch: Batch):
        weight = batch.weight / jnp.maximum(jnp.sum(batch.weight), 1e-8)
        centred = batch.advantage - jnp.sum(weight * batch.advantage)
        advantage = centred / (jnp.sqrt(jnp.sum(weight * centred**2)) + 1e-8)
        actions = distribution(params, batch.obs)
        log_ratio = actions.log_prob(batch.action) - batch.log_prob
        ratio = jnp.exp(log_ratio)
        policy_loss = -jnp.sum(weight * clipped_surrogate(ratio, advantage, config.clip_ratio))
        value_loss = 0.5 * jnp.sum(weight * (value(params, batch.obs) - batch.target) ** 2)
        entropy = jnp.sum(weight * actions.entropy())
        metrics = {
            "policy_loss": policy_loss,
            "value_loss": value_loss,
            "entropy": entropy,
            "kl": jnp.sum(weight * (ratio - 1 - log_ratio)),  # Schulman's low-variance estimate
            "clipped_fraction": jnp.sum(weight * (jnp.abs(ratio - 1) > config.clip_ratio)),
        }
        return policy_loss + config.value_coefficient * value_loss - config.entropy_coefficient * entropy, metrics

    def update(key, params, optimiser_state, batch: Batch):
        num = num_envs * num_steps
        order = jax.vmap(lambda key: jax.random.permutation(key, num))(jax.random.split(key, config.num_epochs))

        def gradient_step(carry, index):
            params, optimiser_state = carry
            gradient, metrics = jax.grad(loss, has_aux=True)(params, jax.tree.map(lambda x: x[index], batch))
            change, optimiser_state = optimiser.update(gradient, optimiser_state)
            return (optax.apply_updates(params, change), optimiser_state), metrics

        carry, metrics = jax.lax.scan(gradient_step, (params, optimiser_state), order.reshape(-1, config.minibatch_size))
        return *carry, jax.tree.map(jnp.mean, metrics)

    def evaluate(key, state, tasks, seeds, num_episodes, deterministic):
        return attempt(key, env, sample_actions(state.params, state.obs_moments, deterministic), tasks, seeds, num_episodes)

    def act(key, state, obs, deterministic):
        action, _ = sample_actions(state.params, state.obs_moments, deterministic)(key, obs[None])
        return env.action_space.clip(action[0])

    return Student(
        name="ppo",
        task_space=env.task_space,
        num_proposals=config.rollout.pool_size,
        steps_per_round=num_envs * num_steps,
        step_unit="environment steps",
        init=init,
        train=train,
        evaluate=evaluate,
        report=lambda state: state.metrics,
        act=act,
    )


FLOAT_METRICS = ("policy_loss", "value_loss", "entropy", "kl", "clipped_fraction")
COUNTS = ("pool_wraps", "repeated_starts", "dropped", "nonfinite")


def _observe_returns(state: PpoState, trajectory: Trajectory, discount: ArrayLike) -> tuple[jax.Array, Moments]:
    """Follow the discounted return of every environment through a round, and its variance."""

    def step(running, inputs):
        reward, over = inputs
        running = discount * running + reward
        return jnp.where(over, 0, running), running

    running, seen = jax.lax.scan(step, state.running_return, (trajectory.reward, trajectory.terminated | trajectory.truncated))
    return running, update_moments(state.return_moments, seen.reshape(-1))


def _count_nonfinite(tree: PyTree) -> jax.Array:
    return sum((jnp.sum(~jnp.isfinite(leaf), dtype=jnp.int32) for leaf in jax.tree.leaves(tree)), start=jnp.int32(0))
