"""Covar-GMM: its mixtures beside scikit-learn's, what it prefers, its switches."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, teachers
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers import CovarGmmConfig
from jaxcurriculum.teachers.covar_gmm import _with_time
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import made_up_episodes
from references.covar_gmm_numpy import CovarGmm

SPACE = Box(names=("height", "spacing"), low=(0.0, 1.0), high=(3.0, 7.0))
RISES, FALLS, FLAT = (0.7, 2.5), (2.3, 2.5), (1.5, 6.0)  # places, in the units of the axes


def place_of(tasks):
    """The nearest of the three places, [num]; 0 rises, 1 falls, 2 is flat."""
    distance = (tasks[:, None] - jnp.array([RISES, FALLS, FLAT])[None]) / jnp.array([[[3.0, 6.0]]])
    return jnp.argmin(jnp.sum(jnp.square(distance), axis=2), axis=1)


def returns_of(tasks, time):
    """Returns of the three places at `time` ([num], fraction of a window)."""
    return jnp.choose(
        place_of(tasks),
        [0.2 + 0.5 * time, 0.9 - 0.6 * time, jnp.full(time.shape, 0.5)],
        mode="clip",
    )


def reported(student_report, tasks, returns):
    """Episodes on `tasks` with `returns`, the rest as in `student_report`."""
    return student_report.replace(tasks=tasks, returns=returns, valid=jnp.ones(len(returns), bool))


def blank_report(num):
    proposals = jax.eval_shape(
        lambda: teachers.random(SPACE).propose(jax.random.key(0), None, num)[1]
    )
    shapes = jax.eval_shape(
        lambda proposals: made_up_episodes(jax.random.key(0), SPACE, proposals), proposals
    )
    return jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), shapes)


def follow(teacher, num_fits, fit_every=250, num=50):
    """The tasks and origins of every round on the student of the three places, [rounds, num,
    ...], and the last state.
    """

    def one_round(state, inputs):
        key, round = inputs
        key_propose, key_update = jax.random.split(key)
        state, proposals = teacher.propose(key_propose, state, num)
        time = (round * num % fit_every + jnp.arange(num)) / fit_every
        episodes = reported(blank_report(num), proposals.tasks, returns_of(proposals.tasks, time))
        state, _ = teacher.update(key_update, state, episodes, None)
        return state, (proposals.tasks, proposals.origin)

    rounds = num_fits * fit_every // num
    inputs = (jax.random.split(jax.random.key(3), rounds), jnp.arange(rounds))
    return jax.jit(lambda inputs: jax.lax.scan(one_round, teacher.init(jax.random.key(0)), inputs))(
        inputs
    )


def test_the_place_where_the_return_rises_is_preferred():
    teacher = teachers.covar_gmm(SPACE, CovarGmmConfig(return_range=None, max_components=6))
    _, (tasks, origin) = follow(teacher, num_fits=9)
    np.testing.assert_array_equal(np.all(origin == -1, axis=1), np.arange(45) < 5)
    tasks, origin = np.concatenate(tasks[5:]), np.concatenate(origin[5:])
    np.testing.assert_allclose(np.mean(origin == -1), 0.2, atol=0.03)
    assert np.mean(place_of(tasks[origin >= 0]) == 0) > 0.85


@pytest.mark.parametrize(
    "returns",
    [
        lambda noise: 0 * noise + 1e15,
        lambda noise: 1e15 * jnp.sign(noise),
        lambda noise: 3e14 * noise,
    ],
)
def test_returns_as_large_as_may_be_give_tasks(returns):
    teacher = teachers.covar_gmm(
        SPACE, CovarGmmConfig(return_range=None, fit_every=50, max_components=4, exploration=0.0)
    )

    def one_round(state, key):
        key_propose, key_noise = jax.random.split(key)
        state, proposals = teacher.propose(key_propose, state, 50)
        noise = jnp.clip(jax.random.normal(key_noise, (50,)), -3.0, 3.0)
        return teacher.update(
            key, state, reported(blank_report(50), proposals.tasks, returns(noise)), None
        )[0], proposals.tasks

    keys = jax.random.split(jax.random.key(3), 6)
    state, tasks = jax.jit(
        lambda keys: jax.lax.scan(one_round, teacher.init(jax.random.key(0)), keys)
    )(keys)
    assert int(state.num_fits) == 6 and bool(jnp.all(jax.vmap(jax.vmap(SPACE.contains))(tasks)))


def test_a_fit_agrees_with_scikit_learn_and_returns_that_are_not_finite_count_as_absent():
    """Three groups far apart, so that both find the same mixture whatever the start; every
    fourth episode went wrong.
    """
    rng = np.random.default_rng(0)
    tasks = (
        np.array([RISES, FALLS, FLAT])[rng.integers(0, 3, 240)]
        + 0.1 * rng.standard_normal((240, 2))
    ).astype(np.float32)
    returns = np.asarray(returns_of(tasks, np.arange(240, dtype=np.float32) / 240)) + np.float32(
        0.02
    ) * rng.standard_normal(240)
    returns = returns.astype(np.float32)
    wrong = np.arange(320) % 4 == 3
    all_tasks, all_returns = (
        np.full((320, 2), 1.0, np.float32),
        np.resize(np.array([np.nan, np.inf, -np.inf], np.float32), 320),
    )
    all_tasks[~wrong], all_returns[~wrong] = tasks, returns
    config = CovarGmmConfig(fit_every=240, min_components=3, max_components=3, return_range=None)
    teacher = teachers.covar_gmm(SPACE, config)
    update = quick_jit(
        lambda state, episodes: teacher.update(jax.random.key(1), state, episodes, None)[0]
    )
    state = teacher.init(jax.random.key(0))
    laws.assert_equal(
        update(state, reported(blank_report(320), all_tasks, jnp.full(320, jnp.nan))), state
    )
    state = update(state, reported(blank_report(320), all_tasks, all_returns))
    report = teacher.report(state)
    reference = CovarGmm(SPACE.low, SPACE.high, fit_every=240, components=[3])
    for task, episode_return in zip(tasks, returns):
        reference.update(task, episode_return)
    ours, theirs = np.argsort(report.means[:, 0]), np.argsort(reference.mixture.means_[:, 0])
    np.testing.assert_allclose(report.weights[ours], reference.mixture.weights_[theirs], rtol=1e-3)
    np.testing.assert_allclose(report.means[ours], reference.mixture.means_[theirs], rtol=1e-3)
    np.testing.assert_allclose(
        report.covariances[ours], reference.mixture.covariances_[theirs], atol=1e-4
    )
    np.testing.assert_allclose(report.preference[ours], reference.preference()[theirs], atol=1e-4)
    assert report.preference[ours][0] > 0.03 and np.all(
        report.preference[ours][1:] < 2e-3
    )  # slope * var(t) = 0.5 / 12 where it rises
    either_way = teachers.covar_gmm(SPACE, dataclasses.replace(config, absolute=True)).report(state)
    np.testing.assert_allclose(either_way.preference[ours], [0.5 / 12, 0, 0.6 / 12], atol=0.01)
    assert int(report.num_episodes) == 240 and int(report.num_fits) == 1


def test_time_counts_from_the_oldest_row_of_the_window():
    """Rows 0 to 12 through a window of 5: the ring has turned, and 8 to 12 stand in it."""
    rows = jnp.stack([jnp.arange(13.0), 100 + jnp.arange(13.0)])
    window = ring.insert(ring.empty(2, 5), rows[:, :6], jnp.int32(6))
    window = ring.insert(window, rows[:, 6:], jnp.int32(7))
    data = np.asarray(_with_time(window))
    np.testing.assert_allclose(
        data[:, np.argsort(data[0])],
        [[8, 9, 10, 11, 12], [0, 0.2, 0.4, 0.6, 0.8], [108, 109, 110, 111, 112]],
    )


def test_until_the_first_fit_tasks_are_drawn_about_an_easy_one():
    teacher = teachers.covar_gmm(SPACE, CovarGmmConfig(initial_mean=(0.0, 7.0), initial_std=0.1))
    tasks = quick_jit(lambda state: teacher.propose(jax.random.key(1), state, 2000)[1].tasks)(
        teacher.init(jax.random.key(0))
    )
    np.testing.assert_allclose(
        np.mean(tasks == jnp.array([[0.0, 7.0]]), axis=0), 0.5, atol=0.04
    )  # half of them beyond a face
    inside = np.asarray(tasks)[tasks[:, 0] > 0, 0]
    np.testing.assert_allclose(np.sqrt(np.mean(inside**2)), 0.3, rtol=0.1)  # 0.1 of the range of 3


def test_it_follows_the_frontier_of_the_toy_grid():
    student = simulated.toy_grid(simulated.ToyGridConfig(episodes_per_round=50))
    score = {}
    for teacher in (
        teachers.covar_gmm(student.task_space, CovarGmmConfig(return_range=None)),
        teachers.random(student.task_space),
    ):

        def one_round(states, key, teacher=teacher):
            keys = jax.random.split(key, 3)
            teacher_state, proposals = teacher.propose(keys[0], states[0], 50)
            student_state, episodes = student.train(keys[1], states[1], proposals, jnp.int32(0))
            return (teacher.update(keys[2], teacher_state, episodes, None)[0], student_state), None

        start = (teacher.init(jax.random.key(0)), student.init(jax.random.key(0)))
        run = jax.jit(
            lambda keys, one_round=one_round, start=start: jax.lax.scan(one_round, start, keys)[0][
                1
            ]
        )
        score[teacher.name] = float(
            student.report(run(jax.random.split(jax.random.key(1), 240)))["score"]
        )
    assert score["covar-gmm"] > score["random"] + 4, score


def test_presets_are_the_published_ones():
    paper, benchmark = CovarGmmConfig.paper(), CovarGmmConfig.teach_my_agent()
    assert (paper.fit_every, paper.min_components, paper.max_components, paper.exploration) == (
        250,
        2,
        10,
        0.2,
    )
    assert (
        paper.return_range == (-150.0, 350.0) and not paper.absolute and paper == CovarGmmConfig()
    )
    assert (
        benchmark.fit_every,
        benchmark.min_components,
        benchmark.max_components,
        benchmark.exploration,
    ) == (150, 2, 14, 0.1)
    assert benchmark.return_range is None and not benchmark.absolute


@pytest.mark.parametrize(
    "bad", [{"fit_every": 1}, {"max_components": 300}, {"exploration": 1.5}, {"initial_std": -0.1}]
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"CovarGmmConfig.*{next(reversed(bad))}"):
        CovarGmmConfig(**bad)


def test_an_easy_task_beyond_the_space_is_named():
    with pytest.raises(
        ValueError,
        match="CovarGmmConfig.initial_mean must lie in the task space: axis 'height' is 4.0",
    ):
        teachers.covar_gmm(SPACE, CovarGmmConfig(initial_mean=(4.0, 2.0)))
