"""MBTL's teacher with students whose transfer matrix is known: it chooses what the rule does."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, Episodes, Student, make_loop, teachers, transfer
from jaxcurriculum.records import attempts
from jaxcurriculum.students import succession
from jaxcurriculum.students.simulated.learner import simulated
from jaxcurriculum.teachers.mbtl import _contexts
from jaxcurriculum.testing.compiling import quick_jit

SPACE = Box(names=("x", "constant"), low=(-1.0, 2.0), high=(3.0, 2.0))
CELLS, NUM, ROUNDS_EACH = 20, 4, 3
LOW, HIGH = -50.0, 150.0  # of the returns
CENTRES = ((np.arange(CELLS) + 0.5) / CELLS).astype(np.float32)


def matrix_of_returns(trained, used):
    """How well who was trained on `trained` does on `used`, both in [0, 1]."""
    at_home = 0.6 + 0.3 * jnp.sin(5 * trained)
    scaled = jnp.maximum(at_home - 0.9 * jnp.abs(trained - used), 0.0)
    return LOW + (HIGH - LOW) * scaled


def specialist() -> Student:
    """Who knows the last task it was trained on; an episode takes 7 steps."""

    def played(trained, asked):
        used = jax.vmap(SPACE.to_unit)(asked.tasks)[:, 0]
        returns = matrix_of_returns(trained, used)
        return Episodes.of(asked, returns, returns > 0, lengths=jnp.full_like(asked.origin, 7))

    def train(key, trained, proposals, round):
        trained = SPACE.to_unit(proposals.tasks[-1])[0]
        return trained, played(trained, proposals)

    def evaluate(key, trained, tasks, seeds, num_episodes, deterministic):
        return played(trained, attempts(tasks, seeds, num_episodes))

    return simulated(
        name="specialist",
        task_space=SPACE,
        episodes_per_round=4,
        init=lambda key: jnp.float32(0.0),
        train=train,
        evaluate=evaluate,
        report=lambda trained: {"trained": trained},
    )


def test_it_trains_on_what_the_rule_chooses():
    config = teachers.MbtlConfig(
        num_policies=NUM,
        rounds_each=ROUNDS_EACH,
        cells=CELLS,
        num_episodes=2,
        return_range=(LOW, HIGH),
    )
    student = succession(specialist(), NUM, ROUNDS_EACH)
    loop = make_loop(teachers.mbtl(SPACE, config), student, [[0.0, 2.0]])
    state, round = quick_jit(loop.init)(jax.random.key(0)), quick_jit(loop.round)
    tasks = []
    for number in range(NUM * ROUNDS_EACH + 4):
        state, episodes = round(state, np.int32(number))
        assert len(np.unique(np.asarray(episodes.tasks), axis=0)) == 1
        tasks.append(float(np.asarray(episodes.tasks)[0, 0]))
    returns = np.asarray(matrix_of_returns(CENTRES[:, None], CENTRES[None]))
    matrix = (returns - LOW) / (HIGH - LOW)
    replayed = quick_jit(lambda matrix: transfer.mbtl(matrix, NUM, points=CENTRES[:, None]))
    order = np.asarray(replayed(matrix))
    expected = np.repeat(-1 + 4 * CENTRES[order], ROUNDS_EACH)
    np.testing.assert_allclose(tasks[: len(expected)], expected, rtol=1e-5)
    assert set(tasks[len(expected) :]) == {tasks[len(expected) - 1]}
    report = quick_jit(loop.teacher.report)(state.teacher)
    np.testing.assert_allclose(report["covered"], matrix[order].max(axis=0), atol=1e-5)
    np.testing.assert_array_equal(report["learner"], matrix[order].argmax(axis=0))
    np.testing.assert_allclose(state.student.learners, CENTRES[order], atol=1e-5)
    assert int(state.counters.probe_steps) == NUM * CELLS * 2 * 7


@pytest.mark.parametrize("cells", [1, 20])
def test_a_grid_is_neither_too_coarse_nor_too_fine(cells):
    space = Box(names=("a", "b", "c"), low=(0, 0, 0), high=(1, 1, 1))
    rule = f"each of 8 policies, and at most 2,000, got {cells} on each of 3 axes"
    with pytest.raises(ValueError, match=rule):
        teachers.mbtl(space, teachers.MbtlConfig(cells=cells))


@pytest.mark.parametrize(("dims", "num"), [(1, 20), (2, 400), (3, 256), (12, 256)])
def test_it_starts_in_a_box_of_any_number_of_axes(dims, num):
    space = Box(names=tuple(map(str, range(dims))), low=(0.0,) * dims, high=(1.0,) * dims)
    teacher = teachers.mbtl(space)
    assert jax.eval_shape(teacher.init, jax.random.key(0)).learner.shape == (num,)


def test_contexts_of_many_axes_are_spread_evenly():
    """On each axis as many in every eighth."""
    space = Box(names=tuple("abcde"), low=(0.0,) * 5, high=(1.0,) * 5)
    points = np.asarray(_contexts(space, teachers.MbtlConfig()))
    counts = [np.histogram(axis, bins=8, range=(0, 1))[0] for axis in points.T]
    np.testing.assert_array_equal(counts, 256 // 8)
    assert len(np.unique(points, axis=0)) == 256
