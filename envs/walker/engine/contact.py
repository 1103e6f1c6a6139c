"""Where links touch the track or are about to: pairs of a point and a face, the deepest of them,
and whether the hull touches anything.

A gap is the distance between two surfaces, negative inside. As in Box2D, a contact exists below
`SKIN`: polygons are rounded by 0.01 m each, so shapes rest a little apart.

                    o  centre of a link
                   /
                  /  arm
                 /
                *  point      ^ normal
                :  gap        |
    +===========:=============+=====+    face of the track
    |<- most -->|<----- -least ---->|    extent; perpendicular(normal) looks to the left

Where a corner of the track pokes into a link the face is the link's.
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
    hull_corners,
    link_corners,
)
from jaxcurriculum.envs.walker.engine.plane import Displacement, Rotation, dot, perpendicular
from jaxcurriculum.envs.walker.engine.surfaces import FAR, SAME_WAY, OwnFaces, Polygons, Surface
from jaxcurriculum.envs.walker.engine.terrain import FRICTION, Window

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
        least, most = self.extent
        return jnp.maximum(least, -most)

    def after(self, links: Displacement) -> Moved:
        """These contacts [points, ..., N] once their `links` [..., N] have moved."""
        sin, cos = (x[None] for x in links.rotation)
        on_link = self.on_link > 0
        arm = self.point - links.centre[:, None]
        shift = links.shift[:, None]
        # A point of the track moves against the link's face: backwards, with the inverse rotation.
        rotation = Rotation(sin=jnp.where(on_link, -sin, sin), cos=cos)
        on_link = on_link[None]
        arm_in_track = arm - shift
        relative = jnp.where(on_link, arm_in_track, arm)
        rotated = rotation.of(relative)
        way = jnp.where(on_link, arm - rotated, rotated - arm + shift)
        turned = Rotation(sin, cos).of(self.normal)
        return Moved(
            gap=self.gap + dot(self.normal, way),
            along=dot(perpendicular(self.normal), way),
            normal=jnp.where(on_link, turned, self.normal),
            arm=jnp.where(on_link, arm_in_track, rotated),
        )


class Moved(NamedTuple):
    """Contacts [points, ..., N] once their links have moved."""

    gap: jax.Array  # [points, ..., N], m, before the endless line through the face
    along: jax.Array  # [points, ..., N], m: how far they went along `perpendicular(normal)`
    normal: jax.Array  # [2, points, ..., N], now
    arm: jax.Array  # [2, points, ..., N], m: from the links' centres now


class Boxes(NamedTuple):
    """The links as boxes in the world, [2 (upper, lower), legs, N]."""

    top: jax.Array  # [2, ...], m: the middle of the upper side
    axis: jax.Array  # [2, ...]: unit vector along the link, downwards
    half_width: jax.Array  # [...], m
    length: jax.Array  # [...], m

    def faces(self) -> tuple[jax.Array, jax.Array]:
        """The long sides and the lower end: normals [2, 3 (faces), ...], and how far each is from
        the top's middle, [3, ...], m.
        """
        side = perpendicular(self.axis)
        half_width = jnp.broadcast_to(self.half_width, self.axis.shape[1:])
        length = jnp.broadcast_to(self.length, half_width.shape)
        normals = jnp.stack([-side, side, self.axis], axis=1)
        return normals, jnp.stack([half_width, half_width, length])


def friction_of(walker: Anatomy) -> float:
    """The coefficient between links and track: as in Box2D the geometric mean of theirs."""
    return float(np.sqrt(FRICTION * walker.body.link_friction))


def link_contacts(walker: Anatomy, window: Window, tops: jax.Array, shape: Posture) -> Contacts:
    """Pairs of a point and a face, one on a link and one on the track near it.

    Args:
      tops: [2, 2, legs, N], m: the links' upper ends.

    Returns:
      contacts with axes [pairs, 2 (upper, lower), legs, N].
    """
    links = Boxes(tops, shape.axis, walker.width / 2, walker.length)
    corners = link_corners(walker, tops, shape.axis)
    reach = walker.span.link / 2 + MARGIN
    left = corners[0].mean(0) - reach
    pairs = []
    for surface in window.near(left, 2 * reach):
        track_corners = surface.corners()
        if track_corners is None:
            pairs.append(_points_on_track(surface, corners, None))
            continue
        own_faces = _own_faces(links, track_corners)
        pairs.append(_points_on_track(surface, corners, own_faces))
        pairs.append(_points_on_links(links, track_corners))
    return _concatenate(*pairs)


def _concatenate(*groups: Contacts) -> Contacts:
    """All contacts of groups [pairs, 2 (links), legs, N], one group after another."""

    def join(*parts):
        return jnp.concatenate(parts, axis=parts[0].ndim - 4)

    return jax.tree.map(join, *groups)


def _points_on_track(surface: Surface, corners: jax.Array, own: OwnFaces | None) -> Contacts:
    """The links' `corners` [2, points, ..., N] against the faces of a surface."""
    seen = surface.outside(corners, own)
    is_kept_off = seen.separated & (seen.gap < SKIN)
    gap = jnp.where(is_kept_off, FAR, seen.gap)
    return Contacts(
        point=corners,
        normal=seen.normal,
        gap=gap,
        extent=seen.extent,
        on_link=jnp.zeros_like(gap),
    )


