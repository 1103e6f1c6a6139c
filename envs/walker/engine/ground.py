"""The ground: flat, or of straight pieces (`surfaces.Surface`)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.device.xla import masked_sum
from jaxcurriculum.envs.walker.engine.plane import dot
from jaxcurriculum.envs.walker.engine.surfaces import (
    FAR,
    GROUND,
    STEP,
    Outside,
    OwnFaces,
    endless,
)


class Flat(struct.PyTreeNode):
    """The ground of the published tracks."""

    def outside(self, points: jax.Array, own: OwnFaces | None = None) -> Outside:
        x, y = points
        zero, one = jnp.zeros_like(x), jnp.ones_like(x)
        return Outside(
            gap=y - GROUND,
            normal=jnp.stack([zero, one]),
            extent=endless(one),
            separated=zero > 0,
        )

    def corners(self) -> None:
        return None

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        return (origin[1][None] - GROUND) / drop


class Chain(struct.PyTreeNode):
    """Ground of straight pieces, one a `STEP`, solid below."""

    left: jax.Array  # [..., N], m: where the first piece begins
    heights: jax.Array  # [pieces + 1, ..., N], m

    def pieces(self) -> tuple[jax.Array, jax.Array, jax.Array]:
        """The vertices [2, pieces + 1, ..., N], and of each piece the unit normal [2, pieces, ...,
        N] and the rise [pieces, ..., N], m.
        """
        number = np.arange(self.heights.shape[0], dtype=np.float32)
        number = number.reshape(-1, *[1] * self.left.ndim)
        x = self.left[None] + STEP * number
        x = jnp.broadcast_to(x, self.heights.shape)
        rise = self.heights[1:] - self.heights[:-1]
        scale = jax.lax.rsqrt(rise * rise + STEP * STEP)
        normals = jnp.stack([-rise * scale, STEP * scale])
        return jnp.stack([x, self.heights]), normals, rise

    def outside(self, points: jax.Array, own: OwnFaces | None = None) -> Outside:
        """A point that moves on to the next piece is taken to be before the same one still:
        neighbours are almost in line.
        """
        vertices, normals, _ = self.pieces()
        x = points[0][None]  # [1, points, ..., N]
        starts = vertices[:, :-1, None]
        begin, end = starts[0], vertices[0, 1:, None]
        num = len(begin)
        later_axes = [1] * (x.ndim - 1)
        number = np.arange(num).reshape(-1, *later_axes)
        is_after_begin = (x >= begin) | (number == 0)
        is_before_end = (x < end) | (number == num - 1)
        # [pieces, points, ..., N], true for one piece each
        above = is_after_begin & is_before_end
        normals = normals[:, :, None]
        distance = dot(normals, points[:, None] - starts)
        gap = masked_sum(above, distance, 0)
        return Outside(
            gap=gap,
            normal=masked_sum(above[None], normals, 1),
            extent=endless(gap),
            separated=jnp.zeros_like(gap, bool),
        )

    def corners(self) -> jax.Array:
        """The inner vertices where the ground bends down; the others lie below any part that
        touches it.
        """
        vertices, _, rise = self.pieces()
        is_peak = rise[1:] < rise[:-1]
        x, y = vertices[:, 1:-1]
        height = jnp.where(is_peak, y, -FAR)
        return jnp.stack([x, height])

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        vertices, _, rise = self.pieces()
        from_origin = vertices - origin[:, None]
        x, y = from_origin[:, None, :-1]  # [1, pieces, N]
        rise = rise[None]
        reach, drop = reach[:, None], drop[:, None]
        slope = jnp.minimum(-drop * STEP - rise * reach, -1e-6)
        fraction = (STEP * y - rise * x) / slope
        from_left = fraction * reach - x  # m from the piece's left end
        is_on_piece = (from_left >= 0) & (from_left <= STEP)
        hits = (fraction >= 0) & is_on_piece
        return jnp.where(hits, fraction, 2.0).min(1)
