"""The buffer of levels: its probabilities, what it keeps, and that a batch is the same as one
by one.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from levels import SQUARE, Pair, episodes_of
from scipy.stats import chisquare

from jaxcurriculum.teachers.parts import level_buffer
from jaxcurriculum.teachers.parts.level_scores import SCORES
from jaxcurriculum.teachers.parts.visits import visits_of
from jaxcurriculum.teachers.plr import PlrConfig, plr
from jaxcurriculum.testing import laws
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import run_teacher
from references.curation_numpy import visits
from references.plr_numpy import Plr

NAN = float("nan")


def observing(
    buffer,
    episodes,
    staleness=0.0,
    score="positive_value_loss",
    prioritisation="rank",
    temperature=1.0,
):
    prioritise = lambda buffer: level_buffer.replay_probs(
        buffer, prioritisation, temperature, staleness
    )
    return level_buffer.observe(buffer, visits_of(episodes), SCORES[score], prioritise)


observe = quick_jit(
    observing, static_argnames=("staleness", "score", "prioritisation", "temperature")
)


def levels(seeds, scores, **fields):
    """Episodes of levels whose task follows from the seed."""
    return episodes_of(
        jnp.asarray(seeds, jnp.float32)[:, None] * jnp.ones((1, 2)),
        seeds,
        positive_value_loss=scores,
        **fields,
    )


def filled(scores, capacity=None, **how):
    """A buffer with levels of the seeds 1, 2, ... in its slots."""
    capacity = len(scores) if capacity is None else capacity
    return observe(
        level_buffer.empty(SQUARE, capacity), levels(range(1, len(scores) + 1), scores), **how
    )


def test_probabilities_by_rank():
    buffer = filled([0.2, 0.9, -0.5], capacity=4, temperature=0.5)
    weights = np.array([1 / 2**2, 1, 1 / 3**2, 0])
    np.testing.assert_array_equal(buffer.ranks[:3], [2, 1, 3])
    np.testing.assert_allclose(buffer.replay_probs, weights / weights.sum(), rtol=1e-6)


def test_probabilities_by_power_are_those_of_the_positive_scores():
    buffer = filled([2.0, 1.0, -3.0, 0.0], capacity=5, prioritisation="power", temperature=0.5)
    np.testing.assert_allclose(buffer.replay_probs, [0.8, 0.2, 0, 0, 0], rtol=1e-6)
    tiny = filled([2e-30, 1e-30], prioritisation="power", temperature=0.1)
    np.testing.assert_allclose(tiny.replay_probs, [1024 / 1025, 1 / 1025], rtol=1e-5)
    none = filled([-1.0, 0.0, -2.0], capacity=4, prioritisation="power")
    np.testing.assert_allclose(none.replay_probs, [1 / 3, 1 / 3, 1 / 3, 0], rtol=1e-6)


def test_probabilities_by_age():
    """Scored at episodes 1, 2, 3, then the second again: ages 3, 0, 1."""
    buffer = observe(filled([1.0, 1.0, 1.0], staleness=1.0), levels([2], [5.0]), staleness=1.0)
    np.testing.assert_allclose(buffer.replay_probs, [0.75, 0, 0.25], rtol=1e-6)
    mixed = observe(filled([1.0, 1.0, 1.0]), levels([2], [5.0]), staleness=0.25)
    by_rank = np.array([1 / 2, 1, 1 / 3]) / (1 + 1 / 2 + 1 / 3)
    np.testing.assert_allclose(
        mixed.replay_probs, 0.75 * by_rank + 0.25 * np.array([0.75, 0, 0.25]), rtol=1e-6
    )
    np.testing.assert_allclose(
        filled([1.0], staleness=1.0).replay_probs, [1.0]
    )  # the only level, of age 0


@pytest.mark.parametrize("capacity", [1, 7, 16, 30])
def test_draws_follow_the_probabilities(capacity):
    buffer = filled(np.linspace(1, 2, max(1, capacity - 1)), capacity=capacity)
    slots = np.asarray(
        quick_jit(level_buffer.sample, static_argnums=(2, 3))(
            jax.random.key(0), buffer, 20_000, False
        )
    )
    expected = 20_000 * np.asarray(buffer.replay_probs, np.float64)
    used = expected > 0
    assert np.all(used[slots]) and slots.dtype == np.int32
    if used.sum() > 1:
        assert (
            chisquare(
                np.bincount(slots, minlength=capacity)[used],
                expected[used] * 20_000 / expected.sum(),
            ).pvalue
            > 0.01
        )


@pytest.mark.parametrize("distinct", [True, False])
def test_an_empty_buffer_draws_slot_0_and_nothing_is_nan(distinct):
    buffer = level_buffer.empty(SQUARE, 5)
    assert np.all(
        quick_jit(level_buffer.sample, static_argnums=(2, 3))(
            jax.random.key(0), buffer, 9, distinct
        )
        == 0
    )
    for how in ("rank", "power"):
        probs = quick_jit(level_buffer.replay_probs, static_argnums=1)(buffer, how, 0.1, 0.5)
        np.testing.assert_array_equal(probs, np.zeros(5))


@pytest.mark.parametrize(
    "how, batch",
    [
        ({"prioritisation": "rank", "temperature": 0.1, "staleness": 0.5}, 1),
        ({"prioritisation": "rank", "temperature": 0.3, "staleness": 0.3}, 16),
        ({"prioritisation": "power", "temperature": 1.0, "staleness": 0.7}, 16),
    ],
)
def test_it_is_the_plain_reference_over_2000_updates(how, batch):
    """The reference chooses the levels, new or replayed, from given random numbers; some scores
    are equal, some negative.
    """
    random, reference, capacity, num = np.random.default_rng(0), Plr(64, **how), 64, 2000
    seeds, scores = np.zeros(num, np.uint32), np.zeros(num, np.float32)
    probs, ranks, held = (
        np.zeros((num, capacity)),
        np.zeros((num, capacity), int),
        np.zeros((num, capacity), np.uint32),
    )
    for i in range(num):
        replays = len(reference.levels) >= 32 and random.random() < 0.5
        seeds[i] = reference.draw(random.random()) if replays else random.integers(1, 2**32)
        score = random.normal(0.3, 1.0)
        scores[i] = np.round(8 * score) / 8 if random.random() < 0.5 else score
        if i % batch < batch - 1:
            continue
        rows = slice(i + 1 - batch, i + 1)
        for level, episodes in visits(seeds[rows], np.ones(batch, bool)).items():
            reference.update(level, np.mean(scores[rows][episodes], dtype=float))
        size = len(reference.levels)
        probs[i, :size], ranks[i, :size], held[i, :size] = (
            reference.replay_probs(),
            reference.ranks(),
            reference.levels,
        )

    episodes = jax.tree.map(
        lambda leaf: leaf.reshape(-1, batch, *leaf.shape[1:]), levels(seeds, scores)
    )

    def step(buffer, episodes):
        buffer = observing(buffer, episodes, **how)
        return buffer, (
            buffer.replay_probs,
            jnp.where(jnp.arange(capacity) < buffer.num_filled, buffer.ranks, 0),
            buffer.seeds,
        )

    _, seen = quick_jit(
        lambda episodes: jax.lax.scan(step, level_buffer.empty(SQUARE, capacity), episodes)
    )(episodes)
    np.testing.assert_array_equal(seen[2], held[batch - 1 :: batch])
    np.testing.assert_array_equal(seen[1], ranks[batch - 1 :: batch])
    np.testing.assert_allclose(seen[0], probs[batch - 1 :: batch], atol=1e-5)


def test_a_full_buffer_gives_up_the_level_least_likely_to_be_replayed():
    full = filled([0.5, 0.2, 0.9])
    np.testing.assert_array_equal(observe(full, levels([9], [0.1])).seeds, [1, 2, 3])
    np.testing.assert_array_equal(observe(full, levels([9], [0.2])).seeds, [1, 9, 3])
    kept = observe(full, levels([9], [0.3]))
    np.testing.assert_allclose(kept.scores, [0.5, 0.3, 0.9])
    np.testing.assert_allclose(kept.tasks[1], [9, 9])
    aged = filled([0.9, 0.2, 0.5], staleness=1.0)  # the third was scored last, whatever its score
    np.testing.assert_array_equal(observe(aged, levels([9], [0.5]), staleness=1.0).seeds, [1, 2, 9])
    np.testing.assert_array_equal(observe(aged, levels([9], [0.4]), staleness=1.0).seeds, [1, 2, 3])


def test_a_level_that_comes_twice_in_a_round_has_one_slot():
    buffer = observe(filled([0.5, 0.2], capacity=4), levels([2, 7, 2, 7], [0.8, 0.3, 0.1, 0.6]))
    np.testing.assert_array_equal(buffer.seeds, [1, 2, 7, 0])
    np.testing.assert_allclose(buffer.scores, [0.5, 0.45, 0.45, -np.inf], rtol=1e-6)
    np.testing.assert_array_equal(buffer.scored_at, [1, 3, 4, 0])
    assert int(buffer.num_filled) == 3 and int(buffer.num_visits) == 4


def test_the_best_return_of_a_level_is_remembered_and_goes_with_it():
    best = lambda buffer, seeds, returns: observe(
        buffer,
        levels(seeds, [NAN] * len(seeds), returns=returns, mean_value=[1.0] * len(seeds)),
        score="max_mc",
    )
    buffer = best(level_buffer.empty(SQUARE, 1), [1, 1, 1], [3.0, 8.0, 2.0])
    np.testing.assert_allclose((buffer.memory[0], buffer.scores[0]), (8, 7))
    np.testing.assert_allclose(
        best(buffer, [2], [9.0]).scores, [8]
    )  # another level in the slot begins anew
    np.testing.assert_allclose(best(best(buffer, [2], [9.0]), [2], [5.0]).memory, [9])


def test_a_seed_is_a_level_only_with_its_task():
    buffer = filled([0.5, 0.2], capacity=3)
    other = levels([1], [0.7]).replace(tasks=jnp.array([[5.0, 5.0]]))
    np.testing.assert_allclose(observe(buffer, other).scores, [0.5, 0.2, 0.7])


def test_an_episode_whose_slot_has_gone_to_another_level_does_not_touch_that():
    """Level 1 is drawn from slot 0, loses it to level 8, and then comes back, too low to be
    kept again.
    """
    taken = observe(filled([0.1, 0.6]), levels([8], [0.9]))
    np.testing.assert_array_equal(taken.seeds, [8, 2])
    late = observe(taken, levels([1], [0.3], origin=[0]))
    np.testing.assert_allclose(late.scores, [0.9, 0.6])
    np.testing.assert_array_equal(late.seeds, [8, 2])


@pytest.mark.parametrize(
    "bad",
    [
        {"valid": [False]},
        {"returns": [NAN]},
        {"returns": [np.inf]},
        {"scores": [NAN]},
        {"scores": [np.inf]},
    ],
    ids=str,
)
def test_what_cannot_be_scored_changes_nothing(bad):
    buffer = filled([0.5, 0.2], capacity=3)
    for seed in (1, 9):
        laws.assert_equal(observe(buffer, levels([seed], **{"scores": [0.4], **bad})), buffer)


def test_a_round_larger_than_the_buffer_is_taken_one_by_one():
    batch = levels(range(1, 33), np.random.default_rng(1).normal(size=32))
    together, alone = (
        observe(level_buffer.empty(SQUARE, 4), batch, staleness=0.3),
        level_buffer.empty(SQUARE, 4),
    )
    step = quick_jit(
        lambda buffer, i: observing(
            buffer, jax.tree.map(lambda x: x[i][None], batch), staleness=0.3
        )
    )
    for i in range(32):
        alone = step(alone, i)
    laws.assert_close(together, alone, 1e-6)


def test_tasks_may_be_trees_and_seeds_of_runs_are_independent():
    """Equal leaves, mapped over: three runs at once are what each is alone."""
    teacher = plr(Pair(), PlrConfig(capacity=6, least_filled=0.0))
    run = lambda key: run_teacher(teacher, Pair(), key, 4, 8)
    keys = jax.random.split(jax.random.key(0), 3)
    together = quick_jit(jax.vmap(run))(keys)
    laws.assert_close(jax.tree.map(lambda leaf: leaf[1], together), quick_jit(run)(keys[1]), 1e-5)
    assert bool(jnp.all(jax.vmap(jax.vmap(jax.vmap(Pair().contains)))(together[1].tasks)))


@pytest.mark.parametrize("capacity", [1000, 4000])
def test_a_seed_takes_less_than_two_megabytes(capacity):
    state = plr(SQUARE, dataclasses.replace(PlrConfig(), capacity=capacity)).init(jax.random.key(0))
    assert sum(leaf.nbytes for leaf in jax.tree.leaves(state)) < 40 * capacity
