"""How well a study went: % mastered, and statistics over seeds that hold for a handful of them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np


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


def bootstrap_interval(
    scores: np.ndarray,
    statistic: Callable[[np.ndarray], Any] = np.mean,
    coverage: float = 0.95,
    num: int = 2000,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval of `statistic` over seeds drawn with replacement (Efron 1979); scores
    is [seeds].
    """
    rng = np.random.default_rng(seed)
    values = [statistic(rng.choice(scores, len(scores))) for _ in range(num)]
    low, high = np.quantile(values, [(1 - coverage) / 2, (1 + coverage) / 2])
    return float(low), float(high)


# of a permutation test; where there are more, as many random ones are tried
MOST_RELABELLINGS = 20_000


def least_p_value(num_a: int, num_b: int, limit: int = MOST_RELABELLINGS) -> float:
    """The least value that `permutation_p_value` can have for groups of `num_a` and `num_b` seeds.

    Of two equal groups the exchanged labels give the same difference.

    >>> [round(least_p_value(num, num), 3) for num in (1, 2, 3, 4, 5)]
    [1.0, 0.333, 0.1, 0.029, 0.008]
    """
    choices = math.comb(num_a + num_b, num_a)
    if choices > limit:
        return 1 / limit
    return (1 + (num_a == num_b)) / choices


def permutation_p_value(
    a: np.ndarray, b: np.ndarray, limit: int = MOST_RELABELLINGS, seed: int = 0
) -> float:
    """Two-sided p value of a difference of means, if the labels a and b meant nothing (Fisher
    1935).

    Exact when there are at most `limit` ways to choose the labels (4 against 4 seeds: 70, so no p
    value is below 2/70), else by `limit` random relabellings. It needs neither normality nor equal
    variances, which Welch's test of the literature does.

    >>> permutation_p_value(np.array([1.0, 2.0, 3.0]), np.array([7.0, 8.0, 9.0]))
    0.1
    """
    both, num = np.concatenate([a, b]).astype(float), len(a)
    if math.comb(len(both), num) <= limit:
        choices = np.array(list(itertools.combinations(range(len(both)), num)))
    else:
        rng = np.random.default_rng(seed)
        choices = np.stack(
            [np.arange(num), *(rng.permutation(len(both))[:num] for _ in range(limit - 1))]
        )
    mean_a = both[choices].mean(axis=1)
    difference = np.abs(mean_a - (both.sum() - num * mean_a) / len(b))
    return float(np.mean(difference >= np.abs(np.mean(a) - np.mean(b)) - 1e-12))
