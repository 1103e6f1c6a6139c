"""Policies trained here on BipedalWalker-v3 ground run unchanged in gymnasium's BipedalWalker-v3.

references/bipedal_policy_*.npz hold them: the networks that `jaxcurriculum train --env bipedal-walker --body BODY --teacher random
--seeds 1 --steps 12e6 --evaluate-every 1e6 --set env.contact_flag=box2d` had at its end, with the moments of the observations.
"""

import pathlib

import gymnasium
import jax
import jax.numpy as jnp
import numpy as np
import pytest
from Box2D.b2 import fixtureDef, polygonShape
from gymnasium.envs.box2d import bipedal_walker

from jaxcurriculum import envs
from jaxcurriculum.envs.walker.bodies import get_body

NUM = 100  # episodes


def load(body):
    with np.load(pathlib.Path(__file__).parents[2] / "references" / f"bipedal_policy_{body}.npz") as file:
        return dict(file)


def act(policy, obs):
    """Mean actions [N, 4] of the policy for observations [N, 24]."""
    x = jnp.clip((obs - policy["mean"][None]) / jnp.sqrt(policy["variance"] + 1e-8)[None], -10, 10)
    for layer in range(2):
        x = jnp.tanh(x @ policy[f"kernel_{layer}"] + policy[f"bias_{layer}"][None])
    return jnp.clip(x @ policy["kernel_2"] + policy["bias_2"][None], -1, 1)


def returns_here(body, policy, hardcore=False):
    env = envs.bipedal_walker(body, hardcore, contact_flag="box2d")
    keys = jax.random.split(jax.random.key(1), NUM)

    @jax.jit
    def play():
        levels = jax.vmap(env.generate, in_axes=(0, None))(keys, jnp.ones(1))
        states, first = jax.vmap(env.reset)(keys, levels)

        def step(carry, _):
            states, obs, over = carry
            states, now = jax.vmap(env.step)(keys, levels, states, act(policy, obs))
            return (states, now.obs, over | now.terminated), jnp.where(over, 0.0, now.reward)

        return jax.lax.scan(step, (states, first.obs, jnp.zeros(NUM, bool)), length=env.max_episode_steps)[1].sum(0)

    return np.asarray(play())


def returns_there(policy, hardcore=False):
    """Returns of gymnasium's own environment, episode by episode."""
    choose, returns = jax.jit(act), []
    policy = jax.tree.map(jnp.asarray, policy)
    env = gymnasium.make("BipedalWalkerHardcore-v3" if hardcore else "BipedalWalker-v3")
    for seed in range(NUM):
        (obs, _), total, over = env.reset(seed=seed), 0.0, False
        while not over:
            obs, reward, terminated, truncated, _ = env.step(np.asarray(choose(policy, obs[None]))[0])
            total, over = total + reward, terminated or truncated
        returns.append(total)
    return np.array(returns)


@pytest.mark.parametrize("body", ["default", "short"])
def test_a_policy_trained_here_walks_in_gymnasium(body, monkeypatch):
    policy, sizes = load(body), get_body(body)
    shapes = [polygonShape(box=(width / 2, length / 2)) for width, length in zip(sizes.link_widths, sizes.link_lengths)]
    upper, lower = (fixtureDef(shape=shape, density=1.0, restitution=0.0, categoryBits=0x20, maskBits=1) for shape in shapes)
    for name, value in dict(LEG_H=sizes.link_lengths[0], LEG_FD=upper, LOWER_FD=lower).items():
        monkeypatch.setattr(bipedal_walker, name, value)
    here, there = returns_here(body, policy), returns_there(policy)
    print(body, "here", here.mean(), "there", there.mean(), "falls", (here < 0).mean(), (there < 0).mean())
    assert there.mean() >= 280 and abs(there.mean() - here.mean()) <= 0.05 * here.mean()
