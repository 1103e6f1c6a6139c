"""ADR's box: how it grows and shrinks with the student, and the tasks drawn from it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from adr_runs import SPACE, SQUARE, practise, propose
from scipy.stats import kstest

from jaxcurriculum import Box, teachers
from jaxcurriculum.teachers import AdrConfig
from jaxcurriculum.testing.compiling import quick_jit


def test_the_box_grows_to_what_the_student_can_do_and_not_beyond_and_shrinks_when_it_forgets():
    config = AdrConfig(
        initial_mean=(0.0, 0.0), judge_every=10, grow_at=0.8, shrink_at=0.3, step_size=0.05
    )
    teacher = teachers.adr(SQUARE, config)

    def student(reach):
        return lambda key, tasks, round: jnp.all(tasks <= jnp.array([reach]), axis=1).astype(
            jnp.float32
        )

    state, (_, _, _, report) = practise(teacher, student((0.62, 2.0)), 6000)
    assert np.all(np.asarray(report["high"])[:, 0] <= 0.65 + 1e-5), (
        "a step beyond what it can do, where it fails, at most"
    )
    assert 0.55 <= report["high"][-1, 0] <= 0.66 and report["high"][-1, 1] == 1
    np.testing.assert_array_equal(report["low"][-1], [0, 0])
    state, (_, _, _, report) = practise(teacher, student((0.22, 0.52)), 6000, state=state)
    np.testing.assert_allclose(report["high"][-1], [0.22, 0.52], atol=0.1)
    assert float(report["volume"][-1]) == pytest.approx(
        float(jnp.prod(report["high"][-1])), rel=1e-5
    )


def test_a_box_that_only_grows_keeps_what_it_has():
    config = AdrConfig(
        initial_mean=(0.5, 0.5), judge_every=10, grow_at=0.8, shrink_at=None, step_size=0.1
    )

    def able_for_a_while(key, tasks, round):
        return jnp.full((1,), jnp.where(round < 300, 1.0, 0.0))

    _, (_, _, _, report) = practise(teachers.adr(SQUARE, config), able_for_a_while, 600)
    assert np.all(np.diff(report["volume"]) >= 0) and report["volume"][-1] > 0


def with_faces(teacher, faces):
    state = teacher.init(jax.random.key(0))
    return state.replace(faces=jnp.array(faces, jnp.float32))


def test_tasks_are_uniform_in_the_box_and_on_its_faces_and_say_which():
    teacher = teachers.adr(SPACE, AdrConfig(face_share=0.6, initial_mean=(0.0, 2.0, 1.0)))
    state = with_faces(teacher, [[0.2, 0.0, 0.0], [0.7, 0.0, 0.5]])
    state = state.replace(num_moves=jnp.array([[0, 0, 3], [2, 0, 0]], jnp.int32))
    proposals = propose(teacher, state, 20_000)
    tasks, origin = np.asarray(proposals.tasks), np.asarray(proposals.origin)
    report = teacher.report(state)
    low, high = np.asarray(report["low"]), np.asarray(report["high"])
    np.testing.assert_allclose([low, high], [[0.6, 2, 1], [2.1, 2, 4]], rtol=1e-6)
    assert np.all(tasks[:, 1] == 2) and not np.any(origin[origin >= 0] % 3 == 1), (
        "an axis without width has no faces"
    )
    np.testing.assert_allclose(np.mean(origin == -1), 0.4, atol=0.01)
    assert set(np.unique(origin)) == {-1, 0, 2 + 6 * 3, 3 + 6 * 2, 5}, "face + 6 times its moves"
    for side, bound in enumerate((low, high)):
        for axis in (0, 2):
            on = (origin >= 0) & (origin % 6 == axis + 3 * side)
            np.testing.assert_allclose(np.mean(on), 0.15, atol=0.01)
            assert np.all(tasks[on, axis] == bound[axis])
            other = 2 - axis
            assert (
                kstest(
                    (tasks[on, other] - low[other]) / (high[other] - low[other]), "uniform"
                ).pvalue
                > 0.001
            )
    inside = origin == -1
    for axis in (0, 2):
        assert (
            kstest((tasks[inside, axis] - low[axis]) / (high[axis] - low[axis]), "uniform").pvalue
            > 0.001
        )


def test_the_whole_space_without_faces_is_the_random_teacher():
    space = Box(names=("size", "x"), low=(0.1, -1.0), high=(10.0, 1.0), log=(True, False))
    teacher = teachers.adr(space, AdrConfig(face_share=0.0))
    proposals = propose(teacher, with_faces(teacher, [[0.0, 0.0], [1.0, 1.0]]), 5000)
    unit = quick_jit(jax.vmap(space.to_unit))(proposals.tasks)
    for axis in range(2):
        assert kstest(np.asarray(unit[:, axis]), "uniform").pvalue > 0.01


def test_a_space_of_one_task_has_no_faces():
    space = Box(names=("constant",), low=(2.0,), high=(2.0,))
    teacher = teachers.adr(space)
    proposals = propose(teacher, teacher.init(jax.random.key(0)), 100)
    assert np.all(proposals.tasks == 2) and np.all(proposals.origin == -1)
