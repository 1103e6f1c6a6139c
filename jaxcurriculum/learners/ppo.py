"""Proximal policy optimisation (Schulman et al. 2017, arXiv:1707.06347).

    policy:  maximise  $min(r A, clip(r, 1 - epsilon, 1 + epsilon) A)$    $r = pi(a) / pi_old(a)$
    value:   minimise  $(V - (V_old + A))^2$
    GAE:     $A_t = delta_t + gamma lambda A_{t+1}$    $gamma$ = `discount`, $lambda$ = `gae_lambda`
             $delta_t = R_t + gamma V(s_{t+1}) - V(s_t)$

The recipe and where each choice comes from ("details" is Huang et al. 2022, "The 37 implementation
details of PPO"):

- separate tanh networks for policy and value, or one body with layers of memory (GRU, LSTM or S5);
  orthogonal start with gain sqrt(2), last layers 0.01 and 1 (details 2 and 13);
- a Gaussian policy with a standard deviation that does not depend on the state, actions clipped to
  their box (details 11, 14), or a categorical one; with `box_policy="beta"` a beta distribution
  over the box, of which nothing is clipped (Chou, Maturana & Scherer, ICML 2017);
- observations standardised by running statistics and clipped to +-10 (details 15, 16), images and
  whole numbers left as they are (networks scale the bytes of an image to [0, 1]); the statistics
  change between rounds only, so that the ratio of the first update is exactly 1;
- rewards divided by the running standard deviation of the discounted return (detail 17), without
  clipping them, so that a fall (-100) keeps its size;
- the value of the true last observation where an episode is truncated (Pardo et al. 2018,
  arXiv:1712.00378);
- advantages standardised over each minibatch, global gradient-norm clipping, Adam with epsilon 1e-5
  (details 3, 7, 10);
- with memory a minibatch is whole sequences, which begin with what was remembered then;
- with `objective="dpo"` the drift of discovered policy optimisation takes the place of the clip
  (Lu et al. 2022, arXiv:2210.05639);
- no clipping of the value loss, which Andrychowicz et al. 2020 (arXiv:2006.05990) found to hurt;
- each sample's loss is multiplied by its proposal's weight (weight 0: rolled out and scored only,
  as in robust PLR).
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.learners.gae import gae
from jaxcurriculum.learners.networks import LAYERS, Network, feed_forward, recurrent
from jaxcurriculum.learners.normaliser import (
    Moments,
    init_moments,
    init_obs_moments,
    standardise_obs,
    update_moments,
    update_obs_moments,
)
from jaxcurriculum.learners.ppo_update import (
    METRICS,
    Batch,
    Learned,
    PpoSettings,
    make_optimiser,
    update,
)
from jaxcurriculum.records import Critique, Experience, Key, PyTree
from jaxcurriculum.roles import Environment, Learner


@dataclasses.dataclass(frozen=True, kw_only=True)
class PpoConfig(Config):
    """Sizes are static; from `learning_rate` on values may be arrays: a sweep is a `vmap`.

    All of these but `initial_log_std` lie in the learner's state, where they may be changed
    between rounds without a compilation: of a loop's state in `state.student.learner.settings`,
    as `settings.replace(learning_rate=jnp.float32(1e-4))`.
    """

    hidden: tuple[int, ...] = field(
        (64, 64), low=1, help="width of each hidden layer, policy and value alike"
    )
    memory: Literal["none", "gru", "lstm", "s5"] = field(
        "none", help="what the policy remembers steps with; s5: a linear state space"
    )
    memory_size: int = field(128, low=1, help="features of each layer of memory; even for s5")
    memory_layers: int = field(1, low=1, help="layers of memory, one after another")
    standardise: bool = field(
        True, help="standardise observations by running statistics; images and whole numbers never"
    )
    num_epochs: int = field(5, low=1, help="passes over a round's samples")
    minibatch_size: int = field(
        1024, low=1, help="samples a gradient step; divides num_envs * num_steps"
    )
    objective: Literal["clip", "dpo"] = field(
        "clip", help="of the policy; dpo: drift that meta-learning discovered, without clip_ratio"
    )
    box_policy: Literal["gaussian", "beta"] = field(
        "gaussian", help="of actions in a box; beta: it ends at their bounds, instead of clipping"
    )
    learning_rate: Swept = field(1e-3, low=0, help="Adam's step size")
    discount: Swept = field(0.99, low=0, high=1, help="per environment step")
    gae_lambda: Swept = field(
        0.95, low=0, high=1, help="0: one-step advantage, 1: Monte-Carlo return"
    )
    clip_ratio: Swept = field(
        0.2, low=0, help="largest change of an action's probability that is rewarded"
    )
    entropy_coefficient: Swept = field(0.0, low=0, help="weight of the policy's entropy, nats")
    value_coefficient: Swept = field(0.5, low=0, help="weight of the value loss")
    max_gradient_norm: Swept = field(0.5, low=0, help="global norm at which gradients are clipped")
    initial_log_std: Swept = field(0.0, help="log standard deviation of the first policy's actions")


class PpoState(struct.PyTreeNode):
    """What the next round needs, and the last round's metrics."""

    params: PyTree
    optimiser: PyTree
    settings: PpoSettings
    obs_moments: list[Moments | None]  # of every leaf of an observation; None: left as it is
    return_moments: Moments  # [], of the discounted return under way
    running_return: jax.Array  # [num_envs], discounted sum of the rewards so far
    metrics: dict[str, jax.Array]  # scalars of the last round


