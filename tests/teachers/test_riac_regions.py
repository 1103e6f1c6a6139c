"""RIAC's regions: what they hold, where they are cut, and the tasks drawn from them."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from riac_runs import SMALL, SPACE, growing_return, practise

from jaxcurriculum import Box
from jaxcurriculum.teachers import riac
from jaxcurriculum.teachers.parts import cutting, regions
from jaxcurriculum.teachers.riac import proposal_draws
from jaxcurriculum.testing.compiling import quick_jit
from references.riac_numpy import progress


@pytest.fixture(scope="module")
def grown():
    """A teacher with many regions: its configuration leaves room for 31 cuts, and there were
    3,000 episodes.
    """
    teacher = riac(SPACE, SMALL)
    return teacher, *practise(teacher, growing_return, 3000)[:2]


def test_more_tasks_where_there_is_progress(grown):
    """Regions without progress are only met by exploring and as parts of larger ones."""
    _, state, (proposals, _, _) = grown
    without = (np.asarray(state.low[:, 0]) >= 0.5) & (np.arange(64) < 63)
    assert without.sum() >= 2
    np.testing.assert_array_equal(np.asarray(state.alp)[without], 0.0)
    heights = np.asarray(proposals.tasks[1000:, 0, 0])
    assert np.mean(heights < 2.0) > 0.62, (
        "uniform tasks would give 0.5 with a standard error of 0.011"
    )


def test_the_first_cut_separates_progress_from_none():
    tasks = jax.random.uniform(jax.random.key(0), (201, 2))
    returns = growing_return(4 * tasks, jnp.arange(201))
    halving = cutting.Cutting(
        axes=(0, 1),
        max_draws=100,
        num_attempts=50,
        min_items=10,
        num_forgotten=50,
        weigh_populations=False,
    )
    rows = jnp.concatenate([tasks, returns[:, None]], axis=1)
    cut = quick_jit(halving.best)(
        jax.random.key(1), rows, jnp.zeros(2), jnp.ones(2), jnp.float32(1 / 15)
    )
    assert bool(cut.found) and int(cut.axis) == 0
    np.testing.assert_allclose(cut.threshold, 0.5, atol=0.05)


def test_leaves_are_a_partition_and_no_side_is_too_short(grown):
    teacher, state, _ = grown
    report = teacher.report(state)
    assert int(report.num_regions) == 63 and int(report.num_episodes) == 3000
    low, high = np.asarray(report.low), np.asarray(report.high)
    leaf = np.asarray(report.leaf)
    assert leaf.sum() == 32
    points = np.asarray(jax.vmap(SPACE.sample)(jax.random.split(jax.random.key(1), 500)))
    inside = np.all(
        (points[:, None] > low[leaf]) & (points[:, None] <= high[leaf]) | (low[leaf] == high[leaf]),
        axis=2,
    )
    np.testing.assert_array_equal(inside.sum(1), 1)
    sides = np.asarray(state.high - state.low)[:63]
    assert sides.min() >= SMALL.min_side - 1e-6
    np.testing.assert_array_equal(low[:63, 1], 2.0)
    np.testing.assert_array_equal(high[:63, 1], 2.0)
    assert not np.any(np.asarray(state.axis) == 1), "no cut across an axis of no width"
    np.testing.assert_array_equal(sides[:, 1], 1.0)


def test_full_of_regions_it_goes_on_with_the_latest_episodes(grown):
    """No cut any more; each region's progress is that of the latest `max_items` of its returns,
    as recounted from all episodes.
    """
    teacher, state, (proposals, returns, _) = grown
    unit = np.asarray(jax.vmap(SPACE.to_unit)(proposals.tasks[:, 0]))
    low, high = np.asarray(state.low), np.asarray(state.high)
    for k in np.flatnonzero(
        np.asarray(state.num_rows)[:63] > 200
    ):  # long after its cut: nothing of its parent's is left
        inside = np.all((unit > low[k]) & (unit <= high[k]) | (low[k] == 0) & (unit == 0), axis=1)
        latest = [float(x) for x in np.asarray(returns)[inside, 0][-SMALL.max_items :]]
        np.testing.assert_allclose(state.alp[k], progress(latest, SMALL.max_items), atol=1e-5)
    assert int(jnp.sum(state.num_rows[:63] > 200)) > 5


def test_progress_does_not_drift_in_a_long_run():
    """100,000 returns far from 0, of which only the latest 20 count."""
    returns = 1e4 + jax.random.normal(jax.random.key(0), (100_000,))
    add = lambda state, value: (
        regions.add(state, jnp.stack([jnp.float32(0.5), value]), jnp.bool_(True))[0],
        None,
    )
    state, _ = jax.jit(lambda returns: jax.lax.scan(add, regions.empty(1, 20, 1), returns))(returns)
    latest = np.asarray(returns, np.float64)[-20:]
    np.testing.assert_allclose(
        state.alp[0], abs(latest[:10].mean() - latest[10:].mean()), atol=2e-3
    )  # a float's spacing there is 1e-3


def test_shares_and_places_of_the_three_ways_to_choose(grown):
    teacher, state, _ = grown
    _, proposals = quick_jit(lambda key: teacher.propose(key, state, 20_000))(jax.random.key(9))
    origin, tasks = np.asarray(proposals.origin), np.asarray(proposals.tasks)
    alp = np.asarray(state.alp)
    shares = np.bincount(origin[origin >= 0], minlength=64) / 20_000
    np.testing.assert_allclose(np.mean(origin == -1), 0.2, atol=0.01)
    np.testing.assert_allclose(shares, 0.8 * alp / alp.sum(), atol=0.01)
    report = teacher.report(state)
    low, high = (
        np.asarray(report.low)[np.maximum(origin, 0)],
        np.asarray(report.high)[np.maximum(origin, 0)],
    )
    assert np.all((tasks >= low) & (tasks <= high)), "each task lies in its region"
    drawn = proposal_draws(jax.random.split(jax.random.key(9))[0], 20_000, 3)
    mutated = (np.asarray(drawn.mode) >= 0.2) & (np.asarray(drawn.mode) < 0.3)
    rows = np.asarray(state.items)[np.asarray(state.slots)]
    for k in (0, int(np.argmax(alp))):
        held = min(int(state.num_rows[k] - state.first_row[k]), SMALL.max_items + 1)
        slots = (int(state.num_rows[k]) - held + np.arange(held)) % (SMALL.max_items + 2)
        worst = SPACE.from_unit(jnp.array(rows[k, slots[np.argmin(rows[k, slots, -1])], :-1]))
        chosen = mutated & (origin == k)
        moved = np.asarray(worst)[None] + 0.1 * np.asarray(drawn.noise)[chosen]
        np.testing.assert_allclose(
            tasks[chosen], np.clip(moved, low[chosen], high[chosen]), rtol=1e-5
        )


def test_a_space_of_no_width_is_never_cut():
    space = Box(names=("a", "b"), low=(1.0, 2.0), high=(1.0, 2.0))
    state, (proposals, _, _), _ = practise(
        riac(space, SMALL), lambda tasks, round: tasks[:, 0] + round, 100, compiled=quick_jit
    )
    assert int(state.num_regions) == 1 and np.all(
        np.asarray(proposals.tasks[:, 0]) == np.array([1.0, 2.0])
    )
    assert all(bool(jnp.all(jnp.isfinite(leaf))) for leaf in jax.tree.leaves(state))


def test_an_episode_is_one_item_for_all_regions_that_remember_it(grown):
    """Each region's items lie in its box; no two leaves share any; none above them keeps more
    than they do; the spare one is free.
    """
    _, state, _ = grown
    capacity, num_regions = SMALL.max_items + 1, int(state.num_regions)
    number, first = np.asarray(state.num_rows), np.asarray(state.first_row)
    rows = [np.arange(max(number[k] - capacity, first[k]), number[k]) for k in range(num_regions)]
    items = [np.asarray(state.slots)[k, rows[k] % (capacity + 1)] for k in range(num_regions)]
    for k in range(num_regions):
        tasks = np.asarray(state.items)[items[k], :-1]
        assert np.all(
            (tasks >= np.asarray(state.low[k]) - 1e-6) & (tasks <= np.asarray(state.high[k]) + 1e-6)
        )
        assert len(set(items[k])) == len(items[k]) and int(state.spare) not in items[k]
    leaves = np.concatenate([items[k] for k in range(num_regions) if state.child[k] == 0])
    assert len(set(leaves)) == len(leaves) and set(items[0]) <= set(range(int(state.num_items)))
    assert int(state.num_items) <= len(state.items) == 32 * capacity + 1
