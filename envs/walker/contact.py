"""Where links touch the track: two points of each link, and whether the hull touches anything.

A gap is the distance between two surfaces, negative inside. As in Box2D, a contact exists below `SKIN`: polygons are rounded by
0.01 m each, so shapes rest a little apart.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.kinematics import Posture, dot, hull_corners, link_corners, link_tops, perpendicular
from jaxcurriculum.envs.walker.surfaces import FAR, Polygons
from jaxcurriculum.envs.walker.terrain import Window

SKIN = 0.02  # m
MARGIN = 0.1  # m: how far around a link the track is looked at
TIE = 1e-6  # m: added to each next candidate, so that no two are equally deep


class Contacts(struct.PyTreeNode):
    """Points where the track may push a link, with any axes in front of the batch."""

    point: jax.Array  # [2, ..., N], m, in the world
    normal: jax.Array  # [2, ..., N]: unit vector, from the track to the link
    gap: jax.Array  # [..., N], m


def link_contacts(walker: Anatomy, window: Window, hull_pose: jax.Array, shape: Posture) -> Contacts:
    """Two contacts of every link, the deepest that turns it either way: axes [2 (points), 2 (upper, lower), legs, N]."""
    tops = link_tops(walker, hull_pose, shape)
    corners = link_corners(walker, tops, shape.axis)
    candidates = []
    for surface in window.near(corners[0].min(0) - MARGIN, walker.span.link + 2 * MARGIN):
        gap, normal = surface.outside(corners)
        candidates.append(Contacts(point=corners, normal=normal, gap=gap))
        poking = surface.corners()
        if poking is not None:
            candidates.append(_points_on_links(walker, tops, shape.axis, poking))
    centres = tops + walker.length[None] / 2 * shape.axis
    return _deepest_either_way(centres, candidates)


def _points_on_links(walker: Anatomy, tops: jax.Array, axis: jax.Array, points: jax.Array) -> Contacts:
    """Points of the track [2, points, ..., N] against the long sides and the lower end of each link."""
    axis = axis[:, None]
    side = perpendicular(axis)
    from_top = points - tops[:, None]
    along, across = dot(axis, from_top), dot(side, from_top)
    beside, beyond = jnp.abs(across) - walker.width[None] / 2, along - walker.length[None]
    at_end = beyond >= beside
    normal = jnp.where(at_end[None], -axis, -side * jnp.sign(across)[None])
    gap = jnp.where(along > 0, jnp.maximum(beside, beyond), FAR)
    return Contacts(point=jnp.broadcast_to(points, normal.shape), normal=normal, gap=gap)


def _deepest_either_way(centres: jax.Array, groups: list[Contacts]) -> Contacts:
    """Of the contacts that turn a link one way about its centre [2, ...], and of those that turn it the other way, the deepest.

    Candidates lie on the groups' first axis, the two chosen on a new one. Two that turn it the same way would do one thing twice (a
    link's corner that meets a stump's corner) and leave the link free to sink at its other end.
    """
    point, normal = (jnp.concatenate([getattr(group, field) for group in groups], axis=1) for field in ("point", "normal"))
    gap = jnp.concatenate([group.gap for group in groups])
    gap = gap + TIE * np.arange(gap.shape[0], dtype=np.float32)[:, None, None, None]
    turns = dot(perpendicular(point - centres[:, None]), normal) > 0
    either = jnp.stack([jnp.where(turns, gap, FAR), jnp.where(turns, FAR, gap)])  # [2, candidates, ..., N]
    deepest = either.min(1)
    chosen = (either == deepest[:, None])[None]
    # A masked sum takes the one chosen; a chain of selects does not vectorise.
    point, normal = (jnp.where(chosen, field[:, None], 0.0).sum(2) for field in (point, normal))
    return Contacts(point=point, normal=normal, gap=deepest)


def hull_touches(walker: Anatomy, window: Window, hull_pose: jax.Array) -> jax.Array:
    """Whether the hull, a convex polygon, is within the skin of anything, [N] bool.

    Either a corner of the hull is near or inside a surface, or a corner of a surface is near or inside the hull.
    """
    corners = hull_corners(walker, hull_pose)
    hull = Polygons(vertices=corners[:, None])
    gaps = []
    for surface in window.near(hull_pose[0] - walker.span.hull, 2 * walker.span.hull):
        gaps.append(surface.outside(corners)[0].min(0))
        poking = surface.corners()
        if poking is not None:
            gaps.append(hull.outside(poking)[0].min(0))
    return jnp.stack(gaps).min(0) < SKIN
