"""Tasks on which students are tested: the published sets, and uniform ones for any task space."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.fields import check_flags, check_kind, is_integer, is_number
from jaxcurriculum.spaces import Box

SEED = 4222
MOST_TASKS = 1_000_000  # drawn at once


def stump_tasks_2019(max_height: float = 3.0) -> np.ndarray:
    """The 50 tasks of Portelas et al. 2019, [50, 2] float32: for each, height U(0, max_height) and
    then spacing U(0, 6), seed 4222.

    Raises:
      ValueError: when max_height is not a finite number, or negative.

    >>> stump_tasks_2019().shape
    (50, 2)
    """
    if not is_number(max_height, 0.0):
        raise ValueError(f"max_height must be a finite number, not negative, got {max_height!r}.")
    random = np.random.RandomState(SEED)
    tasks = random.uniform(0, [max_height, 6.0], (50, 2))
    return tasks.astype(np.float32)


def stump_tasks_grid(
    min_height: float = 0.0,
    max_height: float = 3.0,
    min_spacing: float = 0.0,
    max_spacing: float = 6.0,
) -> np.ndarray:
    """The 10 x 10 grid of TeachMyAgent, by default over its heights 0 to 3 and spacings 0 to 6,
    bounds included, [100, 2] float32.

    Raises:
      ValueError: when bounds are not finite or the wrong way round.

    >>> stump_tasks_grid()[-1].tolist()
    [3.0, 6.0]
    """
    bounds = {"height": (min_height, max_height), "spacing": (min_spacing, max_spacing)}
    for name, (low, high) in bounds.items():
        if not (is_number(low) and is_number(high) and low <= high):
            raise ValueError(
                f"min_{name} and max_{name} must be finite numbers, the first not above the second,"
                f" got {low!r} and {high!r}."
            )
    heights = np.linspace(min_height, max_height, 10)
    spacings = np.linspace(min_spacing, max_spacing, 10)
    height, spacing = np.meshgrid(heights, spacings, indexing="ij")
    tasks = np.stack([height.ravel(), spacing.ravel()], axis=1)
    return tasks.astype(np.float32)


def hexagon_tasks_2019() -> np.ndarray:
    """The 50 tasks of Portelas et al. 2019 on Hexagon Tracks, uniform in [0, 4]^12, seed 4222, [50,
    12] float32.

    >>> hexagon_tasks_2019().shape
    (50, 12)
    """
    random = np.random.RandomState(SEED)
    tasks = random.uniform(0, 4, (50, 12))
    return tasks.astype(np.float32)


def obstacle_tasks_2022(stairs: bool = True) -> np.ndarray:
    """Tasks of `obstacle_tracks` in the tests of PLR and ACCEL, [11, 8] float32, or the [10, 5] of
    them without stairs.

    BipedalWalker-v3, one kind of obstacle of middling size each (stairs, pits, stumps, roughness),
    and six environments that POET made. Source: Parker-Holder et al. 2022; the test on
    BipedalWalker-Hardcore is `bipedal_walker(hardcore=True)`.

    Raises:
      ValueError: when stairs is not True or False.

    >>> obstacle_tasks_2022().shape, obstacle_tasks_2022(stairs=False).shape
    ((11, 8), (10, 5))
    """
    check_flags(stairs=stairs)
    tasks = [
        (1.0, 0, 0, 0, 0, 0, 0, 1),
        (0.0, 0, 0, 0, 0, 2, 2, 5),
        (0.0, 5, 5, 0, 0, 0, 0, 1),
        (0.0, 0, 0, 2, 2, 0, 0, 1),
        (5.0, 0, 0, 0, 0, 0, 0, 1),
        (5.6, 4.48, 6.4, 2.4, 2.82, 0, 0, 1),
        (5.44, 4.48, 6.72, 1.8, 2.82, 0, 0, 1),
        (7.2, 5.6, 7.2, 1.98, 2.82, 0, 0, 1),
        (5.76, 1.6, 7.2, 2.16, 2.76, 0, 0, 1),
        (5.28, 4.8, 7.2, 1.98, 2.76, 0, 0, 1),
        (4.8, 4.8, 4.48, 2.4, 2.76, 0, 0, 1),
    ]
    chosen = np.array(tasks, np.float32)
    return chosen if stairs else chosen[chosen[:, 6] == 0, :5]


def uniform_tasks(space: Box, num: int = 100) -> np.ndarray:
    """`num` tasks uniform over a task space, [num, dims] float32, always the same ones.

    Raises:
      TypeError: when space is not a Box (an environment's is its `task_space`).
      ValueError: when num is not an integer from 1 to a million.

    >>> uniform_tasks(Box(names=("height",), low=(0.0,), high=(2.0,))).shape
    (100, 1)
    """
    check_kind("space", space, Box)
    if not is_integer(num, 1, MOST_TASKS):
        raise ValueError(f"num must be an integer from 1 to {MOST_TASKS}, got {num!r}.")
    random = np.random.RandomState(SEED)
    unit = random.uniform(size=(num, space.dims))
    tasks = jax.vmap(space.from_unit)(jnp.asarray(unit, jnp.float32))
    return np.asarray(tasks)
