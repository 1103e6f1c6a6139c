"""Six arms and episodes on them, for the tests of bandit teachers."""

import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Episodes
from jaxcurriculum.records import CriticScores
from jaxcurriculum.teachers.parts.arms import listed

NUM_ARMS = 6
ARMS = listed(np.arange(float(NUM_ARMS))[:, None])


def episodes_of(arm, returns, solved=None, l1_value_loss=None, valid=None):
    """Episodes ([num]) of these arms."""
    arm, returns = jnp.asarray(arm, jnp.int32), jnp.asarray(returns, jnp.float32)
    blank = jnp.full(arm.shape, jnp.nan)
    own = blank if l1_value_loss is None else jnp.asarray(l1_value_loss, jnp.float32)
    return Episodes(
        tasks=arm.astype(jnp.float32)[:, None],
        seeds=jnp.zeros(arm.shape, jnp.uint32),
        origin=arm,
        learner=jnp.zeros(arm.shape, jnp.int32),
        returns=returns,
        lengths=jnp.ones(arm.shape, jnp.int32),
        solved=jnp.zeros(arm.shape, bool) if solved is None else jnp.asarray(solved, bool),
        valid=jnp.ones(arm.shape, bool) if valid is None else jnp.asarray(valid, bool),
        critic=CriticScores(blank, blank, blank, blank, own, blank),
    )


def updated(teacher, key, state, episodes):
    return teacher.update(key, state, episodes, None)[0]
