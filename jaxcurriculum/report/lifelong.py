"""Lifelong metrics: what a learner keeps, and what practising one task does for another.

Every evaluation tests all tasks. Between two of them some are practised, and a stretch in which one
is practised without a pause is a *learning block* of it. In what follows

    scores     [evaluations, tasks], after scaling between 1 and 101
    practised  [evaluations, tasks], bool: the task was practised before this evaluation, and after
               the one before; the first row, of a beginner, is all False where there is one
    experts    [evaluations, tasks]: how those who practise one task alone do on it

A metric is nan where a run cannot tell: transfer needs a task that pauses while another is
practised, recovery three blocks of a task, the last two need experts.

Source: A. New, M. Baker, E. Nguyen, G. Vallabha, "Lifelong learning metrics", 2022
(arXiv:2201.08278), and its code, l2metrics.

Differs from the paper: each evaluation is an evaluation block, and learning curves are made of
evaluations, not of training episodes; so times are counted in evaluations.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy import ndimage, stats

TERMINAL = 0.1  # share of a block, at its end, whose mean is its terminal performance
MOST_SMOOTHED = 100  # evaluations in the moving average of a saturation, and a fifth of the curve
FEWEST_SMOOTHED = 3
FAILED = 0.2  # whoever saturates below this share of the expert has no sample efficiency


def summary(
    scores: np.ndarray, practised: np.ndarray, experts: np.ndarray | None = None
) -> dict[str, np.ndarray]:
    """Every metric by its name, the mean over tasks, or pairs of tasks, of each seed: [seeds].

    Args:
      scores: [seeds, evaluations, tasks], as measured; they are scaled here.
      practised: the same shape, or [evaluations, tasks] where all seeds practise the same.
      experts: [seeds, evaluations, tasks], as measured, of as many seeds.

    Raises:
      ValueError: when the shapes do not fit.

    >>> scores = np.array([[[0, 0], [8, 2], [5, 9]]])
    >>> practised = np.array([[False, False], [True, False], [False, True]])
    >>> {name: value.round(2).tolist() for name, value in summary(scores, practised).items()
    ...  if name.endswith(("maintenance", "ratio"))}
    {'maintenance': [-37.5], 'forward_transfer_ratio': [23.22], 'backward_transfer_ratio': [0.63]}
    """
    scores, practised = _checked(scores, practised)
    if experts is None:
        experts = np.full((len(scores), 1, scores.shape[2]), np.nan)
    elif np.ndim(experts) != 3 or np.shape(experts)[::2] != scores.shape[::2]:
        raise ValueError(
            f"experts must be [{len(scores)} seeds, evaluations, {scores.shape[2]} tasks], got the"
            f" shape {list(np.shape(experts))}."
        )
    seeds = [_of_seed(*each) for each in zip(scores, practised, experts)]
    return {name: np.array([seed[name] for seed in seeds]) for name in seeds[0]}


def _checked(scores: np.ndarray, practised: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scores = np.asarray(scores, float)
    if scores.ndim != 3 or 0 in scores.shape:
        raise ValueError(
            f"scores must be [seeds, evaluations, tasks], got the shape {list(scores.shape)}."
        )
    if np.shape(practised) not in (scores.shape, scores.shape[1:]):
        raise ValueError(
            f"practised must have the shape {list(scores.shape)}, or that without seeds, got"
            f" {list(np.shape(practised))}."
        )
    return scores, np.broadcast_to(np.asarray(practised, bool), scores.shape)


def _of_seed(scores: np.ndarray, practised: np.ndarray, experts: np.ndarray) -> dict[str, float]:
    scores, experts = scaled(scores, experts)
    found = {"maintenance": maintenance(scores, practised)}
    for name, change in (("ratio", ratio), ("contrast", contrast)):
        found[f"forward_transfer_{name}"] = forward_transfer(scores, practised, change)
        found[f"backward_transfer_{name}"] = backward_transfer(scores, practised, change)
    found["recovery"] = recovery(scores, practised)
    found["relative_performance"] = relative_performance(scores, practised, experts)
    found["sample_efficiency"] = sample_efficiency(scores, practised, experts)
    return {name: _mean(values) for name, values in found.items()}


def scaled(scores: np.ndarray, experts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both between 1 and 101, by the least and the most of each task; 1 where these are equal.

    >>> own, experts = scaled(np.array([[2.0], [4.0]]), np.array([[6.0]]))
    >>> own.tolist(), experts.tolist()
    ([[1.0], [51.0]], [[101.0]])
    """
    both = np.concatenate([scores, experts])
    low, high = np.fmin.reduce(both), np.fmax.reduce(both)  # those that are not nan
    width = np.where(high > low, high - low, 1.0)
    return 1 + 100 * (scores - low) / width, 1 + 100 * (experts - low) / width


def blocks(practised: np.ndarray) -> list[tuple[int, int]]:
    """The learning blocks of one task ([evaluations] bool): the first evaluation of each, and the
    first one after it.

    >>> blocks(np.array([False, True, True, False, True]))
    [(1, 3), (4, 5)]
    """
    padded = np.concatenate([[False], practised, [False]])
    edges = np.flatnonzero(padded[1:] != padded[:-1]).tolist()
    return list(zip(edges[::2], edges[1::2]))


def maintenance(scores: np.ndarray, practised: np.ndarray) -> np.ndarray:
    """How far a task stands, while it rests, above the end of its latest block, [tasks].

    PM(t) = mean over evaluations e after a block of t and outside of them
            of  score(e, t) - score(end of the latest block before e, t)
    """

    def of_task(score: np.ndarray, on: np.ndarray) -> float:
        numbers = np.arange(len(on))
        latest = np.maximum.accumulate(np.where(on, numbers, -1))
        rests = ~on & (latest >= 0)
        return _mean(score[rests] - score[latest[rests]])

    return np.array([of_task(*columns) for columns in zip(scores.T, practised.T)])


