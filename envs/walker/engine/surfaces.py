"""Surfaces that a walker stands on and sees: what they answer, and the obstacles among them,
columns and convex polygons. The others are in `ground`.

Every surface answers three questions. `outside`: how far a point is outside and before which face
(negative inside; like Box2D, the distance to the farthest face, not to the nearest corner).
`corners`: which of its points may poke into a walker's part. `rays`: at which fraction the lidar's
rays meet it. Arrays end in the batch; surfaces have their number first, [surfaces, ..., N].
"""

from __future__ import annotations

from typing import Any, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.device.xla import masked_sum, short_reduce
from jaxcurriculum.envs.walker.engine.plane import dot, perpendicular

STEP = 14 / 30  # m: the unit of a track's lengths
GROUND = 400 / 30 / 4  # m: height of flat ground
FAR = 1e3  # m: gap of a point that cannot touch
SAME = 0.0005  # m: of two faces so equally far away Box2D prefers the track's
SAME_WAY = 0.9  # cosine of the angle between normals that are taken to push the same way


class OwnFaces(NamedTuple):
    """The faces of a walker's part as the corners of a surface see them."""

    normal: jax.Array  # [2, faces, ..., N]: out of the part
    # [faces, corners, ..., N], m: how far the surface's corners are outside of each face
    outside: jax.Array


class Outside(NamedTuple):
    """Where points [2, points, ..., N] are, seen from a surface."""

    gap: jax.Array  # [points, ..., N], m: distance to the surface
    normal: jax.Array  # [2, points, ..., N]: of the face there
    # [2 (least, most), points, ..., N], m: how far a point may go along `perpendicular(normal)`
    # and is still before that face
    extent: jax.Array
    # [points, ..., N] bool: whether a face of the part's own separates it from the surface by more
    # than any of the surface's faces
    separated: jax.Array


class Surface(Protocol):
    """What contact and lidar ask of a part of the track."""

    def outside(self, points: jax.Array, own: OwnFaces | None = None) -> Outside:
        """Where points [2, points, ..., N] are: each of them alone, or with `own` as the corners of
        a part that has such faces itself.
        """
        ...

    def corners(self) -> jax.Array | None:
        """The points that stick out, [2, corners, ..., N]; None where there is none."""
        ...

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        """Fraction at which rays from origin [2, N] by (reach, -drop) [rays, 1] meet the surface,
        [rays, N]; above 1 where they miss.
        """
        ...


def endless(gap: jax.Array) -> jax.Array:
    """The extent of faces without ends, for points with such gaps."""
    most = jnp.full_like(gap, FAR)
    return jnp.stack([-most, most])


def _extent(is_chosen: jax.Array, least: jax.Array, most: jax.Array, axis: Any) -> jax.Array:
    """The extent of all faces chosen together."""
    least = jnp.where(is_chosen, least, FAR).min(axis)
    most = jnp.where(is_chosen, most, -FAR).max(axis)
    return jnp.stack([least, most])


def _separated(
    distance: jax.Array, normal: jax.Array, own: OwnFaces | None, num_corners: int
) -> jax.Array:
    """Whether a part is farther outside of obstacles by a face of its own than by their faces,
    [obstacles, points or 1, ..., N] bool.

    By theirs it is `distance` [obstacles, points or 1, ..., N] outside, and `normal` [2, ...] is
    that of the best. A face of its own that looks straight at it says the same, and Box2D then has
    contacts at both ends of the shorter one. The track goes on below its corners, so a face that
    looks up keeps nothing away.
    """
    if own is None:
        return jnp.zeros_like(distance, bool)
    num_faces, _, *batch = own.outside.shape
    by_corner = own.outside.reshape(num_faces, -1, num_corners, *batch)
    outside = by_corner.min(2)  # [faces, obstacles, ..., N]
    looks_down = (own.normal[1] <= 0)[:, None]
    cosine = dot(own.normal[:, :, None], normal[:, None, :, 0])
    counts = looks_down & (cosine > -SAME_WAY)
    farther = outside > distance[None, :, 0] + SAME
    return (counts & farther).any(0)[:, None]


