"""PLR, ACCEL and sampling for learnability are plain NumPy loops, fed the same random numbers."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from levels import SQUARE, episodes_of

from jaxcurriculum import Context, tree
from jaxcurriculum.records import random_seeds
from jaxcurriculum.teachers import (
    AccelConfig,
    LearnabilityConfig,
    PlrConfig,
    accel,
    learnability,
    plr,
)
from jaxcurriculum.testing.compiling import quick_jit
from references import curation_numpy

NUM, ROUNDS, CAPACITY = 9, 500, 40
KEYS = jax.random.split(jax.random.key(0), ROUNDS)
PLR_PRESETS = (PlrConfig.jaxued, PlrConfig.minimax, PlrConfig.dcd)
SMALL = {"capacity": CAPACITY, "seeds_from_tasks": False}


def lines_of_numbers(seed):
    """What happens in each round's two episodes a proposal, [ROUNDS, 2 * NUM] each."""
    random = np.random.default_rng(seed)
    shape = (ROUNDS, 2 * NUM)
    return {
        "valid": random.random(shape) < 0.8,
        "returns": random.random(shape, np.float32),
        "critic": random.normal(0.3, 1.0, shape).astype(np.float32),
    }


def played(teacher, numbers):
    """What the teacher proposes in each round, [ROUNDS, NUM], to a student of given `numbers`."""

    def one_round(state, inputs):
        key, told = inputs
        state, proposals = teacher.propose(key, state, NUM)
        twice = tree.take(proposals, jnp.tile(jnp.arange(NUM), 2))
        episodes = episodes_of(
            twice.tasks,
            twice.seeds,
            twice.origin,
            valid=told["valid"],
            returns=told["returns"],
            positive_value_loss=told["critic"],
            mean_value=told["critic"],
        )
        context = Context(jnp.int32(0), jnp.int32(0), lambda *_: None)
        return teacher.update(key, state, episodes, context)[0], proposals

    def run(inputs):
        return jax.lax.scan(one_round, teacher.init(jax.random.key(0)), inputs)[1]

    return jax.tree.map(np.asarray, quick_jit(run)((KEYS, numbers)))


def replay_numbers(key, config):
    """The random numbers of one round of replay."""
    key_new, key_kinds, key_slots = jax.random.split(key, 3)
    key_tasks, key_seeds = jax.random.split(key_new)
    tasks = jax.vmap(SQUARE.sample)(jax.random.split(key_tasks, NUM))
    return {
        "new": random_seeds(key_seeds, NUM),
        "tasks": jax.vmap(SQUARE.to_unit)(tasks),
        "coins": jax.random.uniform(key_kinds, () if config.rounds == "alternating" else (NUM,)),
        "waits": jax.random.exponential(key_slots, (CAPACITY,)),
        "places": jax.random.uniform(key_slots, (NUM,)),
    }


def accel_numbers(key, config):
    """Those of one round of ACCEL."""
    key_replay, key_kinds, key_parents, key_edits, key_seeds, key_due = jax.random.split(key, 6)
    return replay_numbers(key_replay, config.replay) | {
        "edited": jax.random.uniform(key_kinds, (NUM,)),
        "begin": jax.random.uniform(key_parents),
        "edits": jax.random.uniform(key_edits, (config.num_edits, NUM, 3)),
        "children": random_seeds(key_seeds, NUM),
        "due": jax.random.uniform(key_due),
    }


def by_round(function, config):
    numbers = jax.tree.map(np.asarray, jax.vmap(lambda key: function(key, config))(KEYS))
    return [{name: rows[i] for name, rows in numbers.items()} for i in range(ROUNDS)]


@pytest.mark.parametrize(
    "config",
    [
        PlrConfig(**SMALL, distinct=True),
        *(dataclasses.replace(preset(), **SMALL) for preset in PLR_PRESETS),
        pytest.param(
            PlrConfig(**SMALL, robust=True, rounds="parallel", score="max_mc"),
            marks=pytest.mark.slow,
        ),
    ],
    ids=["mixed", "jaxued", "minimax", "dcd", "robust, parallel"],
)
def test_plr_is_the_plain_rule(config):
    told = lines_of_numbers(1)
    proposals = played(plr(SQUARE, config), told)
    reference, numbers = curation_numpy.Replay(config), by_round(replay_numbers, config)
    for i in range(ROUNDS):
        levels, origins, weights = reference.propose(numbers[i])
        np.testing.assert_array_equal(proposals.origin[i], origins, err_msg=f"round {i}")
        np.testing.assert_array_equal(proposals.seeds[i], levels, err_msg=f"round {i}")
        np.testing.assert_array_equal(proposals.weight[i], weights)
        reference.update(np.tile(levels, 2), *(told[name][i] for name in told))
    assert 0.3 < np.mean(proposals.origin >= 0) < 0.9


