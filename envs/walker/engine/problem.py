"""What the solver is asked: rows, the bounds of their impulses, and the masses that they move."""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.walker.engine.kinematics import Limits
from jaxcurriculum.envs.walker.engine.mass import MassMatrix, Motion
from jaxcurriculum.envs.walker.engine.rows import NORMALS, Rows


class Bounds(struct.PyTreeNode):
    """What impulses may do. Tangents have no entry: they aim at rest, and friction times the
    impulse of their normal bounds them.
    """

    # [6 (joints, normals), legs, N]: the speed that a row is to have, m/s or rad/s
    target: jax.Array
    low: jax.Array  # [6, legs, N]: least impulse, N m s or N s
    high: jax.Array  # [6, legs, N]: largest
    at: Limits  # [2 (joints), legs, N] bool: whether a joint may not rotate further
    # largest tangential impulse in normal impulses
    friction: float = struct.field(pytree_node=False)

    def tangential(self, stop: jax.Array, normal: jax.Array) -> jax.Array:
        """The impulse of a tangent that `stop` [N] brings to rest, beside a `normal` impulse."""
        most = self.friction * jnp.maximum(normal, 0.0)
        return jnp.clip(stop, -most, most)

    def of_row(self, place: tuple[int, int], stop: jax.Array, mass: jax.Array) -> jax.Array:
        """The impulse of another row (row, leg) that `stop` [N] brings to rest."""
        row, _ = place
        driven = stop + self.target[place] * mass
        driven = jnp.clip(driven, self.low[place], self.high[place])
        if row in NORMALS:
            return driven
        at = Limits(self.at.lower[place], self.at.upper[place])
        return limited(at, driven, stop)


def limited(at: Limits, driven: jax.Array, stop: jax.Array) -> jax.Array:
    """The impulses of joints that motors drive by `driven` and limits stop by `stop`."""
    limited = jnp.where(at.lower, jnp.maximum(driven, stop), driven)
    return jnp.where(at.upper, jnp.minimum(limited, stop), limited)


class Problem(NamedTuple):
    """Rows, what their impulses may do, and the masses that they move."""

    rows: Rows
    mass: MassMatrix
    bounds: Bounds


class Solution(struct.PyTreeNode):
    """A motion, the impulses that make it so, and how far the last sweep still changed them."""

    motion: Motion
    impulses: jax.Array  # [10 (rows), legs, N]
    change: jax.Array  # [N], J: sum of change^2 / mass over the rows of the last sweep
