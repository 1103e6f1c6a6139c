"""Six arms and episodes on them, for the tests of bandit teachers."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Episodes
from jaxcurriculum.records import CriticScores
from jaxcurriculum.teachers.parts.arms import listed
from jaxcurriculum.testing.compiling import quick_jit

NUM_ARMS = 6
ARMS = listed(np.arange(float(NUM_ARMS))[:, None])
UPDATES = 2000
KEYS = jax.random.split(jax.random.key(7), UPDATES)


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


def drifting_student(seed=0):
    """Arms and noisy returns of UPDATES episodes; each arm's mean return walks, now faster, now
    slower.
    """
    rng = np.random.default_rng(seed)
    arm = rng.choice(NUM_ARMS, UPDATES, p=[0.3, 0.25, 0.2, 0.15, 0.08, 0.02])
    drift = np.cumsum(rng.normal(size=(UPDATES, NUM_ARMS)) * 0.1, axis=0)
    returns = drift[np.arange(UPDATES), arm] + 0.1 * rng.normal(size=UPDATES)
    return (
        arm,
        returns.astype(np.float32),
        rng.uniform(size=UPDATES) < 0.5,
        np.abs(rng.normal(size=UPDATES)).astype(np.float32),
    )


def one_at_a_time(teacher, episodes, keys, look=None):
    """What `look` (by default the probabilities of the report) says of the state before every
    episode, [num, ...], and the last state.
    """
    look = (lambda state, key: teacher.report(state)["probabilities"]) if look is None else look

    def step(state, inputs):
        episode, key = inputs
        return updated(teacher, key, state, jax.tree.map(lambda leaf: leaf[None], episode)), look(
            state, key
        )

    state, seen = quick_jit(
        lambda: jax.lax.scan(step, teacher.init(jax.random.key(0)), (episodes, keys))
    )()
    return np.asarray(seen), state


def after(teacher, episodes):
    """The state after one batch."""
    start = teacher.init(jax.random.key(0))
    return quick_jit(lambda episodes: updated(teacher, jax.random.key(0), start, episodes))(
        episodes
    )