def ppo(env: Environment, config: PpoConfig, num_envs: int) -> Learner:
    """PPO for the observations and actions of `env`, of which `num_envs` are stepped together.

    Raises:
      TypeError: when an argument is something else, or there is no distribution over the actions of
        `env`.
      ValueError: when `num_envs` is no positive integer, or a layer of memory cannot have so many
        features.
    """
    check_kind("ppo.env", env, Environment)
    check_kind("ppo.config", config, PpoConfig)
    if not is_integer(num_envs, 1):
        raise ValueError(f"ppo.num_envs must be a positive integer, got {num_envs!r}.")
    network = _network(env, config)

    def init(key: Key) -> PpoState:
        obs = tree.blank(env.observation_shapes())
        params = network.init(key, jax.tree.map(lambda leaf: leaf[None, None], obs))
        settings = _settings(config)
        return PpoState(
            params=params,
            optimiser=make_optimiser(settings).init(params),
            settings=settings,
            obs_moments=init_obs_moments(obs, config.standardise),
            return_moments=init_moments(()),
            running_return=jnp.zeros((num_envs,), jnp.float32),
            metrics={name: jnp.float32(0) for name in METRICS} | {"nonfinite": jnp.int32(0)},
        )

    def act(key, state, memory, obs, first, deterministic):
        obs = standardise_obs(state.obs_moments, obs)
        one_step = jax.tree.map(lambda leaf: leaf[None], (obs, first))
        memories, policy, _ = network.unroll(state.params, memory, *one_step)
        action = policy.mode() if deterministic else policy.sample(seed=key)
        extras = policy.log_prob(action)
        return jax.tree.map(lambda leaf: leaf[0], (memories, action, extras))

    def learn(key, state, experience):
        running_return, return_moments = _observe_returns(state, experience)
        scale = jnp.sqrt(return_moments.variance + 1e-8)
        values, advantages = _evaluate(network, state, experience, scale)
        batch = _batch(state, experience, values, advantages)
        before = Learned(state.params, state.optimiser)

        def pass_over() -> tuple[Learned, dict[str, jax.Array]]:
            how = (config.num_epochs, config.minibatch_size, config.objective)
            given = (before, state.settings, batch, experience.memory)
            return update(key, network, *given, *how)

        def nothing() -> tuple[Learned, dict[str, jax.Array]]:
            return before, {name: jnp.float32(0) for name in METRICS}

        # not mapped over seeds: rounds of new levels alone, of robust replay, cost no update
        has_weight = shared_max(jnp.any(experience.weight > 0).astype(jnp.int32)) > 0
        learned, metrics = jax.lax.cond(has_weight, pass_over, nothing)
        critique = Critique(values * scale, advantages * scale, state.settings.discount)
        return PpoState(
            params=learned.params,
            optimiser=learned.optimiser,
            settings=state.settings,
            obs_moments=update_obs_moments(state.obs_moments, experience.obs),
            return_moments=return_moments,
            running_return=running_return,
            metrics=metrics | {"nonfinite": count_nonfinite(learned.params)},
        ), critique

    return Learner(
        name="ppo",
        init=init,
        memory=network.memory,
        act=act,
        learn=learn,
        report=lambda state: state.metrics,
        config=config,
    )


