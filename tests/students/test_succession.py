"""Learners one after the other: each is the student alone, and keeps what it has learned."""

import jax
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
    alone = [jax.tree.map(lambda leaf, turn=turn: leaf[turn], learners) for turn in range(3)]

    @quick_jit
    def train_alone(key, learner, round):
        _, key_propose, key_train, _ = jax.random.split(key, 4)
        _, proposals = loop.teacher.propose(key_propose, (), 30)
        return STUDENT.train(key_train, learner, proposals, round)

    for number, turn in enumerate([0, 0, 1, 1, 2, 2, 2]):
        own_round = np.int32(number - 2 * turn)
        alone[turn], expected = train_alone(state.key, alone[turn], own_round)
        state, episodes = round(state, np.int32(number))
        np.testing.assert_array_equal(episodes.returns, expected.returns)
        assert np.all(np.asarray(episodes.learner) == turn) and int(state.student.turn) == turn
        competence = np.stack([np.asarray(learner.competence) for learner in alone])
        np.testing.assert_array_equal(state.student.learners.competence, competence)


def test_who_is_evaluated_is_who_was_trained_last():
    loop = make_loop(
        teachers.random(STUDENT.task_space),
        succession(STUDENT, 2, 3),
        TASKS,
        LoopConfig(rounds_per_evaluation=3),
    )
    state, advance = quick_jit(loop.init)(jax.random.key(1)), quick_jit(loop.advance)
    for turn in range(2):
        state, report = advance(state, np.int32(3 * turn))
        competence = np.asarray(state.student.learners.competence)[turn]
        assert np.all(np.asarray(report.evaluation.learner) == turn)
        returns = np.asarray(report.evaluation.returns)
        np.testing.assert_allclose(returns.mean(), competence.mean() / 100, atol=0.01)


@pytest.mark.parametrize(("n", "rounds_each", "name"), [(0, 5, "n"), (3, 0.5, "rounds_each")])
def test_numbers_are_counted(n, rounds_each, name):
    with pytest.raises(ValueError, match=f"succession.{name} must be a positive integer"):
        succession(STUDENT, n, rounds_each)
