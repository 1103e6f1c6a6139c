"""Where links touch the track or are about to: pairs of a point and a face, the deepest of them,
and whether the hull touches anything.

A gap is the distance between two surfaces, negative inside. As in Box2D, a contact exists below
`SKIN`: polygons are rounded by 0.01 m each, so shapes rest a little apart.

          o centre of a link
          |
          | arm
          |
          * point          ^ normal
          : gap            |
    ======+================+=====   face of the track

A contact's extent says how far the point is from the two ends of the face. Where a corner of the
track pokes into a link the face is the link's.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.device.xla import fusion_barrier, masked_sum, short_reduce
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.kinematics import (
    Posture,
    dot,
    hull_corners,
    link_corners,
    perpendicular,
    rotate_by,
)
from jaxcurriculum.envs.walker.engine.surfaces import FAR, SAME_WAY, OwnFaces, Polygons, Surface
from jaxcurriculum.envs.walker.engine.terrain import Window

SKIN = 0.02  # m
MARGIN = 0.1  # m: how far around a link the track is looked at
TIE = 3e-5  # m or steps: added to each next pair, so that no two are equally near


class Contacts(struct.PyTreeNode):
    """Points where the track may push a link, with any axes in front of the batch."""

    point: jax.Array  # [2, ..., N], m, in the world
    normal: jax.Array  # [2, ..., N]: unit vector, from the track to the link
    gap: jax.Array  # [..., N], m
    # [2 (least, most), ..., N], m: how far the link may go along `perpendicular(normal)` until the
    # point and the face pass each other
    extent: jax.Array
    # [..., N]: 1 where the face is the link's and rotates with it, 0 where it is the track's
    on_link: jax.Array

    def beside(self) -> jax.Array:
        """How far points are beside their faces, negative before them, [..., N], m."""
        return jnp.maximum(self.extent[0], -self.extent[1])


class Moved(NamedTuple):
    """Contacts [points, ..., N] once their links have moved."""

    way: jax.Array  # [2, points, ..., N], m: of the points, seen from their faces as these were
    normal: jax.Array  # [2, points, ..., N], now
    arm: jax.Array  # [2, points, ..., N], m: from the links' centres now


def move(
    contacts: Contacts, centres: jax.Array, shift: jax.Array, rotation: tuple[jax.Array, jax.Array]
) -> Moved:
    """Contacts [points, ..., N] once their links have gone by `shift` [2, ..., N] and rotated.

    Args:
      centres: [2, ..., N], m: of the links before.
      rotation: sine and cosine of the links' angle, [..., N] each.
    """
    arm = contacts.point - centres[:, None]
    on_link = contacts.on_link[None] > 0
    sin, cos = (x[None] for x in rotation)
    # A point of the track moves against the link's face: backwards, with the inverse rotation.
    arm_in_track = arm - shift[:, None]
    relative = jnp.where(on_link, arm_in_track, arm)
    rotated = rotate_by(relative, (jnp.where(on_link[0], -sin, sin), cos))
    way = jnp.where(on_link, arm - rotated, rotated - arm + shift[:, None])
    normal = jnp.where(on_link, rotate_by(contacts.normal, (sin, cos)), contacts.normal)
    return Moved(way=way, normal=normal, arm=jnp.where(on_link, arm_in_track, rotated))


def link_contacts(walker: Anatomy, window: Window, tops: jax.Array, shape: Posture) -> Contacts:
    """Pairs of a point and a face, one on a link and one on the track near it.

    Args:
      tops: [2, 2, legs, N], m: the links' upper ends.

    Returns:
      contacts with axes [pairs, 2 (upper, lower), legs, N].
    """
    corners = link_corners(walker, tops, shape.axis)
    reach = walker.span.link / 2 + MARGIN
    pairs = []
    for surface in window.near(corners[0].mean(0) - reach, 2 * reach):
        track_corners = surface.corners()
        if track_corners is None:
            pairs.append(_points_on_track(surface, corners, None))
            continue
        faces = _own_faces(walker, tops, shape.axis, track_corners)
        pairs.append(_points_on_track(surface, corners, faces))
        pairs.append(_points_on_links(walker, tops, shape.axis, track_corners))
    return _concatenate(*pairs)


def _concatenate(*groups: Contacts) -> Contacts:
    """All contacts of groups [pairs, 2 (links), legs, N], one group after another."""

    def join(*parts):
        return jnp.concatenate(parts, axis=parts[0].ndim - 4)

    return jax.tree.map(join, *groups)


def _points_on_track(surface: Surface, corners: jax.Array, own: OwnFaces | None) -> Contacts:
    """The links' `corners` [2, points, ..., N] against the faces of a surface."""
    seen = surface.outside(corners, own)
    gap = jnp.where(seen.separated & (seen.gap < SKIN), FAR, seen.gap)
    return Contacts(
        point=corners,
        normal=seen.normal,
        gap=gap,
        extent=seen.extent,
        on_link=jnp.zeros_like(gap),
    )


def _own_faces(walker: Anatomy, tops: jax.Array, axis: jax.Array, points: jax.Array) -> OwnFaces:
    """The long sides and the lower end of each link, seen from points of the track [2, points, ...,
    N].
    """
    side = perpendicular(axis)
    normal = jnp.stack([-side, side, axis], axis=1)
    half = jnp.broadcast_to(walker.width / 2, axis.shape[1:])
    length = jnp.broadcast_to(walker.length, half.shape)
    distance_of_face = jnp.stack([half, half, length])  # from the top's middle
    from_top = (points - tops[:, None])[:, None]
    outside = dot(normal[:, :, None], from_top) - distance_of_face[:, None]
    return OwnFaces(normal=normal, outside=outside)


