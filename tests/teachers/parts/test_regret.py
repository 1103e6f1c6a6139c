"""Regret against a loop over episodes in NumPy, for every objective."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Episodes
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.teachers.parts.regret import OBJECTIVES, regret_by_origin
from jaxcurriculum.testing.compiling import quick_jit

NUM_CASES, NUM_EPISODES, NUM_LEVELS = 300, 40, 5


def by_hand(objective, returns):
    """The regret of one level from every learner's list of returns; None where one is empty."""
    if not all(returns):
        return None
    best, mean = [max(own) for own in returns], [sum(own) / len(own) for own in returns]
    if objective == "paired":
        return max(best[1:]) - mean[0]
    if objective == "mean":
        return max(mean[1:]) - mean[0]
    if objective == "population":
        return max(best) - sum(mean) / len(mean)
    if objective == "minimax":
        return -sum(mean) / len(mean)
    antagonist = best.index(max(best))
    others = mean[:antagonist] + mean[antagonist + 1 :]
    return max(best) - sum(others) / len(others)


def made_up(key, num_learners):
    """Episodes of levels -1 to NUM_LEVELS, of one learner too many, some of them void or broken."""
    key_origin, key_learner, key_return, key_valid, key_broken = jax.random.split(key, 5)
    shape = (NUM_EPISODES,)
    proposals = fresh_proposals(key, jnp.zeros((NUM_EPISODES, 1)))
    returns = jnp.round(jax.random.normal(key_return, shape), 1)
    broken = jax.random.bernoulli(key_broken, 0.1, shape)
    return Episodes.of(
        proposals.replace(origin=jax.random.randint(key_origin, shape, -1, NUM_LEVELS + 1)),
        jnp.where(broken, jnp.nan, returns),
        returns > 0,
        learner=jax.random.randint(key_learner, shape, 0, num_learners + 1),
        valid=jax.random.bernoulli(key_valid, 0.8, shape),
    )


def returns_by_level(told, case, num_learners):
    """The returns that count in one case, [levels][learners][...]."""
    returns = [[[] for _ in range(num_learners)] for _ in range(NUM_LEVELS)]
    for i in range(NUM_EPISODES):
        level, learner = told.origin[case, i], told.learner[case, i]
        is_there = 0 <= level < NUM_LEVELS and learner < num_learners
        if is_there and told.valid[case, i] and np.isfinite(told.returns[case, i]):
            returns[level][learner].append(told.returns[case, i])
    return returns


@pytest.mark.parametrize("num_learners", [2, 3])
def test_regret_is_that_of_a_loop(num_learners):
    keys = jax.random.split(jax.random.key(num_learners), NUM_CASES)

    def measure(key):
        episodes = made_up(key, num_learners)
        kinds = {
            objective: regret_by_origin(episodes, NUM_LEVELS, objective, num_learners)
            for objective in OBJECTIVES
        }
        return episodes, kinds

    told, measured = jax.tree.map(np.asarray, quick_jit(jax.vmap(measure))(keys))
    for objective, (regret, known) in measured.items():
        expected = np.full(regret.shape, np.nan)
        for case in range(NUM_CASES):
            levels = returns_by_level(told, case, num_learners)
            each = [by_hand(objective, own) for own in levels]
            expected[case] = [np.nan if one is None else one for one in each]
        np.testing.assert_array_equal(known, np.isfinite(expected))
        np.testing.assert_allclose(regret, np.nan_to_num(expected), atol=1e-6)
        assert 0.1 < known.mean() < 0.99
        if objective in ("flexible", "population"):
            assert regret.min() >= -1e-6, "it needs no clamp"
