"""Policies trained here on BipedalWalker-v3 ground, played here and in gymnasium.

bipedal_policy_*.npz hold them: the networks that

    jaxcurriculum train --env bipedal-walker --body BODY --teacher random --seeds 1
        --steps 12e6 --evaluate-every 1e6 --env.contact-flag box2d

had at its end, with the moments of the observations.
"""

import contextlib
import pathlib
from unittest import mock

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
from Box2D.b2 import fixtureDef, polygonShape
from gymnasium.envs.box2d import bipedal_walker

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.bodies import get_body

NUM = 100  # episodes


def load(body):
    """The numbers of the policy trained with this body, by name."""
    with np.load(pathlib.Path(__file__).with_name(f"bipedal_policy_{body}.npz")) as file:
        return dict(file)


def act(policy, obs, xp=jnp):
    """Mean actions [N, 4] of the policy for observations [N, 24], computed by NumPy or JAX."""
    deviation = xp.sqrt(policy["variance"] + 1e-8)
    x = xp.clip((obs - policy["mean"][None]) / deviation[None], -10, 10)
    for layer in range(2):
        x = xp.tanh(x @ policy[f"kernel_{layer}"] + policy[f"bias_{layer}"][None])
    return xp.clip(x @ policy["kernel_2"] + policy["bias_2"][None], -1, 1)


def returns_here(body, policy, hardcore=False, num=NUM, compiler=jax.jit):
    """Returns [num] of the policy in the engine, compiled by `compiler`."""
    env = envs.bipedal_walker(body, hardcore, contact_flag="box2d")
    keys = jax.random.split(jax.random.key(1), num)

    @compiler
    def play():
        levels = jax.vmap(env.generate, in_axes=(0, None))(keys, jnp.ones(1))
        states, first = jax.vmap(env.reset)(keys, levels)

        def step(carry, _):
            states, obs, done = carry
            states, now = jax.vmap(env.step)(keys, levels, states, act(policy, obs))
            return (states, now.obs, done | now.terminated), jnp.where(done, 0.0, now.reward)

        start = states, first.obs, jnp.zeros(num, bool)
        _, rewards = jax.lax.scan(step, start, length=env.max_episode_steps)
        return rewards.sum(0)

    return np.asarray(play())


def returns_there(body, policy, hardcore=False, num=NUM):
    """Returns [num] of the policy in gymnasium's own environment, its legs replaced by those of
    the body.
    """
    returns = []
    env = gymnasium.make("BipedalWalkerHardcore-v3" if hardcore else "BipedalWalker-v3")
    with _legs_of(get_body(body)):
        for seed in range(num):
            (obs, _), total, done = env.reset(seed=seed), 0.0, False
            while not done:
                action = act(policy, obs[None], np)[0]  # one at a time: JAX would take longer
                obs, reward, terminated, truncated, _ = env.step(action)
                total, done = total + reward, terminated or truncated
            returns.append(total)
    return np.array(returns)


@contextlib.contextmanager
def _legs_of(body):
    def link(width, length):
        shape = polygonShape(box=(width / 2, length / 2))
        return fixtureDef(shape=shape, density=1.0, restitution=0.0, categoryBits=0x20, maskBits=1)

    upper, lower = map(link, body.link_widths, body.link_lengths)
    with mock.patch.multiple(
        bipedal_walker, LEG_H=body.link_lengths[0], LEG_FD=upper, LOWER_FD=lower
    ):
        yield