class _Sides(NamedTuple):
    """One value for each side of a column."""

    left: Any
    right: Any
    top: Any

    def most(self) -> jax.Array:
        beside = jnp.maximum(self.left, self.right)
        return jnp.maximum(beside, self.top)

    def of(self, face: _Sides) -> jax.Array:
        """The value of the one side that `face` marks."""
        beside = jnp.where(face.left, self.left, self.right)
        return jnp.where(face.top, self.top, beside)

    def farthest(self) -> _Sides:
        """Which side has the largest value; the top, then the right, where they are equal."""
        on_top = self.top >= jnp.maximum(self.left, self.right)
        return _Sides(left=self.left > self.right, right=None, top=on_top)


class Columns(struct.PyTreeNode):
    """Boxes that stand in the ground, solid down to any depth."""

    left: jax.Array  # [columns, ..., N], m
    right: jax.Array  # [columns, ..., N], m
    top: jax.Array  # [columns, ..., N], m

    def outside(self, points: jax.Array, own: OwnFaces | None = None) -> Outside:
        """As in Box2D, all corners of a part are before one face: that which the whole part is
        farthest outside of (separating axes).
        """
        # [columns, points, ..., N] each
        x, y = points[:, None]
        distance = self._beyond(x, x, y)
        outside = distance.most()
        is_chosen = outside == outside.min(0)[None]
        whole = distance if own is None else self._part_beyond(points)
        face = whole.farthest()

        faces_x = _Sides(-1.0, 1.0, 0.0).of(face)
        faces_y = 1.0 - jnp.abs(faces_x)
        normal_x = masked_sum(is_chosen, faces_x, 0)
        normal_x = jnp.clip(normal_x, -1.0, 1.0)
        normal_y = 1.0 - jnp.abs(normal_x)
        least = _Sides(distance.top, -FAR, distance.right).of(face)
        most = _Sides(FAR, -distance.top, -distance.left).of(face)
        faces = jnp.stack([faces_x, faces_y])
        separated = _separated(whole.of(face), faces, own, num_corners=2)
        return Outside(
            gap=masked_sum(is_chosen, distance.of(face), 0),
            normal=jnp.stack([normal_x, normal_y]),
            extent=_extent(is_chosen, least, most, 0),
            separated=(is_chosen & separated).any(0),
        )

    def _part_beyond(self, points: jax.Array) -> _Sides:
        """How far a part with corners [2, points, ..., N] is beyond each side, [columns, 1, ...,
        N].
        """
        x, y = points
        lowest = short_reduce(jnp.minimum, y)[None, None]
        leftmost = short_reduce(jnp.minimum, x)[None, None]
        rightmost = short_reduce(jnp.maximum, x)[None, None]
        return self._beyond(rightmost, leftmost, lowest)

    def _beyond(self, rightmost: jax.Array, leftmost: jax.Array, lowest: jax.Array) -> _Sides:
        """How far a part with these ends, [1, points, ..., N] each, is beyond each side."""
        return _Sides(
            left=self.left[:, None] - rightmost,
            right=leftmost - self.right[:, None],
            top=lowest - self.top[:, None],
        )

    def corners(self) -> jax.Array:
        left = jnp.stack([self.left, self.top])
        right = jnp.stack([self.right, self.top])
        both = jnp.stack([left, right], axis=2)
        return both.reshape(2, -1, *both.shape[3:])

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        """A ray is below the top from (y - top) / drop on and between the sides from (left - x) /
        reach to (right - x) / reach.
        """
        x, y = origin[:, None]
        # not zero, so that a slab of x has two ends
        reach = np.maximum(reach, 1e-6)[:, None]
        drop = drop[:, None]
        below_top = (y - self.top)[None] / drop
        beyond_left = (self.left - x)[None] / reach
        enter = jnp.maximum(below_top, beyond_left)  # [rays, columns, N]
        leave = (self.right - x)[None] / reach
        hits = (enter >= 0) & (enter <= leave)
        return jnp.where(hits, enter, 2.0).min(1)