def _points_on_links(
    walker: Anatomy, tops: jax.Array, axis: jax.Array, points: jax.Array
) -> Contacts:
    """Points of the track [2, points, ..., N] against the long sides and the lower end of each
    link.
    """
    axis = axis[:, None]
    side = perpendicular(axis)
    from_top = points - tops[:, None]
    along, across = dot(axis, from_top), dot(side, from_top)
    half, length = walker.width[None] / 2, walker.length[None]
    beside, beyond = jnp.abs(across) - half, along - length
    at_end, is_right = beyond >= beside, across > 0

    outwards = jnp.where(is_right, -1.0, 1.0)[None] * side
    normal = jnp.where(at_end[None], -axis, outwards)
    least_of_side = jnp.where(is_right, beyond, -along)
    most_of_side = jnp.where(is_right, along, -beyond)
    least = jnp.where(at_end, -half - across, least_of_side)
    most = jnp.where(at_end, half - across, most_of_side)
    gap = jnp.where(along > 0, jnp.maximum(beside, beyond), FAR)
    return Contacts(
        point=jnp.broadcast_to(points, normal.shape),
        normal=normal,
        gap=gap,
        extent=jnp.stack([least, most]),
        on_link=jnp.ones_like(gap),
    )


def deepest(pairs: Contacts, centres: jax.Array) -> Contacts:
    """Two contacts of every link, whose centre is at `centres` [2, ...]: the deepest pair, and the
    deepest that does something else.

    That is one that rotates the link the other way, or else one that pushes in another direction: a
    shin on a stump's corner whose toe stands on the ground is wedged. Two that do the same would
    leave the link free to sink at its other end. The one that rotates it anticlockwise comes first,
    if there is one, so that a point keeps its place from step to step.
    """
    beside = jnp.maximum(pairs.beside(), 0.0)
    # Box2D keeps points that are no further past a face's end.
    pairs = pairs.replace(gap=jnp.where(beside > SKIN, FAR, pairs.gap))
    to_end = jnp.sqrt(pairs.gap * pairs.gap + beside * beside)
    distance = jnp.where(pairs.gap > 0, to_end, pairs.gap)
    first = fusion_barrier(nearest)(pairs, distance[None], centres)

    first_anticlockwise = _anticlockwise(first, centres[:, None])
    other_way = _anticlockwise(pairs, centres[:, None]) != first_anticlockwise
    other_direction = dot(pairs.normal, first.normal) < SAME_WAY
    preferred = jnp.where(other_way & (pairs.gap < SKIN), distance - 1.0, distance)
    order = jnp.where(other_way | other_direction, preferred, FAR)
    second = fusion_barrier(nearest)(pairs, order[None], centres)

    def anticlockwise_first(a, b):
        ahead = jnp.where(first_anticlockwise, a, b)
        behind = jnp.where(first_anticlockwise, b, a)
        return jnp.concatenate([ahead, behind], axis=a.ndim - 4)

    return jax.tree.map(anticlockwise_first, first, second)


def _anticlockwise(contacts: Contacts, centres: jax.Array) -> jax.Array:
    """Whether a push along the normal rotates a link about its centre [2, ...] anticlockwise."""
    return dot(perpendicular(contacts.point - centres), contacts.normal) > 0


def nearest(pairs: Contacts, order: jax.Array, centres: jax.Array) -> Contacts:
    """The pair with the least `order` [k, pairs, ...] for each k, [k, ...].

    Where none is below `FAR` it is one out of reach above the link's centre.
    """
    tie = TIE * np.arange(order.shape[1], dtype=np.float32)
    order = order + tie[None, :, None, None, None]
    least = order.min(1)
    is_chosen = (order == least[:, None]) & (order < FAR / 2)
    is_none = least >= FAR / 2

    def chosen_vector(x):
        return masked_sum(is_chosen[None], x[:, None], 2)

    def chosen_number(x):
        return masked_sum(is_chosen, x[None], 1)

    normal = chosen_vector(pairs.normal)
    return Contacts(
        point=jnp.where(is_none[None], centres[:, None], chosen_vector(pairs.point)),
        normal=jnp.stack([normal[0], jnp.where(is_none, 1.0, normal[1])]),
        gap=jnp.where(is_none, FAR, chosen_number(pairs.gap)),
        extent=chosen_vector(pairs.extent),
        on_link=chosen_number(pairs.on_link),
    )


def hull_touches(walker: Anatomy, window: Window, hull_pose: jax.Array) -> jax.Array:
    """Whether the hull, a convex polygon, is within the skin of anything, [N] bool.

    Either a corner of the hull is near or inside a surface, or a corner of a surface is near or
    inside the hull.
    """
    corners = hull_corners(walker, hull_pose)
    normals, _ = Polygons(vertices=corners[:, None]).faces()
    normals = normals[:, 0, :, None]
    gaps = []
    for surface in window.near(hull_pose[0] - walker.span.hull, 2 * walker.span.hull):
        gaps.append(surface.outside(corners).gap)
        track_corners = surface.corners()
        if track_corners is not None:
            outside = dot(normals, track_corners[:, None] - corners[:, :, None])
            gaps.append(short_reduce(jnp.maximum, outside))
    return short_reduce(jnp.minimum, jnp.concatenate(gaps)) < SKIN
