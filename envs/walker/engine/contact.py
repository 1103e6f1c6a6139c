"""Where links touch the track or are about to: pairs of a point and a face, the deepest of them,
and whether the hull touches anything.

A gap is the distance between two surfaces, negative inside. As in Box2D, a contact exists below
`SKIN`: polygons are rounded by 0.01 m each, so shapes rest a little apart.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.batching import apart
from jaxcurriculum.envs.walker.engine.kinematics import (
    Posture,
    dot,
    fold,
    hull_corners,
    link_corners,
    perpendicular,
    rotated,
)
from jaxcurriculum.envs.walker.engine.surfaces import FAR, SAME_WAY, Own, Polygons
from jaxcurriculum.envs.walker.engine.terrain import Window

SKIN = 0.02  # m
MARGIN = 0.1  # m: how far around a link the track is looked at
TIE = 3e-5  # m or steps: added to each next pair, so that no two are equally near


class Contacts(struct.PyTreeNode):
    """Points where the track may push a link, with any axes in front of the batch."""

    point: jax.Array  # [2, ..., N], m, in the world
    normal: jax.Array  # [2, ..., N]: unit vector, from the track to the link
    gap: jax.Array  # [..., N], m
    # [2 (least, most), ..., N], m: how far the link may go along `perpendicular(normal)` until they
    # pass each other
    room: jax.Array
    # [..., N]: 1 where the face is the link's and turns with it, 0 where it is the track's
    on_link: jax.Array


def passing(
    contacts: Contacts, centres: jax.Array, shift: jax.Array, spin: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Contacts [points, ..., N] once their links, centred at [2, ..., N], have gone by `shift` [2,
    ..., N] and turned.

    `spin` are sine and cosine of that turn, [..., N] each.

    Returns:
      how far the points went, seen from their faces as these were, the normals now, and the points'
      arms now, [2, points, ..., N].
    """
    arm, on_link = contacts.point - centres[:, None], contacts.on_link[None] > 0
    sin, cos = (x[None] for x in spin)
    turned = rotated(
        jnp.where(on_link, arm - shift[:, None], arm), (jnp.where(on_link[0], -sin, sin), cos)
    )
    way = jnp.where(on_link, arm - turned, turned - arm + shift[:, None])
    normal = jnp.where(on_link, rotated(contacts.normal, (sin, cos)), contacts.normal)
    return way, normal, jnp.where(on_link, arm - shift[:, None], turned)


def link_contacts(walker: Anatomy, window: Window, tops: jax.Array, shape: Posture) -> Contacts:
    """Pairs of a point and a face, one on a link and one on the track near it: axes [pairs, 2
    (upper, lower), legs, N].

    `tops` [2, 2, legs, N] are the links' upper ends.
    """
    corners = link_corners(walker, tops, shape.axis)
    pairs = []
    reach = walker.span.link / 2 + MARGIN
    for surface in window.near(corners[0].mean(0) - reach, 2 * reach):
        poking = surface.corners()
        before = surface.outside(
            corners, None if poking is None else _own_faces(walker, tops, shape.axis, poking)
        )
        gap = jnp.where(before.held & (before.gap < SKIN), FAR, before.gap)
        pairs.append(
            Contacts(
                point=corners,
                normal=before.normal,
                gap=gap,
                room=before.room,
                on_link=jnp.zeros_like(gap),
            )
        )
        if poking is not None:
            pairs.append(_points_on_links(walker, tops, shape.axis, poking))
    point, normal, room = (
        jnp.concatenate([getattr(pair, field) for pair in pairs], axis=1)
        for field in ("point", "normal", "room")
    )
    gap, on_link = (
        jnp.concatenate([getattr(pair, field) for pair in pairs]) for field in ("gap", "on_link")
    )
    return Contacts(point=point, normal=normal, gap=gap, room=room, on_link=on_link)


