"""Noise blurs what is reported and nothing else; a box of tasks teaches nothing."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.challenges import NoisyConfig, UnlearnableConfig, noisy, unlearnable
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.students.simulated import ToyGridConfig, toy_grid
from jaxcurriculum.testing.compiling import quick_jit

PLAIN = toy_grid(ToyGridConfig(cells=4, episodes_per_round=4000))


def some_tasks():
    return fresh_proposals(jax.random.key(0), jax.random.uniform(jax.random.key(1), (4000, 2)) ** 2)


def test_noise_has_its_standard_deviation_and_touches_neither_competence_nor_success():
    student = noisy(PLAIN, NoisyConfig(std=0.3))
    start, proposals = PLAIN.init(jax.random.key(2)), some_tasks()
    state, episodes = quick_jit(student.train)(jax.random.key(3), start, proposals, jnp.int32(0))
    expected_state, expected = quick_jit(PLAIN.train)(
        jax.random.key(3), start, proposals, jnp.int32(0)
    )
    np.testing.assert_array_equal(state.competence, expected_state.competence)
    np.testing.assert_array_equal(episodes.solved, expected.solved)
    tested = student.evaluate(
        jax.random.key(4), state, proposals.tasks[:2], proposals.seeds[:2], 2000, True
    )
    exact = PLAIN.evaluate(
        jax.random.key(4), state, proposals.tasks[:2], proposals.seeds[:2], 2000, True
    )
    for noise in (episodes.returns - expected.returns, tested.returns - exact.returns):
        assert abs(np.mean(noise)) < 4 * 0.3 / np.sqrt(4000)
        assert abs(np.std(noise) - 0.3) < 4 * 0.3 / np.sqrt(8000)
        assert abs(np.corrcoef(noise[:-1], noise[1:])[0, 1]) < 4 / np.sqrt(4000)


def test_a_box_of_tasks_teaches_nothing():
    """The grid's cell (1, 0) stays at 0 and everything else is learned as if those episodes had
    not been.
    """
    student = unlearnable(PLAIN, UnlearnableConfig(low=(0.25, 0.0), high=(0.5, 0.25)))
    start, proposals = PLAIN.init(jax.random.key(2)), some_tasks()
    state, episodes = quick_jit(student.train)(jax.random.key(3), start, proposals, jnp.int32(0))
    inside = np.all(
        (proposals.tasks >= jnp.array([[0.25, 0.0]]))
        & (proposals.tasks <= jnp.array([[0.5, 0.25]])),
        axis=1,
    )
    expected, _ = quick_jit(PLAIN.train)(
        jax.random.key(3),
        start,
        proposals.replace(weight=jnp.array(~inside, jnp.float32)),
        jnp.int32(0),
    )
    np.testing.assert_array_equal(state.competence, expected.competence)
    assert (
        inside.sum() > 100 and state.competence[4] == 0 and np.count_nonzero(state.competence) > 5
    )
    np.testing.assert_array_equal(episodes.returns[inside], 0)
    np.testing.assert_array_equal(episodes.tasks, proposals.tasks)


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("NoisyConfig.std", lambda: NoisyConfig(std=-1.0)),
        ("UnlearnableConfig.low and high", lambda: UnlearnableConfig(low=(0.0,))),
        (
            "UnlearnableConfig.low must be a tuple of finite numbers",
            lambda: UnlearnableConfig(low=0.0, high=1.0),
        ),  # type: ignore[arg-type]
        (
            "UnlearnableConfig.high must be a tuple of finite numbers",
            lambda: UnlearnableConfig(low=(0.0,), high=(float("nan"),)),
        ),
        (
            "UnlearnableConfig.low must not lie above",
            lambda: UnlearnableConfig(low=(0.5, 0.0), high=(0.0, 1.0)),
        ),
        (
            "UnlearnableConfig.low must have one entry",
            lambda: unlearnable(PLAIN, UnlearnableConfig(low=(0.0,), high=(1.0,))),
        ),
    ],
)
def test_bad_configurations_are_named(message, make):
    with pytest.raises(ValueError, match=message):
        make()
