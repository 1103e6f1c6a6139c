"""Surfaces that a walker stands on and sees: flat ground, ground of straight pieces, columns,
convex polygons.

Every surface answers three questions. `outside`: how far a point is outside and before which face
(negative inside; like Box2D, the distance to the farthest face, not to the nearest corner).
`corners`: which of its points may poke into a walker's part. `rays`: at which fraction the lidar's
rays meet it. Arrays end in the batch; surfaces have their number first, [surfaces, ..., N].
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.engine.kinematics import dot, fold, perpendicular

STEP = 14 / 30  # m: the unit of a track's lengths
GROUND = 400 / 30 / 4  # m: height of flat ground
FAR = 1e3  # m: gap of a point that cannot touch
SAME = 0.0005  # m: of two faces so equally far away Box2D prefers the track's
SAME_WAY = 0.9  # cosine of the angle between normals that are taken to push the same way


class Own(NamedTuple):
    """The faces of a walker's part as the corners of a surface see them."""

    normal: jax.Array  # [2, faces, ..., N]: out of the part
    # [faces, corners, ..., N], m: how far the surface's corners are outside of each face
    outside: jax.Array


class Outside(NamedTuple):
    """Where points [2, points, ..., N] are, seen from a surface."""

    gap: jax.Array  # [points, ..., N], m: distance to the surface
    normal: jax.Array  # [2, points, ..., N]: of the face there
    # [2 (least, most), points, ..., N], m: how far a point may go along `perpendicular(normal)`
    # before that face
    room: jax.Array
    # [points, ..., N] bool: whether a face of the part's own keeps it farther away than any of the
    # surface's
    held: jax.Array


class Surface(Protocol):
    """What contact and lidar ask of a part of the track."""

    def outside(self, points: jax.Array, own: Own | None = None) -> Outside:
        """Where points [2, points, ..., N] are: each of them alone, or with `own` as the
        corners of a part that has such faces itself.
        """
        ...

    def corners(self) -> jax.Array | None:
        """The points that stick out, [2, corners, ..., N]; None where there is none."""
        ...

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        """Fraction at which rays from origin [2, N] by (reach, -drop) [rays, 1] meet the
        surface, [rays, N]; above 1 where they miss.
        """
        ...


def boundless(gap: jax.Array) -> jax.Array:
    """The room of faces without ends, for points with such gaps."""
    return jnp.stack([jnp.full_like(gap, -FAR), jnp.full_like(gap, FAR)])