def _own_faces(walker: Anatomy, tops: jax.Array, axis: jax.Array, points: jax.Array) -> Own:
    """The long sides and the lower end of each link, as points of the track [2, points, ..., N]
    see them.
    """
    side = perpendicular(axis)
    normal, half = (
        jnp.stack([-side, side, axis], axis=1),
        jnp.broadcast_to(walker.width / 2, axis.shape[1:]),
    )
    far = jnp.stack([half, half, jnp.broadcast_to(walker.length, half.shape)])
    return Own(
        normal=normal,
        outside=dot(normal[:, :, None], (points - tops[:, None])[:, None]) - far[:, None],
    )


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
    beside, beyond, right = jnp.abs(across) - half, along - length, across > 0
    at_end = beyond >= beside
    normal = jnp.where(at_end[None], -axis, jnp.where(right, -1.0, 1.0)[None] * side)
    least = jnp.where(at_end, -half - across, jnp.where(right, beyond, -along))
    most = jnp.where(at_end, half - across, jnp.where(right, along, -beyond))
    gap = jnp.where(along > 0, jnp.maximum(beside, beyond), FAR)
    points, room = jnp.broadcast_to(points, normal.shape), jnp.stack([least, most])
    return Contacts(point=points, normal=normal, gap=gap, room=room, on_link=jnp.ones_like(gap))


def deepest(pairs: Contacts, centres: jax.Array) -> Contacts:
    """Two contacts of every link, whose centre is at `centres` [2, ...]: the deepest pair, and the
    deepest that does something else.

    That is one that turns the link the other way, or else one that pushes in another direction: a
    shin on a stump's corner whose toe stands on the ground is wedged. Two that do the same would
    leave the link free to sink at its other end. The one that turns it anticlockwise comes first,
    if there is one, so that a point keeps its place from step to step.
    """
    turns = lambda contacts, centre: (
        dot(perpendicular(contacts.point - centre), contacts.normal) > 0
    )
    beside = jnp.maximum(jnp.maximum(pairs.room[0], -pairs.room[1]), 0.0)
    pairs = pairs.replace(
        gap=jnp.where(beside > SKIN, FAR, pairs.gap)
    )  # as far past a face's end Box2D keeps points
    distance = jnp.where(
        pairs.gap > 0, jnp.sqrt(pairs.gap * pairs.gap + beside * beside), pairs.gap
    )
    first = apart(nearest)(pairs, distance[None], centres)
    first_turns = turns(first, centres[:, None])
    other_way = turns(pairs, centres[:, None]) != first_turns
    preferred = jnp.where(other_way & (pairs.gap < SKIN), distance - 1.0, distance)
    second = apart(nearest)(
        pairs,
        jnp.where(other_way | (dot(pairs.normal, first.normal) < SAME_WAY), preferred, FAR)[None],
        centres,
    )
    in_turn = lambda a, b: jnp.concatenate(
        [jnp.where(first_turns, a, b), jnp.where(first_turns, b, a)], axis=a.ndim - 4
    )
    return jax.tree.map(in_turn, first, second)


def nearest(pairs: Contacts, order: jax.Array, centres: jax.Array) -> Contacts:
    """The pair with the least `order` [k, pairs, ...] for each k, with the pairs' axis gone: [k,
    ...].

    Where none is below `FAR` it is one out of reach above the link's centre.
    """
    order = order + TIE * np.arange(order.shape[1], dtype=np.float32)[None, :, None, None, None]
    least = order.min(1)
    chosen, none = (order == least[:, None]) & (order < FAR / 2), least >= FAR / 2
    # A masked sum takes the one chosen; a chain of selects does not vectorise.
    point, normal, room = (
        jnp.where(chosen[None], x[:, None], 0.0).sum(2)
        for x in (pairs.point, pairs.normal, pairs.room)
    )
    return Contacts(
        point=jnp.where(none[None], centres[:, None], point),
        normal=jnp.stack([normal[0], jnp.where(none, 1.0, normal[1])]),
        gap=jnp.where(none, FAR, jnp.where(chosen, pairs.gap[None], 0.0).sum(1)),
        room=room,
        on_link=jnp.where(chosen, pairs.on_link[None], 0.0).sum(1),
    )


def hull_touches(walker: Anatomy, window: Window, hull_pose: jax.Array) -> jax.Array:
    """Whether the hull, a convex polygon, is within the skin of anything, [N] bool.

    Either a corner of the hull is near or inside a surface, or a corner of a surface is near or
    inside the hull.
    """
    corners = hull_corners(walker, hull_pose)
    normals, _ = Polygons(vertices=corners[:, None]).faces()
    gaps = []
    for surface in window.near(hull_pose[0] - walker.span.hull, 2 * walker.span.hull):
        gaps.append(surface.outside(corners).gap)
        poking = surface.corners()
        if poking is not None:
            gaps.append(
                fold(
                    jnp.maximum, dot(normals[:, 0, :, None], poking[:, None] - corners[:, :, None])
                )
            )
    return fold(jnp.minimum, jnp.concatenate(gaps)) < SKIN
