"""How well a study went: % mastered, and statistics over seeds that hold for a handful of them."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats


def interquartile_mean(scores: np.ndarray) -> float:
    """Mean of the middle half of `scores` [seeds], quarters shared where the number does not divide
    (Agarwal et al. 2021).

    >>> interquartile_mean(np.array([0.0, 1.0, 2.0, 100.0]))
    1.5
    """
    scores = np.sort(np.asarray(scores, float))
    edges = np.arange(scores.size + 1) / scores.size
    share = np.clip(np.minimum(edges[1:], 0.75) - np.maximum(edges[:-1], 0.25), 0, None)
    return float(np.sum(scores * share) / np.sum(share))


def bootstrap_interval(scores: np.ndarray, coverage: float = 0.95) -> tuple[float, float]:
    """Percentile interval of the mean over seeds drawn with replacement (Efron 1979).

    >>> low, high = bootstrap_interval(np.array([1.0, 2.0, 3.0, 4.0]))
    >>> 1 < low < 2.5 < high < 4
    True
    """
    if len(scores) == 1:
        return float(scores[0]), float(scores[0])
    rng = np.random.default_rng(0)
    drawn = stats.bootstrap(
        (scores,),
        np.mean,
        n_resamples=2000,
        confidence_level=coverage,
        method="percentile",
        rng=rng,
    )
    return float(drawn.confidence_interval.low), float(drawn.confidence_interval.high)


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


def permutation_p_value(a: np.ndarray, b: np.ndarray, limit: int = MOST_RELABELLINGS) -> float:
    """Two-sided p value of a difference of means, if the labels a and b meant nothing (Fisher
    1935).

    Exact when there are at most `limit` ways to choose the labels (4 against 4 seeds: 70, so no p
    value is below 2/70), else by as many random relabellings. It needs neither normality nor
    equal variances, which Welch's test of the literature does.

    >>> permutation_p_value(np.array([1.0, 2.0, 3.0]), np.array([7.0, 8.0, 9.0]))
    0.1
    """
    if min(len(a), len(b)) == 1:
        return _of_a_single_seed(np.concatenate([a, b]), float(abs(np.mean(a) - np.mean(b))))
    test = stats.permutation_test(
        (np.asarray(a, float), np.asarray(b, float)),
        _difference,
        n_resamples=limit,
        alternative="greater",
        vectorized=True,
        rng=np.random.default_rng(0),
    )
    return float(test.pvalue)


def _of_a_single_seed(both: np.ndarray, difference: float) -> float:
    """How many of the seeds are as far from the mean of all others."""
    others = (both.sum() - both) / (len(both) - 1)
    return float(np.mean(np.abs(both - others) >= difference - 1e-12))


def _difference(a: np.ndarray, b: np.ndarray, axis: int) -> np.ndarray:
    return np.abs(np.mean(a, axis=axis) - np.mean(b, axis=axis))
