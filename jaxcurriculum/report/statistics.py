"""How well a study went: % mastered, and statistics over seeds that hold for a handful of them."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
from scipy import stats

NUM_RESAMPLES = 2000  # of the seeds, for an interval


def interquartile_mean(scores: np.ndarray, axis: int = -1) -> np.ndarray:
    """Mean of `scores` without the lowest and the highest quarter (Agarwal et al. 2021).

    Of a number that four does not divide, fewer are left out; of two or three, none.

    >>> float(interquartile_mean(np.array([0.0, 1.0, 2.0, 100.0])))
    1.5
    """
    return stats.trim_mean(scores, 0.25, axis=axis)


def bootstrap_interval(
    *samples: np.ndarray,
    statistic: Callable[..., np.ndarray] = np.mean,
    coverage: float = 0.95,
) -> tuple[np.ndarray, np.ndarray]:
    """Percentile interval of a statistic over seeds drawn with replacement (Efron 1979).

    Args:
      samples: [..., seeds] each; the seeds of one are drawn beside those of the others.
      statistic: takes the samples and `axis`.

    Returns:
      the low and the high end, [...]; nan where a sample has a single seed.

    >>> low, high = bootstrap_interval(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> bool(1 < low < 2.5 < high < 4)
    True
    """
    if min(sample.shape[-1] for sample in samples) == 1:
        unknown = np.full(np.broadcast_shapes(*(sample.shape[:-1] for sample in samples)), np.nan)
        return unknown, unknown
    drawn = stats.bootstrap(
        samples,
        statistic,
        n_resamples=NUM_RESAMPLES,
        batch=200,  # resamples in memory at once
        axis=-1,
        confidence_level=coverage,
        method="percentile",
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return drawn.confidence_interval.low, drawn.confidence_interval.high


def probability_of_improvement(a: np.ndarray, b: np.ndarray, axis: int = -1) -> np.ndarray:
    """How likely a random seed of `a` scores above one of `b`, a tie counting half.

        P(A > B) = mean over all pairs of [a > b] + [a = b] / 2

    It is the Mann-Whitney U statistic over the number of pairs (Agarwal et al. 2021, for one task).

    >>> float(probability_of_improvement(np.array([1.0, 3.0]), np.array([1.0, 2.0])))
    0.625
    """
    a = np.moveaxis(a, axis, -1)[..., :, None]
    b = np.moveaxis(b, axis, -1)[..., None, :]
    return np.mean((a > b) + 0.5 * (a == b), axis=(-2, -1))


def performance_profile(scores: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Of each seed, the share of its scores above each threshold (Agarwal et al. 2021).

    Their profile of a method is the mean over its seeds.

    Args:
      scores: [seeds, tasks].
      thresholds: [num].

    Returns:
      [num, seeds].

    >>> performance_profile(np.array([[0.0, 1.0], [1.0, 2.0]]), np.array([0.0, 1.0])).tolist()
    [[0.5, 1.0], [0.0, 0.5]]
    """
    return np.mean(scores > thresholds[:, None, None], axis=2)


def welch_p_value(a: np.ndarray, b: np.ndarray) -> float:
    """Two-sided p value of a difference of means by Welch's t-test, as the literature reports it.

    nan where there is no spread to compare with: a single seed, or all seeds alike.

    >>> round(welch_p_value(np.array([1.0, 2.0, 3.0]), np.array([7.0, 8.0, 9.0])), 4)
    0.0018
    """
    if min(len(a), len(b)) == 1 or (np.ptp(a) == 0 and np.ptp(b) == 0):
        return math.nan
    known = [number for one in (a, b) for number in (one.mean(), one.std(ddof=1), len(one))]
    return float(stats.ttest_ind_from_stats(*known, equal_var=False).pvalue)


MOST_RELABELLINGS = 20_000


def least_p_value(num_a: int, num_b: int, limit: int = MOST_RELABELLINGS) -> float:
    """The least value that `permutation_p_value` can have for groups of `num_a` and `num_b` seeds.

    Of two equal groups the exchanged labels give the same difference.

    >>> [round(least_p_value(num, num), 3) for num in (1, 2, 3, 4, 5)]
    [1.0, 0.333, 0.1, 0.029, 0.008]
    """
    choices = math.comb(num_a + num_b, num_a)
    if choices > limit:
        return 1 / (limit + 1)
    return (1 + (num_a == num_b)) / choices


def permutation_p_value(a: np.ndarray, b: np.ndarray, limit: int = MOST_RELABELLINGS) -> np.ndarray:
    """Two-sided p value of a difference of means, if the labels a and b meant nothing (Fisher
    1935).

    Exact when there are at most `limit` ways to choose the labels (4 against 4 seeds: 70, so no p
    value is below 2/70), else by as many random relabellings. It needs neither normality nor
    equal variances, which Welch's test of the literature does.

    Args:
      a: [seeds].
      b: [..., seeds]; many at once are faster than one after the other.

    Returns:
      [...].

    >>> float(permutation_p_value(np.array([1.0, 2.0, 3.0]), np.array([7.0, 8.0, 9.0])))
    0.1
    """
    a, b = np.broadcast_to(a, (*b.shape[:-1], len(a))), np.asarray(b, float)
    if min(a.shape[-1], b.shape[-1]) == 1:
        return _of_a_single_seed(a, b)
    test = stats.permutation_test(
        (a, b),
        _difference,
        n_resamples=limit,
        batch=500,  # relabellings in memory at once
        alternative="greater",
        vectorized=True,
        axis=-1,
        rng=np.random.default_rng(0),
    )
    return np.asarray(test.pvalue)


def _of_a_single_seed(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The share of the seeds that are as far from the mean of all others."""
    both = np.concatenate([a, b], axis=-1)
    others = (both.sum(-1, keepdims=True) - both) / (both.shape[-1] - 1)
    difference = _difference(a, b, axis=-1)[..., None]
    return np.mean(np.abs(both - others) >= difference - 1e-12, axis=-1)


def _difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    return np.abs(np.mean(a, axis=axis) - np.mean(b, axis=axis))