def ratio(before: float, after: float) -> float:
    """after / before"""
    return after / before


def contrast(before: float, after: float) -> float:
    """(after - before) / (after + before)"""
    return (after - before) / (after + before)


Change = Callable[[float, float], float]  # ratio or contrast


def forward_transfer(
    scores: np.ndarray, practised: np.ndarray, change: Change = contrast
) -> np.ndarray:
    """What practising task i does for j, which was never practised, [tasks i, tasks j].

        FT(i, j) = mean over the blocks of i before the first one of j
                   of  change(score of j before the block, score of j at its end)

    Before the very first block of a run that has no test of the beginner, its first evaluation
    stands for one.
    """

    def counts(start: int, stop: int, other: np.ndarray) -> bool:
        return not np.any(other[:stop])

    return _transfer(scores, practised, change, counts)


def backward_transfer(
    scores: np.ndarray, practised: np.ndarray, change: Change = contrast
) -> np.ndarray:
    """What practising task i does for j, which was practised before, [tasks i, tasks j].

    As `forward_transfer`, over the blocks of i after the first one of j in which j rests.
    """

    def counts(start: int, stop: int, other: np.ndarray) -> bool:
        return bool(np.any(other[:start]) and not np.any(other[start:stop]))

    return _transfer(scores, practised, change, counts)


def _transfer(
    scores: np.ndarray,
    practised: np.ndarray,
    change: Change,
    counts: Callable[[int, int, np.ndarray], bool],
) -> np.ndarray:
    num_tasks = scores.shape[1]
    table = np.full((num_tasks, num_tasks), np.nan)
    learned = [blocks(on) for on in practised.T]
    for i, j in np.ndindex(table.shape):
        # A block that is one evaluation long and the first of the run has nothing before it.
        spans = [
            (max(start - 1, 0), stop - 1)
            for start, stop in learned[i]
            if i != j and stop > 1 and counts(start, stop, practised[:, j])
        ]
        table[i, j] = _mean([change(float(scores[a, j]), float(scores[b, j])) for a, b in spans])
    return table


def recovery(scores: np.ndarray, practised: np.ndarray) -> np.ndarray:
    """Whether a task recovers faster from block to block, in evaluations a block, [tasks].

        PR(t) = - Theil-Sen slope of the recovery times of t over its blocks

    The recovery time of a block is how many of its evaluations stand below the terminal performance
    of the block before, until one does not; its length + 1 if all do. At least two are needed.
    """

    def of_task(score: np.ndarray, on: np.ndarray) -> float:
        curves = [score[start:stop] for start, stop in blocks(on)]
        times = [_recovery_time(*pair) for pair in zip(curves, curves[1:])]
        return -float(np.array(stats.theilslopes(times))[0]) if len(times) > 1 else np.nan

    return np.array([of_task(*columns) for columns in zip(scores.T, practised.T)])


def _recovery_time(block: np.ndarray, following: np.ndarray) -> int:
    terminal = np.mean(block[int((1 - TERMINAL) * len(block)) :])
    recovered = np.flatnonzero(following >= terminal)
    return int(recovered[0]) if len(recovered) else len(following) + 1


def relative_performance(
    scores: np.ndarray, practised: np.ndarray, experts: np.ndarray
) -> np.ndarray:
    """The area under a task's learning curve over that of its expert, [tasks].

    The curve of a task is its evaluations in all of its blocks, one after the other. Both are as
    long as the shorter one.
    """

    def of_task(curve: np.ndarray, expert: np.ndarray) -> float:
        length = min(len(curve), len(expert))
        return float(curve[:length].sum() / expert[:length].sum()) if length else np.nan

    return _against_experts(of_task, scores, practised, experts)


def sample_efficiency(scores: np.ndarray, practised: np.ndarray, experts: np.ndarray) -> np.ndarray:
    """How high a task saturates, and how soon, both against its expert, [tasks].

        SE(t) = (saturation / expert's) (expert's time to saturation / own)

    The saturation is the highest value of the moving average of a learning curve; the time counts
    evaluations until there, at least one. It is 0 for a curve that falls (by least squares) or
    saturates below a fifth of the expert's.
    """

    def of_task(curve: np.ndarray, expert: np.ndarray) -> float:
        if not len(curve) or np.isnan([*curve, *expert]).any():
            return np.nan
        (own, time), (best, best_time) = _saturation(curve), _saturation(expert)
        falls = len(curve) > 1 and np.polyfit(np.arange(len(curve)), curve, 1)[0] < 0
        return 0.0 if falls or own < FAILED * best else own / best * best_time / time

    return _against_experts(of_task, scores, practised, experts)


def _saturation(curve: np.ndarray) -> tuple[float, int]:
    """The highest moving average of a curve, and after how many evaluations it is there."""
    window = min(MOST_SMOOTHED, len(curve) // 5)
    if window >= FEWEST_SMOOTHED:
        curve = ndimage.uniform_filter1d(curve, window, mode="mirror")
    return float(np.max(curve)), int(np.argmax(curve)) + 1


def _against_experts(
    of_task: Callable[[np.ndarray, np.ndarray], float],
    scores: np.ndarray,
    practised: np.ndarray,
    experts: np.ndarray,
) -> np.ndarray:
    curves = [score[on] for score, on in zip(scores.T, practised.T)]
    return np.array([of_task(*pair) for pair in zip(curves, experts.T)])


def _mean(values: np.ndarray | list[float]) -> float:
    """The mean of the values that are not nan; nan where none is."""
    known = np.asarray(values, float)
    known = known[~np.isnan(known)]
    return float(known.mean()) if known.size else np.nan