class Flat(struct.PyTreeNode):
    """The ground of the published tracks."""

    def outside(self, points: jax.Array, own: Own | None = None) -> Outside:
        zero, one = jnp.zeros_like(points[0]), jnp.ones_like(points[0])
        return Outside(
            gap=points[1] - GROUND,
            normal=jnp.stack([zero, one]),
            room=boundless(one),
            held=zero > 0,
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
        """The vertices [2, pieces + 1, ..., N], and of each piece the unit normal [2, pieces,
        ..., N] and the rise [pieces, ..., N], m.
        """
        number = np.arange(self.heights.shape[0], dtype=np.float32).reshape(
            -1, *[1] * self.left.ndim
        )
        x = jnp.broadcast_to(self.left[None] + STEP * number, self.heights.shape)
        rise = self.heights[1:] - self.heights[:-1]
        scale = jax.lax.rsqrt(rise * rise + STEP * STEP)
        return jnp.stack([x, self.heights]), jnp.stack([-rise * scale, STEP * scale]), rise

    def outside(self, points: jax.Array, own: Own | None = None) -> Outside:
        """A point that moves on to the next piece is taken to be before the same one still:
        neighbours are almost in line.
        """
        vertices, normals, _ = self.pieces()
        x = points[0][None]  # [1, points, ..., N]
        begin, end = vertices[0, :-1, None], vertices[0, 1:, None]
        first, last = (
            np.arange(begin.shape[0]).reshape(-1, *[1] * (x.ndim - 1)) == i
            for i in (0, begin.shape[0] - 1)
        )
        on = ((x >= begin) | first) & ((x < end) | last)  # [pieces, points, ..., N], one piece each
        distance = dot(normals[:, :, None], points[:, None] - vertices[:, :-1, None])
        gap, normal = (
            jnp.where(on, distance, 0.0).sum(0),
            jnp.where(on[None], normals[:, :, None], 0.0).sum(1),
        )
        return Outside(gap=gap, normal=normal, room=boundless(gap), held=jnp.zeros_like(gap, bool))

    def corners(self) -> jax.Array:
        """The inner vertices where the ground bends down; the others lie below any part that
        touches it.
        """
        vertices, _, rise = self.pieces()
        peak = rise[1:] < rise[:-1]
        return jnp.stack([vertices[0, 1:-1], jnp.where(peak, vertices[1, 1:-1], -FAR)])

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        vertices, _, rise = self.pieces()
        x, y = (vertices - origin[:, None])[:, None, :-1]  # [1, pieces, N], from the rays' origin
        reach, drop = reach[:, None], drop[:, None]
        fraction = (STEP * y - rise[None] * x) / jnp.minimum(
            -drop * STEP - rise[None] * reach, -1e-6
        )
        met = fraction * reach - x  # m from the piece's left end
        hits = (fraction >= 0) & (met >= 0) & (met <= STEP)
        return jnp.where(hits, fraction, 2.0).min(1)


def _widest(chosen: jax.Array, least: jax.Array, most: jax.Array, axis) -> jax.Array:
    """The room before all faces chosen together."""
    return jnp.stack(
        [jnp.where(chosen, least, FAR).min(axis), jnp.where(chosen, most, -FAR).max(axis)]
    )


def _held(whole: jax.Array, normal: jax.Array, own: Own | None, num_corners: int) -> jax.Array:
    """Whether a part is farther outside of obstacles by a face of its own than by their faces,
    [obstacles, points or 1, ..., N] bool.

    By theirs it is `whole` [obstacles, points or 1, ..., N] outside, and `normal` [2, ...] is that
    of the best. A face of its own that looks straight at it says the same, and Box2D then has
    contacts at both ends of the shorter one. The track goes on below its corners, so a face that
    looks up keeps nothing away.
    """
    if own is None:
        return jnp.zeros_like(whole, bool)
    outside = own.outside.reshape(len(own.outside), -1, num_corners, *own.outside.shape[2:]).min(
        2
    )  # [faces, obstacles, ..., N]
    other = (own.normal[1] <= 0)[:, None] & (
        dot(own.normal[:, :, None], normal[:, None, :, 0]) > -SAME_WAY
    )
    return (other & (outside > whole[None, :, 0] + SAME)).any(0)[:, None]


class Columns(struct.PyTreeNode):
    """Boxes that stand in the ground, solid down to any depth."""

    left: jax.Array  # [columns, ..., N], m
    right: jax.Array  # [columns, ..., N], m
    top: jax.Array  # [columns, ..., N], m

    def outside(self, points: jax.Array, own: Own | None = None) -> Outside:
        """As in Box2D, all corners of a part are before one face: that which the whole part is
        farthest outside of (separating axes).
        """
        left, right, above = self._beyond(
            points[0][None], points[0][None], points[1][None]
        )  # [columns, points, ..., N] each
        outside = jnp.maximum(jnp.maximum(left, right), above)
        chosen = outside == outside.min(0)[None]
        whole = left, right, above
        if own is not None:
            lowest, leftmost, rightmost = (
                fold(jnp.minimum, points[1]),
                fold(jnp.minimum, points[0]),
                fold(jnp.maximum, points[0]),
            )
            whole = self._beyond(
                rightmost[None, None], leftmost[None, None], lowest[None, None]
            )  # [columns, 1, ..., N] each
        on_top, on_left = whole[2] >= jnp.maximum(whole[0], whole[1]), whole[0] > whole[1]
        pick = lambda *values: jnp.where(
            on_top, values[2], jnp.where(on_left, values[0], values[1])
        )
        faces_x = pick(-1.0, 1.0, 0.0)
        normal_x = jnp.clip(jnp.where(chosen, faces_x, 0.0).sum(0), -1.0, 1.0)
        least, most = pick(above, -FAR, right), pick(FAR, -above, -left)
        return Outside(
            gap=jnp.where(chosen, pick(left, right, above), 0.0).sum(0),
            normal=jnp.stack([normal_x, 1.0 - jnp.abs(normal_x)]),
            room=_widest(chosen, least, most, 0),
            held=(
                chosen & _held(pick(*whole), jnp.stack([faces_x, 1.0 - jnp.abs(faces_x)]), own, 2)
            ).any(0),
        )

    def _beyond(
        self, rightmost: jax.Array, leftmost: jax.Array, lowest: jax.Array
    ) -> tuple[jax.Array, jax.Array, jax.Array]:
        """How far a part with these ends, [1, points, ..., N] each, is beyond the left side,
        the right side and the top.
        """
        return (
            self.left[:, None] - rightmost,
            leftmost - self.right[:, None],
            lowest - self.top[:, None],
        )

    def corners(self) -> jax.Array:
        both = jnp.stack(
            [jnp.stack([self.left, self.top]), jnp.stack([self.right, self.top])], axis=2
        )
        return both.reshape(2, -1, *both.shape[3:])

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        """A ray is below the top from (y - top) / drop on and between the sides from (left - x)
        / reach to (right - x) / reach.
        """
        x, y = origin[0][None], origin[1][None]
        reach, drop = (
            np.maximum(reach, 1e-6)[:, None],
            drop[:, None],
        )  # not zero, so that a slab of x has two ends
        enter = jnp.maximum(
            (y - self.top)[None] / drop, (self.left - x)[None] / reach
        )  # [rays, columns, N]
        hits = (enter >= 0) & (enter <= (self.right - x)[None] / reach)
        return jnp.where(hits, enter, 2.0).min(1)


class Polygons(struct.PyTreeNode):
    """Convex polygons, counter-clockwise; a corner may be there several times."""

    vertices: jax.Array  # [2, polygons, corners, ..., N], m

    def faces(self) -> tuple[jax.Array, jax.Array]:
        """Unit normals [2, polygons, corners, ..., N] of the sides that begin at each corner,
        and whether a side has a length.
        """
        edge = jnp.roll(self.vertices, -1, axis=2) - self.vertices
        squared = dot(edge, edge)
        return -perpendicular(edge) * jax.lax.rsqrt(jnp.maximum(squared, 1e-12))[
            None
        ], squared > 1e-12

    def outside(self, points: jax.Array, own: Own | None = None) -> Outside:
        """All corners of a part are before one face of a polygon, as they are before one of a
        column.
        """
        normals, real = self.faces()
        # [2, polygons, sides, points, ..., N]
        from_corner = points[:, None, None] - self.vertices[:, :, :, None]
        apart = jnp.where(real[:, :, None], dot(normals[:, :, :, None], from_corner), -FAR)
        outside = apart.max(1)
        chosen = outside == outside.min(0)[None]  # [polygons, points, ..., N]
        # [polygons, sides, points or 1, ..., N]
        whole = apart if own is None else apart.min(2, keepdims=True)
        most = whole.max(1)
        best = whole == most[:, None]
        before = best & chosen[:, None]
        faces = jnp.where(best[None], normals[:, :, :, None], 0.0).sum(
            2
        )  # [2, polygons, points or 1, ..., N]
        normal = jnp.where(chosen[None], faces, 0.0).sum(1)
        sides = perpendicular(normals)
        along = dot(sides[:, :, :, None], from_corner)
        length = dot(sides, jnp.roll(self.vertices, -1, axis=2) - self.vertices)[:, :, None]
        return Outside(
            gap=jnp.where(before, apart, -FAR).max((0, 1)),
            normal=normal * jax.lax.rsqrt(jnp.maximum(dot(normal, normal), 1e-12))[None],
            room=_widest(before, -along, length - along, (0, 1)),
            held=(chosen & _held(most, faces, own, self.vertices.shape[2])).any(0),
        )

    def corners(self) -> jax.Array:
        return self.vertices.reshape(2, -1, *self.vertices.shape[3:])

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        """A ray is inside from the last side that it crosses inwards to the first that it
        crosses outwards.
        """
        normals, real = self.faces()
        direction = jnp.stack([jnp.asarray(reach), -jnp.asarray(drop)])[
            :, :, None, None
        ]  # [2, rays, 1, 1, 1]
        speed = dot(normals[:, None], direction)  # [rays, polygons, sides, N]
        real, ahead = real[None], dot(normals, self.vertices - origin[:, None, None])[None]
        crossing = ahead / jnp.where(jnp.abs(speed) < 1e-9, 1e-9, speed)
        # outside of a side that the ray runs along
        beside = real & (ahead < 0) & (jnp.abs(speed) < 1e-9)
        enter = jnp.where(real & (speed < 0), crossing, -jnp.inf).max(2)
        leave = jnp.where(real & (speed > 0), crossing, jnp.inf).min(2)
        hits = (enter >= 0) & (enter <= leave) & ~beside.any(2)
        return jnp.where(hits, enter, 2.0).min(1)
