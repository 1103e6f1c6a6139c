"""CURROT: its moves against plain loops, and how far students of made-up skill let it come."""

import functools

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from self_paced_runs import context, made_episodes

from jaxcurriculum import Box, Episodes, make_loop, teachers
from jaxcurriculum.students import simulated
from jaxcurriculum.teachers import CurrotConfig, GradientConfig, currot, gradient
from jaxcurriculum.teachers.parts.kernel_regression import nadaraya_watson
from jaxcurriculum.teachers.parts.moves import replace_failures, step_to_goals
from jaxcurriculum.testing.compiling import quick_jit
from references import currot_numpy

SQUARE = Box(names=("x", "constant", "y"), low=(-1.0, 3.0, 0.0), high=(1.0, 3.0, 10.0))
CORNER = lambda key: jnp.array([1.0, 3.0, 10.0])  # noqa: E731
SMALL = {"num_particles": 20, "num_candidates": 30, "num_directions": 20}


def known_world(rng):
    """What is known of a student: 60 tasks, better to the left."""
    known = rng.uniform(size=(60, 2)).astype(np.float32)
    values = (1 - known[:, 0] + 0.1 * rng.normal(size=60)).astype(np.float32)
    ours = functools.partial(
        nadaraya_watson, known=known, values=values, valid=np.ones(60, bool), length=0.05
    )
    plain = functools.partial(
        currot_numpy.nadaraya_watson, known=np.float64(known), values=np.float64(values)
    )
    return ours, functools.partial(plain, length=0.05)


def test_moves_are_those_of_the_plain_rule():
    """Few, many and most particles fail at these thresholds; at the last, most members, too."""
    rng = np.random.default_rng(0)
    ours, plain = known_world(rng)
    particles, members, goals = rng.uniform(size=(3, 20, 2)).astype(np.float32)
    ball = rng.normal(size=(15, 2))
    ball *= rng.uniform(size=(15, 1)) / np.linalg.norm(ball, axis=1, keepdims=True)
    ball = ball.astype(np.float32)

    @quick_jit
    def move(threshold):
        points = jnp.asarray(particles), jnp.asarray(members)
        start, mastered = replace_failures(*points, ours, threshold)
        return start, mastered, step_to_goals(start, goals, mastered, ball, ours, threshold, 0.2)

    for threshold in (0.3, 0.6, 0.9):
        start, mastered = currot_numpy.replace_failures(particles, members, plain, threshold)
        moved = currot_numpy.step_to_goals(start, goals, mastered, ball, plain, threshold, 0.2)
        found = move(threshold)
        np.testing.assert_array_equal(found[0], start)
        np.testing.assert_array_equal(found[1], mastered)
        np.testing.assert_allclose(found[2], moved, atol=1e-5)


def practise(config, borders, rounds):
    """The particles after every round of 20 episodes that return 1 to the left of a border."""
    teacher = currot(SQUARE, CurrotConfig(**SMALL, **config), CORNER)

    def one_round(border, state, key):
        keys = jax.random.split(key, 2)
        state, proposals = teacher.propose(keys[0], state, 20)
        returns = (proposals.tasks[:, 0] < border).astype(jnp.float32)
        episodes = Episodes.of(proposals, returns, returns > 0.5)
        state, _ = teacher.update(keys[1], state, episodes, context(0))
        return state, teacher.report(state)["particles"]

    def run(border):
        keys = jax.random.split(jax.random.key(0), rounds)
        start = teacher.init(jax.random.key(1))
        return jax.lax.scan(functools.partial(one_round, border), start, keys)[1]

    return np.asarray(quick_jit(jax.vmap(run))(jnp.array(borders)))


@pytest.mark.slow
def test_particles_come_to_the_target_or_wait_at_the_border_of_what_is_mastered():
    """Where tasks beyond x = 0 return nothing they stop there, as near to the target as can be."""
    free, held = practise({"initial_mean": (-0.9, 3.0, 0.0)}, [2.0, 0.0], 60)
    assert np.all(free[0][:, 0] < 0)
    np.testing.assert_allclose(free[-1], np.tile([[1.0, 3.0, 10.0]], (20, 1)), atol=0.1)
    x, _, y = held[-10:].reshape(-1, 3).T
    assert np.all(np.abs(x) < 0.25) and np.all(y > 7)


@pytest.mark.slow
def test_they_stay_where_they_begin_until_they_are_mastered_if_asked_to():
    nowhere, all_over = practise({"wait_for_threshold": True}, [-2.0, 2.0], 3)
    assert np.all(nowhere == nowhere[:1]) and np.all(np.any(all_over[0] != all_over[1], axis=-1))


@pytest.mark.slow
def test_an_update_comes_after_so_many_episodes_in_however_many_rounds():
    teacher = currot(SQUARE, CurrotConfig(episodes_per_update=10, **SMALL))
    tasks = jax.vmap(SQUARE.sample)(jax.random.split(jax.random.key(0), 33))
    episodes = made_episodes(tasks, tasks[:, 0])

    @quick_jit
    def update(state, num):
        given = episodes.replace(valid=jnp.arange(33) < num)
        return teacher.update(jax.random.key(1), state, given, context(0))[0]

    state, counts = teacher.init(jax.random.key(0)), []
    for num in (7, 7, 7, 33):
        state = update(state, num)
        counts.append((int(state.num_updates), int(state.num_waiting)))
    assert counts == [(0, 7), (1, 4), (2, 1), (5, 4)]
    np.testing.assert_array_equal(state.waiting[:4, -1], tasks[-4:, 0])


@pytest.mark.parametrize("make", [(CurrotConfig, currot), (GradientConfig, gradient)])
@pytest.mark.parametrize(
    ("config", "target", "words"),
    [
        ({"initial_mean": (0.0, 3.0)}, None, "initial_mean must have one entry an axis"),
        ({"target_mean": (2.0, 3.0, 0.0)}, None, "target_mean must lie in the task space"),
        ({"target_std": (0.1, 0.2)}, None, "target_std must be one number or one an axis"),
        ({}, lambda key: jnp.zeros(2), r"target must give one task of 3 numbers .*got \(2,\)"),
        ({}, lambda key: 0.5, "target must give one task of 3 numbers"),
        ({}, (2.0, 3.0, 1.0), "target must be a function of a key, got "),
        ({"num_particles": 1}, None, "num_particles must be an integer from 2"),
        ({"performance": "value"}, None, "performance must be"),
    ],
)
def test_bad_input_is_named(make, config, target, words):
    kind, factory = make
    with pytest.raises(ValueError, match=words):
        factory(SQUARE, kind(**config), target)


@pytest.mark.parametrize("make", [(CurrotConfig, currot), (GradientConfig, gradient)])
def test_discounted_returns_need_a_critic(make):
    kind, factory = make
    grid = simulated.toy_grid()
    teacher = factory(grid.task_space, kind(performance="discounted-return"))
    with pytest.raises(ValueError, match="critic"):
        make_loop(teacher, grid, [[0.5, 0.5]])


def test_knowledge_of_an_easy_task_is_told():
    for config in (CurrotConfig(), GradientConfig()):
        told = teachers.informed(config, "high", teachers.Knowledge(easy_mean=(0.0, 3.0, 1.0)))
        assert told.initial_mean == (0.0, 3.0, 1.0) and told.initial_std == 0.1
        assert teachers.informed(told, "low").initial_mean is None
