"""Stump sequences: flat ground with groups of five boxes side by side."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.walker.bodies import AnyBody
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP, Columns
from jaxcurriculum.envs.walker.engine.terrain import END, NOWHERE, PAD, Density
from jaxcurriculum.envs.walker.environment import Scenery, Sizes, Track, walker_environment
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

GROUP = 5  # boxes
GAP = 8.0  # m from one group to the next
SPREAD = 0.1  # standard deviation of heights [steps] and widths [m]
LEAST = 0.05  # of a height [steps] or width [m]
NUM_GROUPS = math.ceil((END - PAD) / (GROUP * LEAST + GAP))


def stump_sequences(body: AnyBody = "default", sizes: Sizes | None = None) -> Environment:
    """Stump sequences: flat ground with groups of five boxes side by side, 8 m apart, to be crossed
    by a walker (`walker_environment`).

    Task: (height [steps of 14/30 m], width [m]) of each box, in [0, 6]; every box is max(0.05,
    N(mean, 0.1^2)) high and wide.

    Args:
      body: "default", "short", "long" or "quadruped", or a `Body` of your own.
      sizes: bounds of factors for sizes of the body, such as {"upper_length": (0.5, 1.5)}.

    Raises:
      ValueError: when there is no such body or size; see also `walker_environment`.

    Source: the code of Portelas et al. 2019, whose paper does not use it (see `stump_tracks`, also
    for the differences).

    >>> stump_sequences().task_space.names[:3]
    ('height_1', 'width_1', 'height_2')
    """
    boxes = range(1, GROUP + 1)
    names = [f"{axis}_{box}" for box in boxes for axis in ("height", "width")]
    dims = len(names)
    units = ["steps", "m"] * GROUP
    space = Box(names=names, low=[0.0] * dims, high=[6.0] * dims, units=units)
    density = Density(gap=GAP, width=GROUP * LEAST, group=GROUP)
    track = Track(name="stump-sequences", task_space=space, scenery=_sequences, density=density)
    return walker_environment(track, body, sizes)


def _sequences(key: Key, task: jax.Array) -> Scenery:
    mean = task.reshape(1, GROUP, 2)
    noise = SPREAD * jax.random.normal(key, (NUM_GROUPS, GROUP, 2))
    sides = jnp.maximum(LEAST, mean + noise)
    heights, widths = jnp.moveaxis(sides, -1, 0)
    stretch = widths.sum(1) + GAP
    start = PAD + jnp.cumsum(stretch) - stretch
    start = jnp.where(start < END, start, NOWHERE)
    left = start[:, None] + jnp.cumsum(widths, axis=1) - widths
    right = left + widths
    top = GROUND + STEP * heights
    # the last does not exist
    columns = Columns(
        left=jnp.append(left.ravel(), NOWHERE + 100.0),
        right=jnp.append(right.ravel(), NOWHERE + 101.0),
        top=jnp.append(top.ravel(), GROUND),
    )
    return None, columns
