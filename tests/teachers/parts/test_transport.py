"""Assignments against SciPy's, and sliced transport against a plain loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from scipy.optimize import linear_sum_assignment

from jaxcurriculum.teachers.parts.transport import assign, sliced_move, squared_distances
from jaxcurriculum.testing.compiling import quick_jit
from references import currot_numpy


def spread(rng, num, points):
    return rng.uniform(size=(num, points, 2)).astype(np.float32)


def narrow(rng, num, points):
    """Two heaps, as the targets of a gate."""
    side = np.where(rng.uniform(size=(num, points, 1)) < 0.5, 0.1, 0.9)
    return (side + 0.002 * rng.normal(size=(num, points, 2))).astype(np.float32)


@pytest.mark.parametrize(("targets", "columns"), [(spread, 100), (narrow, 100), (spread, 130)])
def test_assignments_are_the_best_there_are(targets, columns):
    rng = np.random.default_rng(0)
    costs = jax.vmap(squared_distances)(spread(rng, 4, 100), targets(rng, 4, columns))
    for cost, ours in zip(np.asarray(costs), quick_jit(jax.vmap(assign))(costs)):
        rows, theirs = linear_sum_assignment(cost.astype(np.float64))
        assert len(set(ours.tolist())) == 100
        np.testing.assert_allclose(cost[rows, ours].sum(), cost[rows, theirs].sum(), rtol=1e-5)


def test_equal_costs_are_no_trouble():
    assert sorted(quick_jit(assign)(jnp.zeros((7, 7))).tolist()) == list(range(7))


def test_the_sliced_move_is_the_plain_loop():
    rng = np.random.default_rng(1)
    points, targets = spread(rng, 2, 40)
    directions = rng.normal(size=(9, 2)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    theirs = currot_numpy.sliced_move(np.float64(points), np.float64(targets), directions)
    np.testing.assert_allclose(sliced_move(points, targets, directions), theirs, atol=1e-5)


def test_on_a_line_the_sliced_move_is_the_optimal_one():
    rng = np.random.default_rng(2)
    points, targets = rng.uniform(size=(2, 30, 1)).astype(np.float32)
    matched = targets[quick_jit(assign)(squared_distances(points, targets))]
    moved = points + sliced_move(points, targets, np.ones((1, 1), np.float32))
    np.testing.assert_allclose(moved, matched, atol=1e-6)
