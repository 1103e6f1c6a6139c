"""ADR on made-up students."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Box
from jaxcurriculum.records import Episodes
from jaxcurriculum.testing.compiling import quick_jit

SPACE = Box(names=("height", "constant", "spacing"), low=(0.0, 2.0, 1.0), high=(3.0, 2.0, 7.0))
SQUARE = Box(names=("x", "y"), low=(0.0, 0.0), high=(1.0, 1.0))


def episodes_of(proposals, returns, valid=None):
    """A student's report of `proposals` with the given returns."""
    num = len(proposals.seeds)
    return Episodes(
        tasks=proposals.tasks,
        seeds=proposals.seeds,
        origin=proposals.origin,
        learner=np.zeros(num, np.int32),
        returns=returns,
        lengths=np.ones(num, np.int32),
        solved=np.zeros(num, bool),
        valid=np.ones(num, bool) if valid is None else valid,
    )


def propose(teacher, state, num):
    return quick_jit(lambda state: teacher.propose(jax.random.key(1), state, num)[1])(state)


def practise(teacher, student, rounds, state=None):
    """Rounds of one episode whose return is `student(key, tasks, round)`: final state, keys,
    proposals, returns, boxes.
    """

    def one_round(state, inputs):
        key, round = inputs
        key_propose, key_student = jax.random.split(key)
        state, proposals = teacher.propose(key_propose, state, 1)
        returns = student(key_student, proposals.tasks, round)
        state, _ = teacher.update(key, state, episodes_of(proposals, returns), None)
        return state, (key_propose, proposals, returns, teacher.report(state))

    start = teacher.init(jax.random.key(1)) if state is None else state
    inputs = (jax.random.split(jax.random.key(2), rounds), jnp.arange(rounds))
    return jax.jit(lambda start: jax.lax.scan(one_round, start, inputs))(start)
