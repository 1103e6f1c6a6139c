"""RIAC on made-up students."""

import jax
import jax.numpy as jnp

from jaxcurriculum import Box, Episodes
from jaxcurriculum.teachers import RiacConfig

SPACE = Box(
    names=("height", "constant", "spacing"),
    low=(0.0, 2.0, 1.0),
    high=(4.0, 2.0, 100.0),
    log=(False, False, True),
)
SMALL = RiacConfig(
    max_items=20, num_attempts=10, max_draws=20, min_share=0.1, min_side=0.05, max_regions=64
)


def episodes_of(tasks, returns, valid=True):
    num = len(tasks)
    return Episodes(
        tasks=tasks,
        seeds=jnp.zeros((num,), jnp.uint32),
        origin=jnp.zeros((num,), jnp.int32),
        learner=jnp.zeros((num,), jnp.int32),
        returns=returns,
        lengths=jnp.ones((num,), jnp.int32),
        solved=returns > 0,
        valid=jnp.broadcast_to(jnp.asarray(valid), (num,)),
    )


def practise(teacher, student_return, rounds, seed=0, trace=lambda state: (), compiled=jax.jit):
    """Final state, and of every round: the proposals, the returns and what `trace` sees.
    `student_return(tasks, round)` -> [num].
    """

    def one_round(state, inputs):
        key, round = inputs
        key_propose, key_update = jax.random.split(key)
        state, proposals = teacher.propose(key_propose, state, 1)
        returns = student_return(proposals.tasks, round)
        state, _ = teacher.update(key_update, state, episodes_of(proposals.tasks, returns), None)
        return state, (proposals, returns, trace(state))

    keys = jax.random.split(jax.random.key(seed), rounds)
    run = compiled(
        lambda keys: jax.lax.scan(one_round, teacher.init(keys[0]), (keys, jnp.arange(rounds)))
    )
    return (*run(keys), keys)


def growing_return(tasks, round):
    """Progress below height 2 only."""
    return jnp.where(tasks[:, 0] < 2.0, 0.002 * round.astype(jnp.float32), 0.5)
