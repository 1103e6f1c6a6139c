"""The toy grid against a plain loop written from the published rule."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from references.toy_grid_numpy import ToyGrid

from jaxcurriculum.students.simulated import ToyGridConfig, toy_grid, toy_grid_test_tasks
from jaxcurriculum.types import fresh_proposals


@pytest.mark.parametrize(("dims", "cells", "irrelevant", "batch"), [(1, 30, 0, 1), (2, 10, 0, 500), (2, 5, 1, 50), (3, 4, 2, 1000)])
def test_practice_equals_the_published_rule(dims, cells, irrelevant, batch):
    """Tasks near the easy corner, so that cells get unlocked, and some exactly on bounds and edges."""
    rng = np.random.default_rng(dims)
    config = ToyGridConfig(dims=dims, cells=cells, irrelevant_dims=irrelevant, episodes_per_round=batch)
    student, reference = toy_grid(config), ToyGrid(dims, cells)
    state, train = student.init(jax.random.key(0)), jax.jit(student.train)
    num = max(4000 // batch, 1) if batch > 1 else 2500
    for _ in range(num):
        tasks = np.clip(rng.exponential(0.6 / cells, (batch, dims + irrelevant)), 0, 1)
        tasks = np.where(rng.random(tasks.shape) < 0.05, rng.integers(0, cells + 1, tasks.shape) / cells, tasks).astype(np.float32)
        state, episodes = train(jax.random.key(0), state, fresh_proposals(jax.random.key(1), jnp.array(tasks)))
        expected = np.array([reference.practise(task) for task in tasks])
        np.testing.assert_array_equal(np.round(100 * np.asarray(episodes.returns, float), 3), np.round(100 * expected, 3))
        np.testing.assert_array_equal(episodes.solved, expected > 0.75)
    np.testing.assert_array_equal(state.competence, reference.competence.ravel())
    np.testing.assert_allclose(student.report(state)["score"], reference.score(), rtol=1e-6)
    assert reference.score() > 0 and np.count_nonzero(reference.competence) > 1


def test_evaluation_teaches_nothing_and_covers_the_grid():
    config = ToyGridConfig(dims=2, cells=4, irrelevant_dims=1)
    student, tasks = toy_grid(config), toy_grid_test_tasks(config)
    competence = jnp.arange(16, dtype=jnp.float32) * 5 + 5  # one of them exactly 75: unlocks, but is not mastered
    state = student.init(jax.random.key(0)).replace(competence=competence)
    episodes = student.evaluate(jax.random.key(0), state, jnp.array(tasks), jnp.arange(16, dtype=jnp.uint32), 1, True)
    assert tasks.shape == (16, 3) and tasks.dtype == np.float32
    np.testing.assert_allclose(episodes.returns.ravel(), competence / 100)
    np.testing.assert_array_equal(episodes.solved.ravel(), competence > 75)
    assert np.all(episodes.valid) and np.all(episodes.lengths == 1) and np.all(np.isnan(episodes.mean_value))


def test_weight_zero_scores_only():
    student = toy_grid(ToyGridConfig(episodes_per_round=3))
    proposals = fresh_proposals(jax.random.key(0), jnp.full((3, 2), 0.05))
    state, episodes = student.train(
        jax.random.key(0), student.init(jax.random.key(0)), proposals.replace(weight=jnp.array([1.0, 0.0, 1.0]))
    )
    np.testing.assert_allclose(episodes.returns, [0.01, 0.01, 0.02])
    np.testing.assert_allclose(state.mean_return, 0.04 / 3, rtol=1e-6)
    np.testing.assert_array_equal(episodes.seeds, proposals.seeds)


@pytest.mark.parametrize("bad", [{"dims": 0}, {"cells": 0}, {"irrelevant_dims": -1}, {"episodes_per_round": 0}])
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"ToyGridConfig.{next(iter(bad))}"):
        ToyGridConfig(**bad)
