"""A network that learns chained skills: the parity of the first 2, 3, ... 6 of 32 bits.

Each skill is the one before and a bit more, as in LEGO, where a variable is resolved through the
one before it. Alone, a long parity shows a network nothing for a long time.
"""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import optax
from flax import struct

from jaxcurriculum import Student
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, attempts
from jaxcurriculum.spaces import Box

NUM_SKILLS, NUM_BITS, FIRST = 5, 32, 2
TASKS = [[skill + 0.5] for skill in range(NUM_SKILLS)]
BATCH = 32
WIDTH = 128
SKILL_SCALE = 2.0  # of the input that tells which parity is asked for
LEARNING_RATE = 1e-3


class ParityState(struct.PyTreeNode):
    """The network, its optimiser, and how its last batch went."""

    network: PyTree
    optimiser: Any
    mean_return: jax.Array  # [], float32


def _network(key: Key) -> PyTree:
    sizes = (NUM_BITS + NUM_SKILLS, WIDTH, WIDTH, 1)
    keys = jax.random.split(key, len(sizes) - 1)
    he = jax.nn.initializers.he_normal()
    pairs = zip(keys, sizes[:-1], sizes[1:])
    return [(he(key, (inputs, outputs)), jnp.zeros(outputs)) for key, inputs, outputs in pairs]


def _answer(network: PyTree, bits: jax.Array, skill: jax.Array) -> jax.Array:
    """The log odds that the parity of `skill` is +1; bits [num, NUM_BITS] are -1 or +1."""
    hidden = jnp.concatenate([bits, SKILL_SCALE * jax.nn.one_hot(skill, NUM_SKILLS)], axis=-1)
    *layers, (weight, bias) = network
    for each_weight, each_bias in layers:
        hidden = jax.nn.relu(hidden @ each_weight + each_bias)
    return (hidden @ weight + bias)[:, 0]


def _questions(key: Key, tasks: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Random bits for each of `tasks` ([num, 1]), the skill that is asked for, and its parity."""
    skill = jnp.clip(jnp.floor(tasks[:, 0]).astype(jnp.int32), 0, NUM_SKILLS - 1)
    bits = jax.random.rademacher(key, (len(skill), NUM_BITS), jnp.float32)
    is_asked = jnp.arange(NUM_BITS) < FIRST + skill[:, None]
    return bits, skill, jnp.prod(jnp.where(is_asked, bits, 1.0), axis=1)


def parity_student() -> Student:
    """A network that takes a step of Adam on every batch of 32 questions.

    Task x asks for skill floor(x). The return is the probability of the right answer, 0.5 before
    anything is known; above 0.9 it is solved.
    """
    adam = optax.adam(LEARNING_RATE)

    def init(key: Key) -> ParityState:
        network = _network(key)
        return ParityState(network, adam.init(network), jnp.float32(0.5))

    def train(
        key: Key, state: ParityState, proposals: Proposals, round: jax.Array
    ) -> tuple[ParityState, Episodes]:
        bits, skill, parity = _questions(key, proposals.tasks)

        def loss(network: PyTree) -> tuple[jax.Array, jax.Array]:
            margin = parity * _answer(network, bits, skill)
            each = proposals.weight * jax.nn.softplus(-margin)
            return jnp.mean(each), jax.nn.sigmoid(margin)

        slope, returns = jax.grad(loss, has_aux=True)(state.network)
        change, optimiser = adam.update(slope, state.optimiser)
        network = optax.apply_updates(state.network, change)
        state = ParityState(network, optimiser, jnp.mean(returns))
        return state, Episodes.of(proposals, returns, returns > 0.9)

    def evaluate(
        key: Key, state: ParityState, tasks: PyTree, seeds: jax.Array, num_episodes: int, *how
    ) -> Episodes:
        asked = attempts(tasks, seeds, num_episodes)
        bits, skill, parity = _questions(key, asked.tasks)
        returns = jax.nn.sigmoid(parity * _answer(state.network, bits, skill))
        return Episodes.of(asked, returns, returns > 0.9)

    return Student(
        name="parity",
        task_space=Box(names=("skill",), low=(0.0,), high=(NUM_SKILLS,)),
        num_proposals=BATCH,
        steps_per_round=BATCH,
        step_unit="episodes",
        init=init,
        train=train,
        evaluate=evaluate,
        report=lambda state: {"mean_return": state.mean_return},
        return_range=(0.5, 1.0),
    )