def accel_in(rounds):
    """ACCEL in rounds of this kind."""
    replay = PlrConfig(
        robust=True, rounds=rounds, replay_prob=0.8, capacity=CAPACITY, distinct=rounds != "mixed"
    )
    return AccelConfig(replay=replay, edits_per_replay=1.0, num_candidates=8, num_parents=4)


def small(config):
    return dataclasses.replace(config, replay=dataclasses.replace(config.replay, **SMALL))


@pytest.mark.parametrize(
    "config",
    [
        accel_in("alternating"),
        small(AccelConfig.minimax()),
        small(AccelConfig.dcd()),
        *(
            pytest.param(accel_in(rounds), marks=pytest.mark.slow)
            for rounds in ("mixed", "parallel")
        ),
    ],
    ids=["alternating", "minimax", "dcd", "mixed", "parallel"],
)
def test_accel_is_the_plain_rule(config):
    told = lines_of_numbers(2)
    proposals = played(accel(SQUARE, config), told)
    reference, numbers = curation_numpy.Accel(config), by_round(accel_numbers, config)
    for i in range(ROUNDS):
        levels, origins, weights = reference.propose(numbers[i])
        np.testing.assert_array_equal(proposals.origin[i], origins, err_msg=f"round {i}")
        np.testing.assert_array_equal(proposals.seeds[i], levels, err_msg=f"round {i}")
        np.testing.assert_array_equal(proposals.weight[i], weights)
        tasks = 10 * np.stack([reference.tasks[level] for level in levels])
        np.testing.assert_allclose(proposals.tasks[i], tasks, atol=1e-3)
        reference.update(np.tile(levels, 2), origins * 2, *(told[name][i] for name in told))
    kinds = [np.mean(proposals.origin == kind) for kind in (curation_numpy.NEW, -2)]
    assert min(kinds) > 0.05 and np.mean(proposals.origin >= 0) > 0.2


def test_sampling_for_learnability_is_the_plain_rule():
    config = LearnabilityConfig(refresh_every=5, num_candidates=12, num_attempts=3, capacity=6)
    shape = (config.num_candidates, config.num_attempts)

    def outcomes(key):
        key_solved, key_valid = jax.random.split(key)
        valid = jax.random.bernoulli(key_valid, 0.6, shape)
        return jax.random.bernoulli(key_solved, 0.5, shape), valid

    def probe(key, tasks, seeds, num_episodes, deterministic):
        solved, valid = (leaf.reshape(-1) for leaf in outcomes(key))
        tasks, seeds = (jnp.repeat(leaf, num_episodes, axis=0) for leaf in (tasks, seeds))
        return episodes_of(tasks, seeds, solved=solved, valid=valid)

    teacher = learnability(SQUARE, config)

    def one_round(state, inputs):
        key, round = inputs
        state, proposals = teacher.propose(key, state, NUM)
        nothing = episodes_of(jnp.zeros((1, 2)), [0], valid=[False])
        return teacher.update(key, state, nothing, Context(round, round, probe))[0], proposals

    def numbers_of(key):
        _, key_seeds, key_replay, key_slots = jax.random.split(key, 4)
        _, key_probed, key_probe = jax.random.split(key, 3)
        return {
            "new": random_seeds(key_seeds, NUM),
            "coins": jax.random.uniform(key_replay, (NUM,)),
            "waits": jax.random.exponential(key_slots, (config.capacity,)),
            "probed": (random_seeds(key_probed, config.num_candidates), *outcomes(key_probe)),
        }

    inputs = (KEYS, jnp.arange(ROUNDS))
    run = quick_jit(lambda inputs: jax.lax.scan(one_round, teacher.init(KEYS[0]), inputs)[1])
    proposals = jax.tree.map(np.asarray, run(inputs))
    numbers = jax.tree.map(np.asarray, jax.vmap(numbers_of)(KEYS))
    reference = curation_numpy.Learnability(config)
    for i in range(ROUNDS):
        told = {name: numbers[name][i] for name in ("new", "coins", "waits")}
        levels, origins = reference.propose(**told)
        np.testing.assert_array_equal(proposals.origin[i], origins, err_msg=f"round {i}")
        np.testing.assert_array_equal(proposals.seeds[i], levels, err_msg=f"round {i}")
        if i % config.refresh_every == 0:
            reference.probe(*(rows[i] for rows in numbers["probed"]))
