"""Ten rays from the hull's origin, from straight down to 1.35 rad forward."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.engine.terrain import Window

RANGE = 160 / 30  # m
ANGLES = 1.5 * np.arange(10) / 10  # rad from straight down, forward
_REACH = np.array(RANGE * np.sin(ANGLES), np.float32)[:, None]  # m forward
_DROP = np.array(RANGE * np.cos(ANGLES), np.float32)[:, None]  # m down


def lidar(window: Window, origin: jax.Array) -> jax.Array:
    """Fraction of the range to the nearest hit, 1 where there is none: [10, N], from origin [2,
    N] above the ground.
    """
    fractions = [surface.rays(origin, _REACH, _DROP) for surface in window.near(origin[0], RANGE)]
    return jnp.minimum(jnp.stack(fractions).min(0), 1.0)