def _network(env: Environment, config: PpoConfig) -> Network:
    actions = env.action_space
    std = config.initial_log_std if config.box_policy == "gaussian" else None
    if config.memory == "none":
        return feed_forward(actions, config.hidden, std)
    size = (config.memory_size, config.memory_layers)
    return recurrent(LAYERS[config.memory], actions, config.hidden, *size, std)


def _settings(config: PpoConfig) -> PpoSettings:
    """What of `config` is an array of the state."""
    fields = {
        each.name: jnp.asarray(getattr(config, each.name), jnp.float32)
        for each in dataclasses.fields(PpoSettings)
    }
    return PpoSettings(**fields)


def _batch(
    state: PpoState, experience: Experience, values: jax.Array, advantages: jax.Array
) -> Batch:
    return Batch(
        obs=standardise_obs(state.obs_moments, experience.obs),
        action=experience.action,
        first=experience.first,
        log_prob=experience.extras,
        advantage=advantages,
        target=advantages + values,
        weight=experience.weight,
    )


def _evaluate(
    network: Network, state: PpoState, experience: Experience, scale: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Values and advantages of a round, [num_steps, num], in units of the scaled reward."""
    settings = state.settings
    obs, next_obs = (
        standardise_obs(state.obs_moments, x) for x in (experience.obs, experience.next_obs)
    )
    memories, _, values = network.unroll(state.params, experience.memory, obs, experience.first)
    following = next_values(network, state.params, memories, next_obs, experience.first)
    over = experience.terminated | experience.truncated
    advantages = gae(
        experience.reward / scale,
        values,
        following,
        experience.terminated,
        over,
        settings.discount,
        settings.gae_lambda,
    )
    return values, advantages


def next_values(
    network: Network, params: PyTree, memories: PyTree, next_obs: PyTree, first: jax.Array
) -> jax.Array:
    """The value of each step's true next observation, seen with the memory after the step."""
    num_steps, num = first.shape

    def as_one_step(leaf: jax.Array) -> jax.Array:
        return leaf.reshape(1, num_steps * num, *leaf.shape[2:])

    memory = jax.tree.map(lambda leaf: as_one_step(leaf)[0], memories)
    obs = jax.tree.map(as_one_step, next_obs)
    goes_on = jnp.zeros((1, num_steps * num), bool)
    return network.unroll(params, memory, obs, goes_on)[2].reshape(num_steps, num)


def _observe_returns(state: PpoState, experience: Experience) -> tuple[jax.Array, Moments]:
    """Follow the discounted return of every environment through a round, and its variance."""
    discount = state.settings.discount

    def step(running, inputs):
        reward, over = inputs
        running = discount * running + reward
        return jnp.where(over, 0, running), running

    over = experience.terminated | experience.truncated
    running, seen = jax.lax.scan(step, state.running_return, (experience.reward, over))
    return running, update_moments(state.return_moments, seen.reshape(-1))


def count_nonfinite(values: PyTree) -> jax.Array:
    """How many numbers of a pytree are nan or infinite, [] int32."""
    leaves = jax.tree.leaves(values)
    counts = [jnp.sum(~jnp.isfinite(leaf), dtype=jnp.int32) for leaf in leaves]
    return sum(counts, start=jnp.int32(0))
