"""ProCuRL: the softmax, probes that are counted, and values in place of probes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from levels import SQUARE, episodes_of

from jaxcurriculum import Context, make_loop
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers import LearnabilityConfig, ProcurlConfig, procurl
from jaxcurriculum.teachers.procurl import ProcurlState
from jaxcurriculum.testing.compiling import quick_jit

NOTHING = episodes_of(jnp.zeros((4, 2)), range(4), valid=[False] * 4)


def context(round, probe=None):
    return Context(round=jnp.int32(round), num_steps=jnp.int32(0), probe=probe)


def test_tasks_are_drawn_by_the_softmax():
    config = ProcurlConfig(pool_size=4, beta=8.0)
    teacher = procurl(SQUARE, config)
    success = jnp.array([0.0, 0.5, 0.9, 0.2])
    known = jnp.array([True, True, True, False])
    tasks = teacher.init(jax.random.key(0)).tasks
    state = ProcurlState(tasks=tasks, known=known, success=success)
    propose = quick_jit(teacher.propose, static_argnums=2)
    _, proposals = propose(jax.random.key(1), state, 40_000)
    p = np.array([0.0, 0.5, 0.9, 0.5])  # nothing is known of the last
    weights = np.exp(8.0 * p * (1 - p))
    shares = np.bincount(proposals.origin, minlength=4) / 40_000
    np.testing.assert_allclose(shares, weights / weights.sum(), atol=0.01)
    np.testing.assert_array_equal(proposals.tasks, tasks[proposals.origin])


def test_probes_measure_success_and_their_steps_count():
    solved = jnp.array([True, False, True, False, True, True, False, True, True, True])
    valid = jnp.array([True] * 7 + [False] * 3)

    def probe(key, tasks, seeds, num_episodes, deterministic):
        assert num_episodes == 2 and not deterministic
        repeated = jnp.repeat(tasks, 2, axis=0), jnp.repeat(seeds, 2)
        return episodes_of(*repeated, solved=solved, valid=valid, lengths=jnp.arange(1, 11))

    teacher = procurl(SQUARE, ProcurlConfig(pool_size=5, num_attempts=2, probe_every=3))
    update = quick_jit(
        lambda state, round: teacher.update(
            jax.random.key(0), state, NOTHING, context(round, probe)
        )
    )
    state, steps = update(teacher.init(jax.random.key(0)), 0)
    np.testing.assert_allclose(state.success[:4], [0.5, 0.5, 1.0, 0.0])
    assert state.known.tolist() == [True] * 4 + [False] and int(steps) == sum(range(1, 8))
    assert [int(update(state, round)[1]) > 0 for round in range(1, 5)] == [
        False,
        False,
        True,
        False,
    ]


def test_the_latest_values_are_scaled_over_the_pool():
    teacher = procurl(SQUARE, ProcurlConfig(pool_size=5, success="value"))
    assert teacher.needs_critic
    state = teacher.init(jax.random.key(0))
    episodes = episodes_of(
        jnp.zeros((7, 2)),
        range(7),
        origin=[0, 1, 1, 2, 3, 4, 4],
        initial_value=jnp.array([-4.0, 9.0, 6.0, 1.0, jnp.nan, 50.0, 50.0]),
        valid=[True] * 5 + [False, True],
        returns=jnp.array([0.0] * 6 + [jnp.inf]),
    )
    state, steps = teacher.update(jax.random.key(0), state, episodes, context(0))
    p = np.array([0.0, 1.0, 0.5, 0.5, 0.5])  # of the last two nothing is known
    assert state.known.tolist() == [True, True, True, False, False] and int(steps) == 0
    np.testing.assert_allclose(teacher.report(state)["proximity"], p * (1 - p), atol=1e-6)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: ProcurlConfig(pool_size=1), "ProcurlConfig.pool_size"),
        (lambda: ProcurlConfig(beta=-1.0), "ProcurlConfig.beta"),
        (lambda: ProcurlConfig(success="luck"), "ProcurlConfig.success"),
        (
            lambda: ProcurlConfig(pool_size=10_000, num_attempts=101),
            r"pool_size \* num_attempts <= 1,000,000, got 10000 \* 101",
        ),
        (
            lambda: LearnabilityConfig(num_candidates=100_000, num_attempts=11),
            r"num_candidates \* num_attempts <= 1,000,000, got 100000 \* 11",
        ),
        (
            lambda: make_loop(
                procurl(simulated.toy_grid().task_space, ProcurlConfig(success="value")),
                simulated.toy_grid(),
                [[0.5, 0.5]],
            ),
            "critic",
        ),
    ],
)
def test_bad_input_is_named(make, words):
    with pytest.raises(ValueError, match=words):
        make()
