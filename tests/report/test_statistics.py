"""Statistics over seeds against scipy and closed forms."""

import itertools

import numpy as np
import pytest
import scipy.stats

from jaxcurriculum.report.statistics import (
    bootstrap_interval,
    interquartile_mean,
    least_p_value,
    permutation_p_value,
)


@pytest.mark.parametrize("num", [4, 5, 7, 32])
def test_interquartile_mean_is_the_trimmed_mean(num):
    scores = np.random.default_rng(num).normal(size=num)
    if num % 4 == 0:
        np.testing.assert_allclose(interquartile_mean(scores), scipy.stats.trim_mean(scores, 0.25))
    fine = np.repeat(
        scores, 4
    )  # four equal copies of each seed: the quarters divide, and the mean of the middle is the same
    np.testing.assert_allclose(interquartile_mean(scores), scipy.stats.trim_mean(fine, 0.25))


def test_the_p_value_is_the_share_of_relabellings_as_far_apart():
    rng = np.random.default_rng(0)
    a, b = rng.normal(0, 1, 6), rng.normal(1, 3, 5)
    both, apart = np.concatenate([a, b]), []
    for chosen in itertools.combinations(range(11), 6):
        rest = np.delete(both, chosen)
        apart.append(abs(both[list(chosen)].mean() - rest.mean()))
    far = np.array(apart) >= abs(a.mean() - b.mean()) - 1e-12
    np.testing.assert_allclose(permutation_p_value(a, b), far.mean())


def test_permutation_test_is_honest_under_the_null():
    rng = np.random.default_rng(1)
    p_values = [permutation_p_value(rng.normal(size=5), rng.normal(size=5)) for _ in range(300)]
    assert np.mean(np.array(p_values) <= 0.05) < 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_bootstrap_interval_covers_the_mean():
    rng = np.random.default_rng(2)
    intervals = np.array([bootstrap_interval(rng.normal(3, 1, 30)) for _ in range(200)])
    covered = np.mean((intervals[:, 0] < 3) & (3 < intervals[:, 1]))
    assert 0.86 < covered < 0.99  # the percentile interval is known to be a little narrow


@pytest.mark.parametrize(
    "num_a, num_b, limit", [(1, 1, 100), (2, 2, 100), (2, 3, 100), (4, 4, 100), (9, 9, 100)]
)
def test_the_least_p_value_is_that_of_groups_wholly_apart(num_a, num_b, limit):
    apart = permutation_p_value(np.arange(num_a), 100.0 + np.arange(num_b), limit)
    np.testing.assert_allclose(least_p_value(num_a, num_b, limit), apart)
