"""The toy grid against a plain loop written from the published rule."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.students.simulated import ToyGridConfig, toy_grid, toy_grid_test_tasks
from jaxcurriculum.testing.compiling import quick_jit
from references.toy_grid_numpy import ForgetfulToyGrid, RotatedToyGrid, SpreadingToyGrid, ToyGrid


@pytest.mark.parametrize(
    ("dims", "cells", "irrelevant", "batch"),
    [(1, 30, 0, 1), (2, 10, 0, 500), (2, 5, 1, 50), (3, 4, 2, 1000)],
)
def test_practice_equals_the_published_rule(dims, cells, irrelevant, batch):
    """Tasks near the easy corner, so that cells get unlocked, and some exactly on bounds and
    edges.
    """
    rng = np.random.default_rng(dims)
    config = ToyGridConfig(
        dims=dims, cells=cells, irrelevant_dims=irrelevant, episodes_per_round=batch
    )
    student, reference = toy_grid(config), ToyGrid(dims, cells)
    state, train = student.init(jax.random.key(0)), quick_jit(student.train)
    num = max(4000 // batch, 1) if batch > 1 else 2500
    for _ in range(num):
        tasks = np.clip(rng.exponential(0.6 / cells, (batch, dims + irrelevant)), 0, 1)
        tasks = np.where(
            rng.random(tasks.shape) < 0.05, rng.integers(0, cells + 1, tasks.shape) / cells, tasks
        ).astype(np.float32)
        state, episodes = train(
            jax.random.key(0),
            state,
            fresh_proposals(jax.random.key(1), jnp.array(tasks)),
            jnp.int32(0),
        )
        expected = np.array([reference.practise(task) for task in tasks])
        np.testing.assert_array_equal(
            np.round(100 * np.asarray(episodes.returns, float), 3), np.round(100 * expected, 3)
        )
        np.testing.assert_array_equal(episodes.solved, expected > 0.75)
    np.testing.assert_array_equal(state.competence, reference.competence.ravel())
    np.testing.assert_allclose(student.report(state)["score"], reference.score(), rtol=1e-6)
    assert reference.score() > 0 and np.count_nonzero(reference.competence) > 1


def test_evaluation_teaches_nothing_and_covers_the_grid():
    config = ToyGridConfig(dims=2, cells=4, irrelevant_dims=1)
    student, tasks = toy_grid(config), toy_grid_test_tasks(config)
    # one of them exactly 75: unlocks, but is not mastered
    competence = jnp.arange(16, dtype=jnp.float32) * 5 + 5
    state = student.init(jax.random.key(0)).replace(competence=competence)
    episodes = student.evaluate(
        jax.random.key(0), state, jnp.array(tasks), jnp.arange(16, dtype=jnp.uint32), 1, True
    )
    assert tasks.shape == (16, 3) and tasks.dtype == np.float32
    np.testing.assert_allclose(episodes.returns.ravel(), competence / 100)
    np.testing.assert_array_equal(episodes.solved.ravel(), competence > 75)
    assert np.all(episodes.valid) and np.all(episodes.lengths == 1) and episodes.critic is None


def test_weight_zero_scores_only():
    student = toy_grid(ToyGridConfig(episodes_per_round=3))
    proposals = fresh_proposals(jax.random.key(0), jnp.full((3, 2), 0.05))
    state, episodes = quick_jit(student.train)(
        jax.random.key(0),
        student.init(jax.random.key(0)),
        proposals.replace(weight=jnp.array([1.0, 0.0, 1.0])),
        jnp.int32(0),
    )
    np.testing.assert_allclose(episodes.returns, [0.01, 0.01, 0.02])
    np.testing.assert_allclose(state.mean_return, 0.04 / 3, rtol=1e-6)
    np.testing.assert_array_equal(episodes.seeds, proposals.seeds)


def compare(student, reference, state, tasks):
    """Practise `tasks` ([num, dims]) in rounds, here and in the reference: every return and the
    last score are the same.
    """
    train, batch = quick_jit(student.train), student.num_proposals
    for some in tasks.reshape(-1, batch, tasks.shape[1]):
        state, episodes = train(
            jax.random.key(0),
            state,
            fresh_proposals(jax.random.key(1), jnp.array(some)),
            jnp.int32(0),
        )
        expected = np.array([reference.practise(task) for task in some])
        np.testing.assert_allclose(
            episodes.returns, expected, rtol=1e-6
        )  # less than any step of practice or decay
    np.testing.assert_allclose(student.report(state)["score"], reference.score(), rtol=1e-6)
    return state


def tasks_around(rng, start, cells, num):
    """Cells at geometric distances from `start`, so that many get unlocked, and places inside
    them away from the edges.
    """
    reach = rng.geometric(0.5, (num, len(start))) - 1
    cell = np.clip(np.array(start) + reach * rng.choice([-1, 1], reach.shape), 0, cells - 1)
    return ((cell + rng.uniform(0.1, 0.9, cell.shape)) / cells).astype(np.float32)


@pytest.mark.parametrize("corner", [1, 2, 3])
def test_a_corner_equals_the_published_rotation(corner):
    student = toy_grid(ToyGridConfig(cells=8, corner=corner, episodes_per_round=500))
    place = {1: (0, 7), 2: (7, 7), 3: (7, 0)}[corner]
    tasks = tasks_around(np.random.default_rng(corner), place, 8, 4000)
    state = compare(student, RotatedToyGrid(8, corner), student.init(jax.random.key(0)), tasks)
    grid = state.competence.reshape(8, 8)
    assert grid[place] == 100 and np.count_nonzero(grid) > 4


def test_corners_are_numbered_along_the_edges_and_drawn_evenly():
    """Each of the eight corners of a cube once, neighbours in number being neighbours in space."""
    places = []
    corners = jnp.array([[x, y, z] for x in (0.0, 1.0) for y in (0.0, 1.0) for z in (0.0, 1.0)])
    for corner in range(8):
        student = toy_grid(ToyGridConfig(dims=3, cells=3, corner=corner, episodes_per_round=8))
        state, proposals = (
            student.init(jax.random.key(0)),
            fresh_proposals(jax.random.key(0), corners),
        )
        _, episodes = quick_jit(student.train)(jax.random.key(0), state, proposals, jnp.int32(0))
        assert np.count_nonzero(episodes.returns) == 1
        places.append(corners[np.argmax(episodes.returns)])
    assert len({tuple(place.tolist()) for place in places}) == 8
    assert all(np.abs(a - b).sum() == 1 for a, b in zip(places, places[1:]))
    drawn = toy_grid(ToyGridConfig(dims=3, cells=3, corner="random"))
    starts = jax.vmap(lambda key: drawn.init(key).start)(jax.random.split(jax.random.key(1), 800))
    _, counts = np.unique(starts, axis=0, return_counts=True)
    assert set(np.unique(starts)) == {0, 2} and len(counts) == 8 and counts.min() > 60


def test_a_starting_cell_spreads_both_ways():
    student = toy_grid(ToyGridConfig(cells=6, start_cell=(2, 4), episodes_per_round=500))
    tasks = tasks_around(np.random.default_rng(0), (2, 4), 6, 6000)
    state = compare(student, SpreadingToyGrid((2, 4), 6), student.init(jax.random.key(0)), tasks)
    grid = state.competence.reshape(6, 6)
    assert all(grid[cell] == 100 for cell in [(1, 4), (3, 4), (2, 3), (2, 5)]) and grid[3, 3] > 0


def test_random_starting_cells_are_each_seeds_own():
    student = toy_grid(ToyGridConfig(dims=1, cells=6, start_cell="random", episodes_per_round=6))
    tasks = jnp.arange(6)[:, None] / 6 + 0.05

    def first_round(key):
        state = student.init(key)
        proposals = fresh_proposals(key, tasks)
        return state.start[0], student.train(key, state, proposals, jnp.int32(0))[1].returns

    starts, returns = quick_jit(jax.vmap(first_round))(jax.random.split(jax.random.key(0), 300))
    np.testing.assert_array_equal(np.argmax(returns, axis=1), starts)
    assert np.all(np.count_nonzero(returns, axis=1) == 1) and np.bincount(starts).min() > 25


def test_decay_and_barren_cells_equal_a_plain_loop():
    """Competence fades by a binary fraction, so that both ways of counting are exact."""
    student = toy_grid(
        ToyGridConfig(cells=5, decay=0.03125, unlearnable=0.15, episodes_per_round=400)
    )
    state = student.init(jax.random.key(3))
    reference = ForgetfulToyGrid(2, 5, 0.03125, ~np.asarray(state.learnable).reshape(5, 5))
    tasks = tasks_around(np.random.default_rng(1), (0, 0), 5, 4000)
    state = compare(student, reference, state, tasks)
    evaluated = student.evaluate(
        jax.random.key(0),
        state,
        jnp.array(toy_grid_test_tasks(ToyGridConfig(cells=5))),
        jnp.arange(25),
        1,
        True,
    )
    np.testing.assert_allclose(100 * evaluated.returns, reference.competence.ravel(), rtol=1e-6)
    assert 0 < reference.barren.sum() < 8 and np.count_nonzero(reference.competence) > 2


def test_weight_zero_is_no_practice_for_a_forgetful_grid():
    student = toy_grid(ToyGridConfig(cells=2, decay=0.25, episodes_per_round=4))
    proposals = fresh_proposals(jax.random.key(0), jnp.full((4, 2), 0.1)).replace(
        weight=jnp.array([1.0, 0.0, 0.0, 0.5])
    )
    state, episodes = quick_jit(student.train)(
        jax.random.key(0), student.init(jax.random.key(0)), proposals, jnp.int32(0)
    )
    np.testing.assert_allclose(episodes.returns, [0.01, 0.0075, 0.005, 0.01])
    assert state.practice.num_episodes == 4


def test_unlearnable_cells_are_drawn_for_each_seed_but_never_the_start():
    student = toy_grid(ToyGridConfig(cells=10, unlearnable=0.3, start_cell="random"))
    states = jax.vmap(student.init)(jax.random.split(jax.random.key(0), 200))
    learnable = np.asarray(states.learnable)
    assert np.all(learnable[np.arange(200), np.asarray(states.start @ jnp.array([10, 1]))])
    assert abs(learnable.mean() - (0.7 + 0.003)) < 0.011, "4 sd of 20,000 draws, and the start"
    assert len(np.unique(learnable, axis=0)) == 200


@pytest.mark.parametrize(
    "bad",
    [
        {"dims": 0},
        {"dims": 24, "cells": 1},
        {"dims": 10**20},
        {"cells": 0},
        {"irrelevant_dims": -1},
        {"episodes_per_round": 0},
        {"corner": 4},
        {"corner": "left"},
        {"start_cell": (1, 2, 3)},
        {"start_cell": (0, 10)},
        {"corner": 1, "start_cell": (0, 0)},
        {"unlearnable": 1.5},
        {"decay": -1.0},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"ToyGridConfig.{next(iter(bad))}"):
        ToyGridConfig(**bad)
