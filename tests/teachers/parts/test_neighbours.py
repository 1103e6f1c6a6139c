"""One pass over batch and ring against a plain loop over episodes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, teachers
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.students.simulated.toy_grid import toy_grid
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.teachers.parts.neighbours import nearest_before
from jaxcurriculum.testing.compiling import quick_jit
from references.alp_gmm_numpy import NearestNeighbourProgress


@pytest.mark.parametrize("batch", [1, 7, 300])
@pytest.mark.parametrize("history", [1000, 1024])
def test_progress_equals_the_unbounded_loop_until_the_ring_wraps(batch, history):
    """Tasks on a coarse lattice, so that distances are exact and ties are many; invalid slots
    anywhere and full of nan.
    """
    rng = np.random.default_rng(batch)
    space = Box(names=("a", "b"), low=(0.0, 0.0), high=(3.0, 6.0))
    teacher = teachers.alp_gmm(
        space, teachers.AlpGmmConfig(return_range=None, history=history, fit_every=1000)
    )
    progress, state, update = (
        NearestNeighbourProgress(2),
        teacher.init(jax.random.key(0)),
        quick_jit(teacher.update),
    )
    student = toy_grid()
    proposals = fresh_proposals(jax.random.key(0), jnp.zeros((batch, 2)))
    key = jax.random.key(0)
    blank = student.train(key, student.init(key), proposals, jnp.int32(0))[1]
    expected = []
    for _ in range(min(60, 2 * history // batch)):
        tasks = (rng.integers(0, 13, (batch, 2)) / 4).astype(np.float32)
        returns, valid = rng.uniform(-100, 300, batch).astype(np.float32), rng.random(batch) < 0.6
        if len(expected) + valid.sum() > 1000:
            break
        expected += [progress.add(task, value) for task, value in zip(tasks[valid], returns[valid])]
        tasks[~valid], returns[~valid] = np.nan, np.nan
        state, probe_steps = update(
            jax.random.key(1), state, blank.replace(tasks=tasks, returns=returns, valid=valid), None
        )
    num = len(expected)
    assert int(state.history.num_rows) == num and int(probe_steps) == 0
    np.testing.assert_array_equal(state.history.values[:2, :num].T, progress.tasks[:num])
    np.testing.assert_array_equal(state.history.values[2, :num], progress.returns[:num])
    np.testing.assert_array_equal(state.window.values[2, :num], np.float32(expected))
    assert np.max(expected[:6]) == 0 and np.count_nonzero(expected) > 0.9 * (num - 6)


def test_wrapped_ring_searches_the_latest_rows():
    rng = np.random.default_rng(0)
    rows = rng.uniform(size=(3, 1000)).astype(np.float32)
    past = ring.empty(3, 300)
    for start in range(0, 1000, 100):
        past = ring.insert(past, jnp.array(rows[:, start : start + 100]), jnp.int32(100))
    points = rng.uniform(size=(2, 50)).astype(np.float32)
    slots = nearest_before(jnp.array(points), jnp.full(50, 950, jnp.int32), past)
    distance = np.sum((points[:, :, None] - rows[:2, None, 700:950]) ** 2, axis=0)
    np.testing.assert_array_equal(slots, (700 + distance.argmin(1)) % 300)


def test_batch_larger_than_the_ring_leaves_its_latest_rows():
    rows = jnp.arange(12, dtype=jnp.float32)[None]
    past = ring.insert(ring.empty(1, 5), rows, jnp.int32(11))
    assert sorted(past.values[0].tolist()) == [6, 7, 8, 9, 10] and int(past.num_rows) == 11


def test_mapped_over_seeds_with_unequal_histories():
    """The shared number of blocks must not let a short history see beyond its end."""
    rng = np.random.default_rng(0)
    values = jnp.array(rng.uniform(size=(3, 2, 2000)), jnp.float32)
    num_rows = jnp.array([0, 3, 1900], jnp.int32)
    points = jnp.array(rng.uniform(size=(3, 1, 20)), jnp.float32)
    search = lambda n, v, p: nearest_before(
        p, jnp.full(20, n, jnp.int32), ring.History(values=v, num_rows=n)
    )
    together = quick_jit(jax.vmap(search))(num_rows, values, points)
    for seed in range(3):
        np.testing.assert_array_equal(
            together[seed], search(num_rows[seed], values[seed], points[seed])
        )
        assert np.all(together[seed] < num_rows[seed]) and np.all(
            (together[seed] >= 0) == (num_rows[seed] > 0)
        )
