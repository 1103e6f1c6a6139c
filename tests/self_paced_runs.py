"""SPDL on made-up students."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Box, Context
from jaxcurriculum.records import CriticScores, Episodes, fresh_proposals

SPACE = Box(names=("height", "constant", "spacing"), low=(0.0, 2.0, 1.0), high=(3.0, 2.0, 7.0))


def to_flat(gaussian):
    return np.concatenate(
        [np.asarray(leaf) for leaf in (gaussian.mean, gaussian.log_diagonal, gaussian.below)],
        axis=-1,
    )


def context(num_steps):
    return Context(round=jnp.int32(0), num_steps=jnp.asarray(num_steps, jnp.int32), probe=None)


def made_episodes(tasks, returns, **scores):
    """Episodes of a student whose critic says no more than `scores`."""
    proposals = fresh_proposals(jax.random.key(0), jnp.asarray(tasks, jnp.float32))
    returns = jnp.asarray(returns, jnp.float32)
    names = [each.name for each in dataclasses.fields(CriticScores)]
    blank = jnp.full(returns.shape, jnp.nan)
    critic = CriticScores(**dict.fromkeys(names, blank) | scores)
    return Episodes.of(proposals, returns, returns > 0, critic=critic)


def practise(teacher, value, rounds, num):
    """(value's argument) -> last state, and reports and Gaussians after every round of `num`
    episodes, each of which is a step.

    `value` is (argument, key, task) -> return.
    """

    def run(argument):
        def one_round(state, inputs):
            keys = jax.random.split(inputs[0], 3)
            state, proposals = teacher.propose(keys[0], state, num)
            returns = jax.vmap(lambda key, task: value(argument, key, task))(
                jax.random.split(keys[1], num), proposals.tasks
            )
            now = context((inputs[1] + 1) * num)
            state, _ = teacher.update(
                keys[2], state, Episodes.of(proposals, returns, returns > 0), now
            )
            return state, (teacher.report(state), state.gaussian)

        keys = jax.random.split(jax.random.key(1), rounds)
        return jax.lax.scan(one_round, teacher.init(jax.random.key(0)), (keys, jnp.arange(rounds)))

    return run
