"""Arms: cells that tile a box, lists and distributions of one's own, and the draws that all
bandits share.
"""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, teachers
from jaxcurriculum.teachers.parts import arm_statistics
from jaxcurriculum.teachers.parts.arms import (
    Arms,
    cells,
    distributions,
    draw,
    explore,
    greedy,
    listed,
    propose_from,
)
from jaxcurriculum.testing.compiling import quick_jit

SPACE = Box(
    names=("x", "constant", "ratio"),
    low=(-1.0, 2.0, 0.01),
    high=(1.0, 2.0, 1.0),
    log=(False, False, True),
)


def test_cells_tile_the_box_and_a_constant_axis_has_one():
    arms = cells(SPACE, (4, 7, 2))
    assert arms.shape == (4, 1, 2) and arms.num == 8
    chosen = jnp.repeat(jnp.arange(8, dtype=jnp.int32), 500)
    proposals = quick_jit(lambda key: propose_from(key, arms, chosen))(jax.random.key(0))
    tasks = np.asarray(proposals.tasks)
    assert np.all(np.isfinite(tasks)) and np.all(tasks[:, 1] == 2.0)
    edges_x, edges_ratio = np.linspace(-1, 1, 5), np.array([0.01, 0.1, 1.0])
    np.testing.assert_array_equal((np.digitize(tasks[:, 0], edges_x[1:-1])), proposals.origin // 2)
    np.testing.assert_array_equal(
        (np.digitize(tasks[:, 2], edges_ratio[1:-1])), proposals.origin % 2
    )
    for cell in range(4):  # it fills the cell, evenly
        inside = (tasks[proposals.origin // 2 == cell, 0] - edges_x[cell]) / 0.5
        np.testing.assert_allclose(
            [inside.min(), inside.mean(), inside.max()], [0, 0.5, 1], atol=0.03
        )
    assert np.all(np.asarray(proposals.weight) == 1) and len(np.unique(proposals.seeds)) > 3990


def test_one_number_is_for_every_axis():
    assert cells(SPACE, 3).shape == (3, 1, 3)
    assert cells(Box(names=("constant",), low=(1.0,), high=(1.0,)), 5).num == 1


@pytest.mark.parametrize(
    "tasks",
    [
        [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]],
        [[0, 1], (2, 3), [4.0, 5]],
        np.arange(6.0).reshape(3, 2),
        [np.array([0, 1.0]), [2, 3.0], [4, 5.0]],
    ],
)
def test_listed_tasks_come_as_they_are(tasks):
    arms = listed(tasks)
    got = propose_from(jax.random.key(0), arms, jnp.array([2, 0, 1], jnp.int32)).tasks
    np.testing.assert_array_equal(got, [[4, 5], [0, 1], [2, 3]])
    assert got.dtype == jnp.float32 and arms.shape == (3,)


def test_tasks_and_distributions_may_be_records():
    arms = listed(
        [{"size": np.int32(3), "goal": np.zeros(2)}, {"size": np.int32(5), "goal": np.ones(2)}]
    )
    task = arms.sample(jax.random.key(0), jnp.int32(1))
    assert int(task["size"]) == 5 and task["goal"].tolist() == [1, 1]
    easy = lambda key: {"height": jax.random.uniform(key, ())}
    hard = lambda key: {"height": 2 + jax.random.uniform(key, ())}
    heights = propose_from(
        jax.random.key(0), distributions([easy, hard]), jnp.array([1] * 50 + [0] * 50, jnp.int32)
    ).tasks["height"]
    assert np.all(heights[:50] >= 2) and np.all(heights[50:] < 1) and len(np.unique(heights)) > 95


@pytest.mark.parametrize(
    ("make", "named"),
    [
        (lambda: listed([]), "listed.tasks"),
        (lambda: listed(np.zeros((0, 2))), "Arms.shape"),
        (lambda: listed([[0.0], [0.0, 1.0]]), "listed.tasks.*number 1"),
        (lambda: listed([[0.0], [np.nan]]), "listed.tasks.*nan"),
        (lambda: listed(["a", "b"]), "listed.tasks must be numbers, got entries of the types"),
        (lambda: listed({"a": np.zeros(2), "b": np.zeros(3)}), "listed.tasks.*leading axis"),
        *[
            (
                lambda samplers=samplers: distributions(samplers),
                r"distributions.samplers must be one or more functions \(key\) -> task, got",
            )
            for samplers in ([], [3], 3, None)
        ],
        (
            lambda: distributions([lambda key: jnp.zeros(2), lambda key: jnp.zeros(3)]),
            "distributions.samplers.*number 1",
        ),
        (lambda: cells(SPACE, 0), "cells.per_axis"),
        (lambda: cells(SPACE, (2, 2)), "cells.per_axis"),
        (lambda: cells(SPACE, 2.5), "cells.per_axis"),  # type: ignore[arg-type]
        (
            lambda: cells(SPACE, 2**40),
            "cells.per_axis must be an integer from 1 to 100000, or one an axis, got 1099511627776",
        ),
        (
            lambda: cells(Box(names=list("abcdef"), low=[0] * 6, high=[1] * 6), 100_000),
            "Arms.shape.*100,000",
        ),
        (lambda: cells(SPACE, 1000), "Arms.shape.*100,000"),
        (
            lambda: teachers.grid_graph(cells(SPACE, 300)),
            "grid_graph must have at most 10,000 arms, got 90,000",
        ),
        (
            lambda: teachers.grid_graph(cells(SPACE, 3), np.nan),
            "grid_graph.weight must be a finite number of at least 0, got nan",
        ),
        (lambda: Arms(shape=(), sample=lambda key, arm: arm), "Arms.shape"),
    ],
)
def test_bad_arms_are_named(make, named):
    with pytest.raises(ValueError, match=named):
        make()


def test_draws_follow_the_probabilities_and_never_take_an_impossible_arm():
    probabilities = jnp.array([0.0, 0.1, 0.0, 0.6, 0.3, 0.0])
    count = np.bincount(draw(jax.random.key(0), probabilities, 50_000), minlength=6)
    np.testing.assert_allclose(count / 50_000, probabilities, atol=0.01)
    assert count[0] == count[2] == count[5] == 0


def test_ties_are_shared_and_exploration_is_uniform():
    np.testing.assert_allclose(
        explore(greedy(jnp.array([1.0, 3.0, 3.0, 2.0])), 0.2), [0.05, 0.45, 0.45, 0.05], rtol=1e-6
    )
    np.testing.assert_allclose(greedy(jnp.array([jnp.inf, 1.0, jnp.inf])), [0.5, 0, 0.5])


def test_a_window_holds_the_latest_and_their_mean():
    rng = np.random.default_rng(0)
    window, past = arm_statistics.empty(3, 4), [[], [], []]
    push = quick_jit(arm_statistics.push)
    for arm, value in zip(rng.choice([0, 2], 40), rng.normal(size=40).astype(np.float32)):
        window = push(window, jnp.int32(arm), value)
        past[arm].append(value)
        np.testing.assert_allclose(window.mean[arm], np.mean(past[arm][-4:]), rtol=1e-5)
        assert (
            float(arm_statistics.latest(window, jnp.int32(arm), min(3, len(past[arm]) - 1)))
            == past[arm][-4:][0]
        )
    assert window.num.tolist() == [len(values) for values in past] and float(window.mean[1]) == 0
    after = push(window, jnp.int32(3), jnp.nan)
    for x, y in zip(jax.tree.leaves(after), jax.tree.leaves(window)):
        np.testing.assert_array_equal(x, y)


def test_the_slope_is_the_least_squares_one():
    rng = np.random.default_rng(1)
    times, values = rng.uniform(0, 5, 8).astype(np.float32), rng.normal(size=8).astype(np.float32)
    written = np.arange(8) < 6
    expected = np.polyfit(times[:6], values[:6], 1)[0]
    np.testing.assert_allclose(
        arm_statistics.slope(jnp.array(times), jnp.array(values), jnp.array(written)),
        expected,
        rtol=1e-4,
    )
    assert (
        float(arm_statistics.slope(jnp.ones(3), jnp.array([1.0, 2.0, 5.0]), jnp.ones(3, bool))) == 0
    )
