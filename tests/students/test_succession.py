"""Learners one after the other: each is the student alone, and keeps what it has learned."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import LoopConfig, make_loop, teachers
from jaxcurriculum.students import simulated, succession
from jaxcurriculum.testing.compiling import quick_jit

STUDENT = simulated.toy_grid(simulated.ToyGridConfig(cells=4, episodes_per_round=30))
TASKS = simulated.toy_grid_test_tasks(simulated.ToyGridConfig(cells=4))


def test_each_is_the_student_alone_for_its_rounds():
    three = succession(STUDENT, 3, 2)
    assert three.num_proposals == 30 and three.steps_per_round == 30
    loop = make_loop(teachers.random(STUDENT.task_space), three, TASKS)
    state = quick_jit(loop.init)(jax.random.key(0))
    learners, round = state.student.learners, quick_jit(loop.round)
    train = quick_jit(STUDENT.train)
    for number in range(8):
        turn = min(number // 2, 2)
        _, key_propose, key_train, _ = jax.random.split(state.key, 4)
        _, proposals = loop.teacher.propose(key_propose, state.teacher, 30)
        alone = jax.tree.map(lambda leaf, turn=turn: leaf[turn], learners)
        alone, expected = train(key_train, alone, proposals, jnp.int32(number - 2 * turn))
        learners = jax.tree.map(lambda all, one, t=turn: all.at[t].set(one), learners, alone)
        state, episodes = round(state, jnp.int32(number))
        np.testing.assert_array_equal(episodes.returns, expected.returns)
        assert (episodes.learner == turn).all() and state.student.turn == turn
        np.testing.assert_array_equal(state.student.learners.competence, learners.competence)


def test_who_is_evaluated_is_who_was_trained_last():
    loop = make_loop(
        teachers.random(STUDENT.task_space),
        succession(STUDENT, 2, 3),
        TASKS,
        LoopConfig(rounds_per_evaluation=3),
    )
    state = quick_jit(loop.init)(jax.random.key(1))
    for turn in range(2):
        state, report = quick_jit(loop.advance)(state, jnp.int32(3 * turn))
        competence = state.student.learners.competence[turn]
        assert (report.evaluation.learner == turn).all()
        np.testing.assert_allclose(
            report.evaluation.returns.mean(), competence.mean() / 100, atol=0.01
        )


@pytest.mark.parametrize(("n", "rounds_each", "name"), [(0, 5, "n"), (3, 0.5, "rounds_each")])
def test_numbers_are_counted(n, rounds_each, name):
    with pytest.raises(ValueError, match=f"succession.{name} must be a positive integer"):
        succession(STUDENT, n, rounds_each)
