"""Soft actor-critic (Haarnoja et al. 2018, arXiv:1812.05905), which also learns from old steps.

    critics:      minimise  $(Q_i(s, a) - R - gamma V(s'))^2$    $gamma$ = `discount`
    soft value:   $V(s) = min_i Q_i(s, a) - alpha log pi(a)$    $a$ ~ $pi(s)$, by a target's $Q_i$
    policy:       minimise  $alpha log pi(a) - min_i Q_i(s, a)$
    temperature:  $log alpha$ falls where the entropy $-log pi(a)$ is above `target_entropy`
    target:       moves by `target_rate` of the way towards the critics at every update

The policy is a Gaussian whose mean and standard deviation depend on the observation, squashed by
tanh and scaled to the box of actions. Observations enter as they are. Where an episode is
truncated, its true last observation has a value like any other. Each sample's loss is multiplied
by its proposal's weight; those of weight 0 do not count in any mean.

`SacConfig.published_2019()` is the first form (arXiv:1801.01290) with the settings of the
automatic curricula of 2019 (Portelas et al., arXiv:1910.07224; OpenAI's Spinning Up 0.1.1): a value
network, which has the target in place of the critics, a policy that follows the first critic
alone, and a fixed temperature.

Differs from Spinning Up 0.1.1: the logarithm of the standard deviation is clipped to [-20, 2], not
squashed, and updates are spread over the rounds, not saved for the ends of episodes.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import check_kind
from jaxcurriculum.learners.ppo import count_nonfinite
from jaxcurriculum.learners.sac_networks import Networks, best_action, make_networks
from jaxcurriculum.learners.sac_update import (
    METRICS,
    Batch,
    SacSettings,
    SacState,
    Trained,
    make_optimiser,
    soft_value,
    update,
)
from jaxcurriculum.records import Critique, Experience, Key, PyTree
from jaxcurriculum.roles import Environment, Learner
from jaxcurriculum.spaces import Box


@dataclasses.dataclass(frozen=True, kw_only=True)
class SacConfig(Config):
    """Sizes are static; from `learning_rate` on values may be arrays: a sweep is a `vmap`.

    These lie in the learner's state, where they may be changed between rounds without a
    compilation: of a loop's state in `state.student.learner.settings`, as
    `settings.replace(learning_rate=jnp.float32(1e-4))`.
    """

    hidden: tuple[int, ...] = field((256, 256), low=1, help="width of each network's hidden layers")
    learn_temperature: bool = field(True, help="False: the temperature stays as it is")
    value_network: bool = field(
        False, help="a value network has the target, and the policy follows the first critic"
    )
    learning_rate: Swept = field(3e-4, low=0, help="Adam's step size, of every network")
    discount: Swept = field(0.99, low=0, high=1, help="per environment step")
    target_rate: Swept = field(
        0.005, low=0, high=1, help="share of the way that the target moves at an update"
    )
    target_entropy: Swept = field(-1.0, help="of each dimension of the action within [-1, 1], nats")
    temperature: Swept = field(
        1.0, low=0, help="reward for a nat of entropy; the first one where it is learned"
    )

    @classmethod
    def published_2019(cls) -> SacConfig:
        """Of the automatic curricula of 2019."""
        return cls(
            hidden=(400, 300),
            learn_temperature=False,
            value_network=True,
            learning_rate=1e-3,
            temperature=0.005,
        )


def sac(env: Environment, config: SacConfig) -> Learner:
    """SAC for the observations and the Box of actions of `env`; for `students.off_policy`.

    Raises:
      TypeError: when an argument is something else.
      ValueError: when the actions of `env` are no Box.
    """
    check_kind("sac.env", env, Environment)
    check_kind("sac.config", config, SacConfig)
    actions = env.action_space
    if not isinstance(actions, Box):
        kind = type(actions).__name__
        raise ValueError(f"SAC needs actions in a Box, but those of {env.name!r} are {kind}.")
    networks = make_networks(actions.dims, config.hidden)
    low, high = (bound[None] for bound in actions.bounds)
    centre, half_width = (low + high) / 2, (high - low) / 2

    def init(key: Key) -> SacState:
        obs = tree.blank(env.observation_shapes(), 1)
        return _first_state(networks.init(key, obs), config, actions.dims)

    def act(key, state, memory, obs, first, deterministic):
        policy = networks.policy(state.policy.params, obs)
        action = best_action(policy) if deterministic else policy.sample(seed=key)
        return memory, centre + half_width * action, ()

    def learn(key, state, experience):
        steps = _joined(experience)
        action = (steps.action - centre) / (half_width + (half_width == 0))
        batch = Batch(
            obs=steps.obs,
            action=action,
            reward=steps.reward,
            next_obs=steps.next_obs,
            terminated=steps.terminated,
            weight=steps.weight / jnp.maximum(jnp.sum(steps.weight), 1e-8),
        )
        return update(key, networks, state, batch, config.learn_temperature), None

    return Learner(
        name="sac",
        init=init,
        memory=lambda num: (),
        act=act,
        learn=learn,
        critique=lambda key, state, experience: _critique(key, networks, state, experience),
        report=lambda state: state.metrics | {"nonfinite": count_nonfinite(state.policy.params)},
        config=config,
    )


def _first_state(params: dict[str, PyTree], config: SacConfig, dims: int) -> SacState:
    values = {
        each.name: jnp.asarray(getattr(config, each.name), jnp.float32)
        for each in dataclasses.fields(SacSettings)
    }
    settings = SacSettings(**(values | {"target_entropy": dims * values["target_entropy"]}))
    optimiser = make_optimiser(settings)
    trained = {name: Trained(part, optimiser.init(part)) for name, part in params.items()}
    return SacState(
        policy=trained["policy"],
        critics=trained["critics"],
        value=trained["value"] if config.value_network else None,
        target=params["value" if config.value_network else "critics"],
        temperature_optimiser=optimiser.init(settings.temperature),
        settings=settings,
        metrics={name: jnp.float32(0) for name in METRICS},
    )


def _critique(key: Key, networks: Networks, state: SacState, experience: Experience) -> Critique:
    """Values min_i Q_i(s, a) with a ~ pi(s), and one-step errors R + gamma V(s') - min_i Q_i(s, a).

    Both count the entropy of the steps to come as reward.
    """
    steps, settings = _joined(experience), state.settings
    key_now, key_next = jax.random.split(key)

    def value(key: Key, obs: PyTree, temperature: jax.Array) -> jax.Array:
        policy = networks.policy(state.policy.params, obs)
        return soft_value(networks, state.critics.params, policy, obs, temperature, key)

    values = value(key_now, steps.obs, jnp.float32(0))
    following = value(key_next, steps.next_obs, settings.temperature)
    goal = steps.reward + settings.discount * jnp.where(steps.terminated, 0, following)
    shape = experience.reward.shape
    return Critique(
        values=values.reshape(shape),
        advantages=(goal - values).reshape(shape),
        discount=settings.discount,
    )


def _joined(experience: Experience) -> Experience:
    """Steps one after another, leading axes [length, num] to [length * num]."""
    return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), experience)
