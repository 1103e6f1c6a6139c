"""What an agent did last, and what it got for it, as part of what it sees."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from jaxcurriculum import tree
from jaxcurriculum.envs.wrappers.viewer import InnerViewer
from jaxcurriculum.fields import check_kind
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box, Discrete, Product, Space


def with_previous(env: Environment) -> Environment:
    """`env`, whose observations also hold the action and the reward of the step before.

    Observation: {"obs": that of `env`, "action": the action as it was played (a choice as one-hot),
    "reward": [1], "first": [1], 1 where an episode begins, before which there was neither}. With a
    memory, and several attempts at each level (`trial`), that is all an agent needs to learn within
    an episode.

    Raises:
      TypeError: when actions are no Box, Discrete, or Product of them.

    >>> from jaxcurriculum.envs import cart_pole
    >>> shapes = with_previous(cart_pole()).observation_shapes()
    >>> {name: leaf.shape for name, leaf in shapes.items()}
    {'action': (2,), 'first': (1,), 'obs': (9,), 'reward': (1,)}
    """
    check_kind("with_previous.env", env, Environment)
    space = env.action_space
    key = jax.eval_shape(lambda: jax.random.key(0))
    shapes = jax.eval_shape(lambda key: as_numbers(space, space.sample(key)), key)

    def seen(timestep: TimeStep, action: PyTree, first: bool) -> TimeStep:
        numbers = {"reward": timestep.reward[None], "first": jnp.full((1,), first, jnp.float32)}
        return timestep.replace(obs={"obs": timestep.obs, "action": action, **numbers})

    def reset(key: Key, level: PyTree) -> tuple[PyTree, TimeStep]:
        state, timestep = env.reset(key, level)
        return state, seen(timestep, tree.blank(shapes), True)

    def step(key: Key, level: PyTree, state: PyTree, action: PyTree) -> tuple[PyTree, TimeStep]:
        state, timestep = env.step(key, level, state, action)
        return state, seen(timestep, as_numbers(space, action), False)

    viewer = env.viewer and InnerViewer(env.viewer, lambda state, obs: (state, obs["obs"]))
    name = f"{env.name}, with previous"
    return dataclasses.replace(env, name=name, reset=reset, step=step, viewer=viewer)


def as_numbers(space: Space, action: PyTree) -> PyTree:
    """An action as a network can read it: choices as one-hot, the rest as it is."""
    if isinstance(space, Product):
        parts = space.parts.items()
        return {name: as_numbers(part, action[name]) for name, part in parts}
    if isinstance(space, Discrete):
        return jax.nn.one_hot(action, space.num)
    if isinstance(space, Box):
        return action
    kinds = "a Box, a Discrete or a Product of them"
    raise TypeError(f"with_previous: actions must be {kinds}, got {type(space).__name__}.")
