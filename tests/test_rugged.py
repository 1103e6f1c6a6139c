"""Rugged landscapes: whole intervals of the task space change places, and nobody is told."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from challenged import GRID, SMALL_PPO, proposals_in

from jaxcurriculum import Box, LoopConfig, challenges, make_loop, teachers
from jaxcurriculum.students import ppo
from jaxcurriculum.students.simulated import (
    toy_grid,
    toy_grid_test_tasks,
)
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit


@pytest.mark.parametrize("landscape", [0, 1, 2])
def test_rugged_maps_are_a_bijection_of_whole_intervals(landscape):
    """Along each axis the four quarters are permuted, each moved as a piece; a constant axis
    stays.
    """
    space = Box(
        names=("a", "b", "constant"),
        low=(-1.0, 1.0, 2.0),
        high=(3.0, 81.0, 2.0),
        log=(False, True, False),
    )
    to_original, to_view = (
        quick_jit(jax.vmap(move)) for move in challenges.rugged_maps(space, landscape)
    )
    line = (np.arange(1000) + 0.5) / 1000
    views = jax.vmap(space.from_unit)(
        jnp.array(np.stack([line, line, 0 * line], axis=1), jnp.float32)
    )
    originals = to_original(views)
    np.testing.assert_allclose(to_view(originals), views, rtol=2e-5, atol=1e-5)
    np.testing.assert_allclose(to_original(to_view(views)), views, rtol=2e-5, atol=1e-5)
    unit = np.asarray(jax.vmap(space.to_unit)(originals))
    for axis in (0, 1):
        quarters = unit[:, axis].reshape(4, 250)
        np.testing.assert_allclose(np.diff(quarters, axis=1), 1e-3, atol=2e-5)
        np.testing.assert_allclose(np.sort(unit[:, axis]), line, atol=4e-5)
    np.testing.assert_array_equal(originals[:, 2], 2.0)


def test_landscapes_differ_by_number_and_axis_and_edges_stay_where_they_belong():
    space = toy_grid(GRID).task_space
    corners = jnp.array([[0.0, 0.0], [0.25, 0.25], [0.5, 0.5], [0.75, 0.75], [1.0, 1.0]])
    shuffle = quick_jit(jax.vmap(lambda n: jax.vmap(challenges.rugged_maps(space, n)[0])(corners)))
    shuffled = list(np.asarray(shuffle(jnp.arange(8))))
    assert len({tuple(np.floor(x[:4] * 4).ravel()) for x in shuffled}) > 5
    assert any(not np.allclose(x[:, 0], x[:, 1]) for x in shuffled)
    for x in shuffled:
        assert sorted(np.floor(x[:4, 0] * 4)) == [0, 1, 2, 3] and np.floor(x[4, 0] * 4) == np.floor(
            x[3, 0] * 4
        )
    np.testing.assert_allclose(
        jax.vmap(challenges.rugged_maps(space, 3)[0])(corners), shuffled[3], rtol=1e-6
    )


def test_the_default_landscape_is_the_first_that_moves_every_quarter():
    """On one to four axes, so that learning does not start where the teacher would look for it
    anyway.
    """
    middles = (jnp.arange(4) + 0.5) / 4
    space = Box(names="abcd", low=(0.0,) * 4, high=(1.0,) * 4)
    moved = lambda number: jax.vmap(challenges.rugged_maps(space, number)[0])(
        jnp.tile(middles[:, None], 4)
    )
    stays = jnp.any(
        jnp.abs(quick_jit(jax.vmap(moved))(jnp.arange(30)) - middles[None, :, None]) < 0.1,
        axis=(1, 2),
    )
    assert np.flatnonzero(~np.asarray(stays))[0] == challenges.RuggedConfig().landscape
    for dims in (1, 2, 3):
        fewer = Box(names="abcd"[:dims], low=(0.0,) * dims, high=(1.0,) * dims)
        here = jax.vmap(challenges.rugged_maps(fewer)[0])(jnp.tile(middles[:, None], dims))
        np.testing.assert_allclose(
            here, moved(challenges.RuggedConfig().landscape)[:, :dims], atol=1e-6
        )


def test_a_rugged_student_is_tested_on_the_original_tasks():
    """A test task goes into the view and comes out as itself, through the loop, in whichever
    landscape, drawn for each seed too.
    """
    plain, tasks = toy_grid(GRID), jnp.array(toy_grid_test_tasks(GRID))
    competence = jnp.arange(16, dtype=jnp.float32) * 6
    student = challenges.rugged(plain, challenges.RuggedConfig(landscape=5))
    views = jax.vmap(challenges.rugged_maps(plain.task_space, 5)[1])(tasks)
    loop = make_loop(teachers.random(student.task_space), student, views, LoopConfig())
    state = loop.init(jax.random.key(0))
    test = student.evaluate(
        jax.random.key(0),
        state.student.replace(competence=competence),
        loop.test_tasks,
        jnp.arange(16),
        1,
        True,
    )
    np.testing.assert_allclose(test.returns, competence / 100, rtol=1e-6)
    np.testing.assert_array_equal(test.tasks, views)

    one_each = challenges.diverse(
        lambda number: challenges.rugged(plain, challenges.RuggedConfig(landscape=number)),
        lambda key: jax.random.randint(key, (), 0, 1000),
    )

    def returns(key):
        state = one_each.init(key)
        views = jax.vmap(challenges.rugged_maps(plain.task_space, state.parameters)[1])(tasks)
        learner = state.replace(student=state.student.replace(competence=competence))
        return one_each.evaluate(key, learner, views, jnp.arange(16), 1, True).returns, views

    both, views = quick_jit(jax.vmap(returns))(jax.random.split(jax.random.key(1), 4))
    np.testing.assert_allclose(both, np.broadcast_to(competence / 100, (4, 16)), rtol=1e-6)
    assert len(np.unique(np.asarray(views).reshape(4, -1), axis=0)) == 4


def test_ppo_in_a_rugged_landscape_reports_the_tasks_of_the_teacher():
    env = probes.counting()
    student = ppo(challenges.rugged(env, challenges.RuggedConfig(landscape=2)), *SMALL_PPO)
    _, episodes = quick_jit(student.train)(
        jax.random.key(0),
        quick_jit(student.init)(jax.random.key(0)),
        proposals_in(env.task_space, 32),
        jnp.int32(0),
    )
    originals = jax.vmap(challenges.rugged_maps(env.task_space, 2)[0])(episodes.tasks)
    lengths = np.where(episodes.valid, 1 + np.floor(7 * originals[:, 0]), episodes.lengths)
    assert episodes.valid.sum() > 8
    np.testing.assert_array_equal(episodes.lengths, lengths)
