"""Statistics over seeds against scipy and closed forms."""

import itertools

import numpy as np
import pytest
import scipy.stats

from jaxcurriculum.report.statistics import (
    bootstrap_interval,
    interquartile_mean,
    least_p_value,
    performance_profile,
    permutation_p_value,
    probability_of_improvement,
    welch_p_value,
)


@pytest.mark.parametrize(
    "scores, mean",
    [([7], 7), ([0, 4], 2), ([0, 1, 5], 2), ([9, 0, 1, 2], 1.5), ([0, 1, 2, 3, 99], 2)],
)
def test_the_interquartile_mean_leaves_out_a_quarter_at_each_end(scores, mean):
    assert interquartile_mean(np.array(scores, float)) == mean
    both = np.array([scores, scores], float)
    assert interquartile_mean(both).tolist() == [mean, mean]


def test_the_probability_of_improvement_is_the_share_of_pairs():
    a, b = np.array([1.0, 2.0, 4.0]), np.array([2.0, 3.0])
    # over 2: no, half, yes; over 3: no, no, yes
    assert probability_of_improvement(a, b) == 2.5 / 6
    assert probability_of_improvement(b, a) == 3.5 / 6
    rng = np.random.default_rng(3)
    a, b = rng.integers(0, 9, 12), rng.integers(2, 9, 7)
    u = scipy.stats.mannwhitneyu(a, b).statistic
    np.testing.assert_allclose(probability_of_improvement(a, b), u / (12 * 7))


def test_a_profile_is_the_share_of_scores_strictly_above_each_threshold():
    scores = np.array([[0.0, 10.0, 20.0], [10.0, 10.0, 30.0]])
    thresholds = np.array([-1.0, 0.0, 10.0, 25.0, 30.0])
    of_seeds = [[1, 1], [2 / 3, 1], [1 / 3, 1 / 3], [0, 1 / 3], [0, 0]]
    np.testing.assert_allclose(performance_profile(scores, thresholds), of_seeds)


def test_welchs_test_is_that_of_the_textbook():
    a, b = np.array([3.0, 5.0, 7.0, 9.0]), np.array([1.0, 2.0, 1.0])
    s_a, s_b = a.var(ddof=1) / 4, b.var(ddof=1) / 3
    t = (a.mean() - b.mean()) / np.sqrt(s_a + s_b)
    freedom = (s_a + s_b) ** 2 / (s_a**2 / 3 + s_b**2 / 2)
    np.testing.assert_allclose(welch_p_value(a, b), 2 * scipy.stats.t.sf(abs(t), freedom))
    for single in (a[:1], np.full(3, 2.0)):
        assert np.isnan(welch_p_value(single, np.full(2, 1.0)))


def test_an_interval_of_two_samples_draws_the_seeds_of_both():
    """All 4 draws of a and 4 of b are equally likely: P(better) is 0, 1/2 or 1."""
    a, b = np.array([0.0, 2.0]), np.array([1.0, 1.0])
    low, high = bootstrap_interval(a, b, statistic=probability_of_improvement)
    assert (low, high) == (0, 1)
    assert np.isnan(bootstrap_interval(a[:1], b, statistic=probability_of_improvement)).all()


def test_intervals_of_many_curves_are_those_of_each():
    values = np.random.default_rng(4).normal(size=(3, 5))
    lows, highs = bootstrap_interval(values, statistic=interquartile_mean)
    for one, low, high in zip(values, lows, highs):
        assert bootstrap_interval(one, statistic=interquartile_mean) == (low, high)


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