def _own_faces(links: Boxes, points: jax.Array) -> OwnFaces:
    """The faces of each link, seen from points of the track [2, points, ..., N]."""
    normals, distances = links.faces()
    from_top = points - links.top[:, None]
    along_normals = dot(normals[:, :, None], from_top[:, None])
    return OwnFaces(normal=normals, outside=along_normals - distances[:, None])


def _points_on_links(links: Boxes, points: jax.Array) -> Contacts:
    """Points of the track [2, points, ..., N] against the faces of each link."""
    axis = links.axis[:, None]
    side = perpendicular(axis)
    half_width = links.half_width[None]
    from_top = points - links.top[:, None]
    along = dot(axis, from_top)
    across = dot(side, from_top)
    beside = jnp.abs(across) - half_width
    beyond = along - links.length[None]
    at_end = beyond >= beside
    is_right = across > 0

    outwards = jnp.where(is_right, -1.0, 1.0)[None] * side
    normal = jnp.where(at_end[None], -axis, outwards)
    least_of_side = jnp.where(is_right, beyond, -along)
    most_of_side = jnp.where(is_right, along, -beyond)
    least = jnp.where(at_end, -half_width - across, least_of_side)
    most = jnp.where(at_end, half_width - across, most_of_side)
    farthest = jnp.maximum(beside, beyond)
    gap = jnp.where(along > 0, farthest, FAR)
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
    gap = jnp.where(beside > SKIN, FAR, pairs.gap)
    pairs = pairs.replace(gap=gap)
    to_end = jnp.sqrt(pairs.gap * pairs.gap + beside * beside)
    distance = jnp.where(pairs.gap > 0, to_end, pairs.gap)
    first = fusion_barrier(nearest)(pairs, distance[None], centres)

    centres_of_pairs = centres[:, None]
    first_anticlockwise = _anticlockwise(first, centres_of_pairs)
    other_way = _anticlockwise(pairs, centres_of_pairs) != first_anticlockwise
    other_direction = dot(pairs.normal, first.normal) < SAME_WAY
    is_preferred = other_way & (pairs.gap < SKIN)
    order = jnp.where(is_preferred, distance - 1.0, distance)
    order = jnp.where(other_way | other_direction, order, FAR)
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
    is_least = order == least[:, None]
    is_chosen = is_least & (order < FAR / 2)
    is_none = least >= FAR / 2

    def chosen_vector(x):
        return masked_sum(is_chosen[None], x[:, None], 2)

    def chosen_number(x):
        return masked_sum(is_chosen, x[None], 1)

    x, y = chosen_vector(pairs.normal)
    point = chosen_vector(pairs.point)
    return Contacts(
        point=jnp.where(is_none[None], centres[:, None], point),
        normal=jnp.stack([x, jnp.where(is_none, 1.0, y)]),
        gap=jnp.where(is_none, FAR, chosen_number(pairs.gap)),
        extent=chosen_vector(pairs.extent),
        on_link=chosen_number(pairs.on_link),
    )


def hull_touches(walker: Anatomy, window: Window, hull_pose: jax.Array) -> jax.Array:
    """Whether the hull, a convex polygon, is within the skin of anything, [N] bool.

    Either a corner of the hull is near or inside a surface, or a corner of a surface is near or
    inside the hull.
    """
    reach = walker.span.hull
    corners = hull_corners(walker, hull_pose)
    normals, _ = Polygons(vertices=corners[:, None]).faces()
    normals = normals[:, 0, :, None]
    gaps = []
    for surface in window.near(hull_pose[0] - reach, 2 * reach):
        gaps.append(surface.outside(corners).gap)
        track_corners = surface.corners()
        if track_corners is None:
            continue
        from_corners = track_corners[:, None] - corners[:, :, None]
        outside = dot(normals, from_corners)
        gaps.append(short_reduce(jnp.maximum, outside))
    least = short_reduce(jnp.minimum, jnp.concatenate(gaps))
    return least < SKIN
