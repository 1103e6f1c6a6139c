"""How long jobs take on several workers that each fetch the next one when they are done."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping


def makespan(
    jobs: Iterable[tuple[str, float]],
    num_workers: int,
    first: Mapping[str, float] | None = None,
) -> float:
    """Seconds until the last of `jobs` is done, each begun by the worker that is free first.

    Without `first` it is at least the longest job and the mean load of a worker, and at most their
    sum (Graham, 1969, "Bounds on multiprocessing timing anomalies").

    Args:
      jobs: the program of each and its seconds, in the order in which they are begun.
      first: seconds more that a worker needs for its first job of a program, to trace and load it.

    Raises:
      ValueError: when there is no worker.

    >>> makespan([("ppo", 3), ("ppo", 2), ("ppo", 2)], num_workers=2)
    4.0
    """
    if num_workers < 1:
        raise ValueError(f"num_workers must be at least 1, got {num_workers}.")
    free = [(0.0, worker) for worker in range(num_workers)]
    known: set[tuple[str, int]] = set()
    end = 0.0
    for program, seconds in jobs:
        moment, worker = heapq.heappop(free)
        extra = (first or {}).get(program, 0.0) if (program, worker) not in known else 0.0
        known.add((program, worker))
        heapq.heappush(free, (moment + extra + seconds, worker))
        end = max(end, moment + extra + seconds)
    return end
