"""Published test sets of Stump Tracks: tasks (stump_height [steps], obstacle_spacing [m])."""

from __future__ import annotations

import numpy as np


def stump_tasks_2019(max_height: float = 3.0) -> np.ndarray:
    """The 50 tasks of Portelas et al. 2019, [50, 2] float32: for each, height U(0, max_height) and then spacing U(0, 6), seed 4222.

    >>> stump_tasks_2019().shape
    (50, 2)
    """
    random = np.random.RandomState(4222)
    return np.array([(random.uniform(0, max_height), random.uniform(0, 6)) for _ in range(50)], np.float32)


def stump_tasks_grid(min_height: float = 0.0, max_height: float = 3.0, min_spacing: float = 0.0, max_spacing: float = 6.0) -> np.ndarray:
    """The 10 x 10 grid of TeachMyAgent, by default over its heights 0 to 3 and spacings 0 to 6, bounds included, [100, 2] float32.

    >>> stump_tasks_grid()[-1].tolist()
    [3.0, 6.0]
    """
    height, spacing = np.meshgrid(np.linspace(min_height, max_height, 10), np.linspace(min_spacing, max_spacing, 10), indexing="ij")
    return np.stack([height.ravel(), spacing.ravel()], axis=1).astype(np.float32)