class Polygons(struct.PyTreeNode):
    """Convex polygons, counter-clockwise; a corner may be there several times."""

    vertices: jax.Array  # [2, polygons, corners, ..., N], m

    def faces(self) -> tuple[jax.Array, jax.Array]:
        """Unit normals [2, polygons, corners, ..., N] of the sides that begin at each corner, and
        whether a side has a length.
        """
        edge = self._edges()
        squared = dot(edge, edge)
        scale = jax.lax.rsqrt(jnp.maximum(squared, 1e-12))
        return -perpendicular(edge) * scale[None], squared > 1e-12

    def _edges(self) -> jax.Array:
        following = jnp.roll(self.vertices, -1, axis=2)
        return following - self.vertices

    def outside(self, points: jax.Array, own: OwnFaces | None = None) -> Outside:
        """All corners of a part are before one face of a polygon, as they are before one of a
        column.
        """
        normals, is_real = self.faces()
        # [2, polygons, sides, points, ..., N]
        from_corner = points[:, None, None] - self.vertices[:, :, :, None]
        distance = dot(normals[:, :, :, None], from_corner)
        separation = jnp.where(is_real[:, :, None], distance, -FAR)
        outside = separation.max(1)
        is_chosen = outside == outside.min(0)[None]  # [polygons, points, ..., N]

        # [polygons, sides, points or 1, ..., N]
        whole = separation if own is None else separation.min(2, keepdims=True)
        farthest = whole.max(1)
        is_best = whole == farthest[:, None]
        is_before = is_best & is_chosen[:, None]
        # [2, polygons, points or 1, ..., N]
        faces = masked_sum(is_best[None], normals[:, :, :, None], 2)
        normal = masked_sum(is_chosen[None], faces, 1)
        squared = dot(normal, normal)
        scale = jax.lax.rsqrt(jnp.maximum(squared, 1e-12))

        sides = perpendicular(normals)
        along = dot(sides[:, :, :, None], from_corner)
        length = dot(sides, self._edges())[:, :, None]
        num_corners = self.vertices.shape[2]
        separated = _separated(farthest, faces, own, num_corners)
        gap = jnp.where(is_before, separation, -FAR)
        return Outside(
            gap=gap.max((0, 1)),
            normal=normal * scale[None],
            extent=_extent(is_before, -along, length - along, (0, 1)),
            separated=(is_chosen & separated).any(0),
        )

    def corners(self) -> jax.Array:
        return self.vertices.reshape(2, -1, *self.vertices.shape[3:])

    def rays(self, origin: jax.Array, reach: np.ndarray, drop: np.ndarray) -> jax.Array:
        """A ray is inside from the last side that it crosses inwards to the first that it crosses
        outwards.
        """
        normals, is_real = self.faces()
        direction = jnp.stack([jnp.asarray(reach), -jnp.asarray(drop)])
        direction = direction[:, :, None, None]  # [2, rays, 1, 1, 1]
        speed = dot(normals[:, None], direction)  # [rays, polygons, sides, N]
        is_real = is_real[None]
        from_origin = self.vertices - origin[:, None, None]
        ahead = dot(normals, from_origin)[None]
        is_parallel = jnp.abs(speed) < 1e-9
        crossing = ahead / jnp.where(is_parallel, 1e-9, speed)
        is_inwards = is_real & (speed < 0)
        is_outwards = is_real & (speed > 0)
        enter = jnp.where(is_inwards, crossing, -jnp.inf).max(2)
        leave = jnp.where(is_outwards, crossing, jnp.inf).min(2)
        # outside of a side that it runs along
        passes_by = is_real & (ahead < 0) & is_parallel
        is_through = (enter >= 0) & (enter <= leave)
        hits = is_through & ~passes_by.any(2)
        return jnp.where(hits, enter, 2.0).min(1)
