"""Sampling for learnability: the band of half success is found, and what the probe costs is
counted.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from levels import SQUARE, Pair, episodes_of
from scipy.stats import kstest

from jaxcurriculum import Context
from jaxcurriculum.teachers import LearnabilityConfig, learnability
from jaxcurriculum.testing.compiling import quick_jit

SMALL = LearnabilityConfig(
    refresh_every=4, num_candidates=200, num_attempts=10, capacity=20, replay_prob=0.6
)


def context(round, half=5.0):
    """A student that solves (x, y) with probability sigmoid(4 (half - x)), in x + 1 whole
    steps; some of its attempts are invalid.
    """

    def probe(key, tasks, seeds, num_episodes, deterministic):
        key_solved, key_valid = jax.random.split(key)
        tasks, seeds = jnp.repeat(tasks, num_episodes, axis=0), jnp.repeat(seeds, num_episodes)
        x, valid = tasks[:, 0], jax.random.bernoulli(key_valid, 0.9, seeds.shape)
        solved = jax.random.bernoulli(key_solved, jax.nn.sigmoid(4 * (half - x)))
        returns = jnp.where(valid, 1.0 * solved, jnp.nan)
        return episodes_of(
            tasks,
            seeds,
            valid=valid,
            solved=solved,
            returns=returns,
            lengths=1 + x.astype(jnp.int32),
        )

    return Context(round=jnp.int32(round), num_steps=jnp.int32(0), probe=probe)


NOTHING = episodes_of(jnp.zeros((4, 2)), range(4), valid=[False] * 4)


def refreshed(config=SMALL, round=0, **how):
    teacher = learnability(SQUARE, config)
    update = quick_jit(
        lambda key: teacher.update(key, teacher.init(key), NOTHING, context(round, **how))
    )
    return teacher, *update(jax.random.key(3))


def propose(teacher, state, num):
    return quick_jit(teacher.propose, static_argnums=2)(jax.random.key(1), state, num)[1]


def test_the_preset_is_the_published_one():
    assert dataclasses.astuple(LearnabilityConfig.published()) == (100, 25_000, 10, 1000, 0.5)


@pytest.mark.parametrize(
    "bad",
    [
        {"refresh_every": 0},
        {"num_candidates": 0},
        {"num_attempts": 1},
        {"capacity": 0},
        {"capacity": 251},
        {"replay_prob": 1.01},
    ],
    ids=str,
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"LearnabilityConfig.{next(iter(bad))}"):
        LearnabilityConfig(**bad)


def test_levels_are_random_before_the_first_probe():
    teacher = learnability(SQUARE, SMALL)
    proposals = propose(teacher, teacher.init(jax.random.key(0)), 4000)
    assert np.all(proposals.origin == -1) and np.all(proposals.weight == 1)
    assert kstest(np.asarray(proposals.tasks).ravel() / 10, "uniform").pvalue > 0.01


@pytest.mark.parametrize("half", [3.0, 8.0])
def test_it_finds_the_band_of_half_success(half):
    teacher, state, _ = refreshed(half=half)
    assert int(state.num_filled) == 20 and np.mean(np.abs(state.tasks[:, 0] - half)) < 0.7
    assert np.all(np.diff(state.learnability) <= 0) and 0.2 < float(state.learnability[0]) <= 0.25
    proposals = propose(teacher, state, 6000)
    replayed = np.asarray(proposals.origin) >= 0
    np.testing.assert_allclose(replayed.mean(), 0.6, atol=0.03)
    np.testing.assert_array_equal(
        proposals.seeds[replayed], state.seeds[proposals.origin[replayed]]
    )
    np.testing.assert_array_equal(
        proposals.tasks[replayed], state.tasks[proposals.origin[replayed]]
    )
    np.testing.assert_allclose(
        np.bincount(proposals.origin[replayed]) / replayed.sum(), 1 / 20, atol=0.015
    )


def test_learnability_is_that_of_the_attempts_that_count_and_their_steps_are_counted():
    """Three levels, four attempts each, some invalid: p = 1/2, 2/3, and one level without a
    single attempt.
    """
    solved = jnp.array([True, False, True, False] + [True, True, False, True] + [True] * 4)
    valid = jnp.array([True] * 4 + [True, True, True, False] + [False] * 4)
    lengths = jnp.arange(1, 13)
    given = {}

    def probe(key, tasks, seeds, num_episodes, deterministic):
        given.update(asked=(num_episodes, deterministic))
        jax.debug.callback(
            lambda tasks, seeds: given.update(tasks=tasks, seeds=seeds), tasks, seeds
        )
        repeat = lambda leaf: jnp.repeat(leaf, num_episodes, axis=0)
        return episodes_of(
            repeat(tasks), repeat(seeds), valid=valid, solved=solved, lengths=lengths
        )

    teacher = learnability(SQUARE, LearnabilityConfig(num_candidates=3, num_attempts=4, capacity=3))
    probing = Context(round=jnp.int32(0), num_steps=jnp.int32(0), probe=probe)
    state, probe_steps = quick_jit(
        lambda key: teacher.update(key, teacher.init(key), NOTHING, probing)
    )(jax.random.key(0))
    jax.effects_barrier()
    assert (
        int(probe_steps) == sum(range(1, 8))
        and given["asked"] == (4, False)
        and int(state.num_filled) == 2
    )
    np.testing.assert_allclose(state.learnability, [1 / 4, 2 / 9, 0], rtol=1e-6)
    np.testing.assert_array_equal(state.seeds[:2], given["seeds"][:2])
    np.testing.assert_array_equal(state.tasks[:2], given["tasks"][:2])
    proposals = propose(teacher, state, 500)
    assert set(np.unique(proposals.origin)) == {-1, 0, 1}


def test_the_student_is_probed_every_so_many_rounds():
    teacher = learnability(SQUARE, SMALL)
    update = quick_jit(
        lambda state, round: teacher.update(jax.random.key(3), state, NOTHING, context(round))
    )
    state, steps = teacher.init(jax.random.key(0)), []
    for round in range(9):
        state, probe_steps = update(state, round)
        steps.append(int(probe_steps))
    assert [round for round, spent in enumerate(steps) if spent > 0] == [0, 4, 8]
    assert 0.9 * 200 * 10 <= steps[0] <= 200 * 10 * 11


def test_rounds_between_two_probes_cost_nothing_under_vmap():
    """The round is not mapped over seeds, so the branch stays a branch, and the probe stands
    inside of it.
    """
    teacher = learnability(SQUARE, SMALL)
    update = lambda key, state, round: teacher.update(key, state, NOTHING, context(round))
    keys = jax.random.split(jax.random.key(0), 3)
    states = jax.vmap(teacher.init)(keys)
    program = jax.make_jaxpr(jax.vmap(update, in_axes=(0, 0, None)))(
        keys, states, jnp.int32(0)
    ).jaxpr
    names = [equation.primitive.name for equation in program.eqns]
    assert "cond" in names and "top_k" not in names and "random_bits" not in names, names


def test_tasks_may_be_trees():
    teacher = learnability(Pair(), LearnabilityConfig(num_candidates=6, num_attempts=2, capacity=3))

    def probe(key, tasks, seeds, num_episodes, deterministic):
        repeat = lambda leaf: jnp.repeat(leaf, num_episodes, axis=0)
        return episodes_of(
            jax.tree.map(repeat, tasks), repeat(seeds), solved=jax.random.bernoulli(key, 0.5, (12,))
        )

    probing = Context(round=jnp.int32(0), num_steps=jnp.int32(0), probe=probe)
    state, _ = quick_jit(lambda key: teacher.update(key, teacher.init(key), NOTHING, probing))(
        jax.random.key(0)
    )
    assert jax.tree.map(jnp.shape, propose(teacher, state, 4).tasks) == {
        "first": (4, 2),
        "second": (4, 2),
    }
