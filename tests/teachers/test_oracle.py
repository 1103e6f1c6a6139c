"""The oracle's window against the published rule, one episode a round, and its batch form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, teachers
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.students.simulated import toy_grid
from jaxcurriculum.testing.compiling import quick_jit

SPACE = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))


def episodes_with(returns, valid=None):
    """Episodes of any task with these returns."""
    num, student = len(returns), toy_grid()
    proposals = fresh_proposals(jax.random.key(0), jnp.zeros((num, 2)))
    key = jax.random.key(0)
    episodes = student.train(key, student.init(key), proposals, jnp.int32(0))[1]
    return episodes.replace(
        returns=jnp.array(returns, jnp.float32),
        valid=jnp.ones(num, bool) if valid is None else jnp.array(valid),
    )


def test_window_starts_easy_and_tasks_fill_it():
    teacher = teachers.oracle(SPACE)
    _, proposals = teacher.propose(jax.random.key(0), teacher.init(jax.random.key(0)), 4000)
    np.testing.assert_allclose(proposals.tasks.min(0), [0, 5], atol=0.01)
    np.testing.assert_allclose(proposals.tasks.max(0), [0.5, 6], atol=0.01)


def test_one_episode_a_round_is_the_published_rule():
    rng = np.random.default_rng(0)
    teacher = teachers.oracle(SPACE)
    state, update, one = (
        teacher.init(jax.random.key(0)),
        quick_jit(teacher.update),
        episodes_with([0.0]),
    )
    window, pending = np.array([0.0, 5.0]), []
    for level in rng.uniform(200, 260, 30):
        for value in rng.normal(level, 30, 50):
            state, _ = update(
                jax.random.key(0), state, one.replace(returns=jnp.array([value], jnp.float32)), None
            )
            pending.append(value)
            if len(pending) == 50:
                if np.mean(pending) > 230:
                    window = np.clip(window + [0.1, -0.2], 0, [2.5, 5])
                pending = []
                np.testing.assert_allclose(state.low, window, atol=1e-4)
    assert 0.5 < window[0] < 2.5  # it moved, and not always


def test_window_stops_at_the_bounds():
    teacher = teachers.oracle(SPACE, teachers.OracleConfig(judge_every=1))
    state, update, one = (
        teacher.init(jax.random.key(0)),
        quick_jit(teacher.update),
        episodes_with([300.0]),
    )
    for _ in range(40):
        state, _ = update(jax.random.key(0), state, one, None)
    np.testing.assert_allclose(state.low, [2.5, 0])


def test_a_batch_is_judged_once_by_its_latest():
    teacher = teachers.oracle(SPACE)
    start, update = teacher.init(jax.random.key(0)), quick_jit(teacher.update)
    good_end = [0.0] * 100 + [300.0] * 50 + [np.nan] * 10
    state, _ = update(
        jax.random.key(0), start, episodes_with(good_end, [True] * 150 + [False] * 10), None
    )
    np.testing.assert_allclose(state.low, [0.1, 4.8], rtol=1e-6)
    bad_end, _ = update(jax.random.key(0), start, episodes_with([300.0] * 100 + [0.0] * 50), None)
    np.testing.assert_allclose(bad_end.low, start.low)
    assert int(bad_end.num_unjudged) == 0


@pytest.mark.parametrize(
    "bad",
    [
        {"window": 0.0},
        {"window": 1.5},
        {"judge_every": 0},
        {"step": 0.1},
        {"step": (np.nan, 0.1)},
        {"step": None},
        {"step": "ab"},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"OracleConfig.{next(iter(bad))}"):
        teachers.OracleConfig(**bad)


def test_step_needs_an_entry_an_axis():
    with pytest.raises(ValueError, match="step"):
        teachers.oracle(SPACE, teachers.OracleConfig(step=(0.1,)))
