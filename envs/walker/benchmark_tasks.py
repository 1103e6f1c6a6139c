"""The fixed test tasks of the published benchmarks on Stump Tracks; a task is (stump height [steps], obstacle spacing [m])."""

from __future__ import annotations

import numpy as np


def stump_tasks_2019() -> np.ndarray:
    """The 50 test tasks of Portelas et al. 2019, [50, 2] float32: heights uniform in [0, 3], spacings in [0, 6], drawn once.

    >>> [round(float(value), 3) for value in stump_tasks_2019()[0]]
    [0.312, 3.861]
    """
    return (np.random.RandomState(4222).random_sample((50, 2)) * (3.0, 6.0)).astype(np.float32)


def stump_tasks_grid() -> np.ndarray:
    """The 100 test tasks of TeachMyAgent (Romac et al. 2021), [100, 2] float32: 10 heights from 0 to 3, 10 spacings from 0 to 6.

    Differs from the paper: row by row, where the published file has them in another order.
    """
    heights, spacings = np.meshgrid(np.linspace(0, 3, 10), np.linspace(0, 6, 10), indexing="ij")
    return np.stack([heights.ravel(), spacings.ravel()], axis=1).astype(np.float32)
