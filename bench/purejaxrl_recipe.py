"""Steps/s of PPO by purejaxrl's recipe on gymnax's CartPole, all seeds together.

    python purejaxrl_recipe.py ppo NUM_SEEDS REPEATS

purejaxrl is no package: this is its recipe, written anew. One program steps gymnax's environments,
which reset themselves, and learns: separate tanh networks, clipped values, minibatches of a
shuffled round. Run by `bench/learners.py` with a Python that has gymnax 0.0.9, flax, optax and
distrax.
"""

from __future__ import annotations

import sys
import time
from typing import NamedTuple

import distrax
import flax.linen as nn
import gymnax
import jax
import jax.numpy as jnp
import optax
from flax.linen.initializers import orthogonal
from flax.training.train_state import TrainState

jax.config.update("jax_cpu_enable_async_dispatch", False)
NUM_ENVS, NUM_STEPS, NUM_EPOCHS, NUM_MINIBATCHES = 64, 64, 4, 4
ROUNDS = 8  # a call
DISCOUNT, LAMBDA, CLIP, ENTROPY, VALUE = 0.99, 0.95, 0.2, 0.01, 0.5


class Step(NamedTuple):
    over: jax.Array
    action: jax.Array
    value: jax.Array
    reward: jax.Array
    log_prob: jax.Array
    obs: jax.Array


class ActorCritic(nn.Module):
    """Two networks of 64-64."""

    num_actions: int

    @nn.compact
    def __call__(self, obs):
        logits = self._network(obs, self.num_actions, 0.01)
        return distrax.Categorical(logits=logits), self._network(obs, 1, 1.0)[..., 0]

    def _network(self, x, num_outputs, last_gain):
        for _ in range(2):
            x = nn.tanh(nn.Dense(64, kernel_init=orthogonal(jnp.sqrt(2.0)))(x))
        return nn.Dense(num_outputs, kernel_init=orthogonal(last_gain))(x)


ENV, PARAMS = gymnax.make("CartPole-v1")
NETWORK = ActorCritic(ENV.num_actions)


def init(key):
    key, key_network, key_reset = jax.random.split(key, 3)
    obs, states = jax.vmap(ENV.reset, (0, None))(jax.random.split(key_reset, NUM_ENVS), PARAMS)
    optimiser = optax.chain(optax.clip_by_global_norm(0.5), optax.adam(2.5e-4, eps=1e-5))
    learner = TrainState.create(
        apply_fn=NETWORK.apply, params=NETWORK.init(key_network, obs[0]), tx=optimiser
    )
    return learner, states, obs, key


def act(carry, _):
    learner, states, obs, key = carry
    key, key_act, key_step = jax.random.split(key, 3)
    policy, value = NETWORK.apply(learner.params, obs)
    action = policy.sample(seed=key_act)
    keys = jax.random.split(key_step, NUM_ENVS)
    step = jax.vmap(ENV.step, (0, 0, 0, None))
    next_obs, states, reward, over, _ = step(keys, states, action, PARAMS)
    seen = Step(over, action, value, reward, policy.log_prob(action), obs)
    return (learner, states, next_obs, key), seen


def advantages(steps, last_value):
    def one(carry, step):
        advantage, next_value = carry
        goes_on = 1 - step.over
        error = step.reward + DISCOUNT * next_value * goes_on - step.value
        advantage = error + DISCOUNT * LAMBDA * goes_on * advantage
        return (advantage, step.value), advantage

    start = (jnp.zeros_like(last_value), last_value)
    return jax.lax.scan(one, start, steps, reverse=True, unroll=16)[1]


def loss(params, steps, advantage, target):
    policy, value = NETWORK.apply(params, steps.obs)
    near = steps.value + jnp.clip(value - steps.value, -CLIP, CLIP)
    value_loss = 0.5 * jnp.mean(jnp.maximum((value - target) ** 2, (near - target) ** 2))
    ratio = jnp.exp(policy.log_prob(steps.action) - steps.log_prob)
    advantage = (advantage - advantage.mean()) / (advantage.std() + 1e-8)
    clipped = jnp.clip(ratio, 1 - CLIP, 1 + CLIP) * advantage
    actor_loss = -jnp.mean(jnp.minimum(ratio * advantage, clipped))
    return actor_loss + VALUE * value_loss - ENTROPY * jnp.mean(policy.entropy())


def round_of(carry, _):
    (learner, states, obs, key), steps = jax.lax.scan(act, carry, None, NUM_STEPS)
    advantage = advantages(steps, NETWORK.apply(learner.params, obs)[1])
    samples = (steps, advantage, advantage + steps.value)

    def epoch(carry, _):
        learner, key = carry
        key, key_order = jax.random.split(key)
        order = jax.random.permutation(key_order, NUM_ENVS * NUM_STEPS)
        flat = jax.tree.map(lambda x: x.reshape(-1, *x.shape[2:])[order], samples)
        parts = jax.tree.map(lambda x: x.reshape(NUM_MINIBATCHES, -1, *x.shape[1:]), flat)
        learner = jax.lax.scan(update, learner, parts)[0]
        return (learner, key), None

    (learner, key), _ = jax.lax.scan(epoch, (learner, key), None, NUM_EPOCHS)
    return (learner, states, obs, key), jnp.mean(steps.reward)


def update(learner, part):
    return learner.apply_gradients(grads=jax.grad(loss)(learner.params, *part)), None


def main() -> None:
    num_seeds, repeats = int(sys.argv[2]), int(sys.argv[3])
    carry = jax.jit(jax.vmap(init))(jax.random.split(jax.random.key(0), num_seeds))
    go_on = jax.jit(jax.vmap(lambda carry: jax.lax.scan(round_of, carry, None, ROUNDS)[0]))
    seconds = []
    for _ in range(repeats + 1):  # the first one compiles
        begun = time.perf_counter()
        carry = jax.block_until_ready(go_on(carry))
        seconds.append(time.perf_counter() - begun)
    print(num_seeds * ROUNDS * NUM_ENVS * NUM_STEPS / min(seconds[1:]))


if __name__ == "__main__":
    main()
