"""Ten rays from the hull's origin, from straight down to 1.35 rad forward."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.terrain import GROUND, Window, columns, num_columns

RANGE = 160 / 30  # m
ANGLES = 1.5 * np.arange(10) / 10  # rad from straight down, forward
_REACH = np.array(np.maximum(RANGE * np.sin(ANGLES), 1e-6), np.float32)[
    :, None, None
]  # m forward; not zero, so that a slab of x has two ends
_DROP = np.array(RANGE * np.cos(ANGLES), np.float32)[:, None, None]  # m down


def lidar(window: Window, origin: jax.Array) -> jax.Array:
    """Fraction of the range to the nearest hit, 1 where there is none: [10, N], from origin [2, N] above the ground.

    A ray is below the top of a column from fraction (y - top) / drop on, and between its sides from (left - x) / reach to
    (right - x) / reach; where the three overlap, it hits at the first fraction of the overlap.
    """
    near = columns(window, origin[0], num_columns(RANGE))
    x, y = origin[0][None], origin[1][None]
    enter = jnp.maximum((y - near.top)[None] / _DROP, (near.left - x)[None] / _REACH)  # [10, columns, N]
    hits = (enter >= 0) & (enter <= (near.right - x)[None] / _REACH)
    ground = (y - GROUND) / _DROP[:, 0]
    return jnp.minimum(jnp.minimum(jnp.where(hits, enter, 1.0).min(1), ground), 1.0)
