"""Where links touch the track or are about to: three points of each link, and whether the hull touches anything.

A gap is the distance between two surfaces, negative inside. As in Box2D, a contact exists below `SKIN`: polygons are rounded by
0.01 m each, so shapes rest a little apart.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.kinematics import Posture, dot, hull_corners, link_corners, perpendicular
from jaxcurriculum.envs.walker.surfaces import FAR, Polygons
from jaxcurriculum.envs.walker.terrain import Window

SKIN = 0.02  # m
MARGIN = 0.1  # m: how far around a link the track is looked at
AHEAD = 1 / 50  # s: the engine's step
REACH = 0.5  # m: more than a link moves in a step
TIE = 1e-6  # m: added to each next candidate, so that no two are equally deep


class Contacts(struct.PyTreeNode):
    """Points where the track may push a link, with any axes in front of the batch."""

    point: jax.Array  # [2, ..., N], m, in the world
    normal: jax.Array  # [2, ..., N]: unit vector, from the track to the link
    gap: jax.Array  # [..., N], m


def link_contacts(walker: Anatomy, window: Window, tops: jax.Array, shape: Posture, velocity: jax.Array) -> Contacts:
    """Three contacts of every link: axes [3 (points), 2 (upper, lower), legs, N].

    The first two are the deepest of those that turn it one way and of those that turn it the other way, the third is the one outside the
    skin that would be the deepest `AHEAD` seconds later. `tops` [2, 2, legs, N] are the links' upper ends, `velocity` [3, 2, legs, N]
    is that of their centres (vx, vy, rate).
    """
    corners = link_corners(walker, tops, shape.axis)
    candidates = []
    for surface in window.near(corners[0].min(0) - MARGIN, walker.span.link + 2 * MARGIN):
        gap, normal = surface.outside(corners)
        candidates.append(Contacts(point=corners, normal=normal, gap=gap))
        poking = surface.corners()
        if poking is not None:
            candidates.append(_points_on_links(walker, tops, shape.axis, poking))
    centres = tops + walker.length[None] / 2 * shape.axis
    return _choose(centres, velocity, candidates)


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


def _choose(centres: jax.Array, velocity: jax.Array, groups: list[Contacts]) -> Contacts:
    """The three contacts of a link, whose centre is at `centres` [2, ...], of the candidates on the groups' first axis.

    Two that turn it the same way would do one thing twice (a link's corner that meets a stump's corner) and leave the link free to sink
    at its other end.
    """
    point, normal = (jnp.concatenate([getattr(group, field) for group in groups], axis=1) for field in ("point", "normal"))
    gap = jnp.concatenate([group.gap for group in groups])
    gap = gap + TIE * np.arange(gap.shape[0], dtype=np.float32)[:, None, None, None]
    turn = dot(perpendicular(point - centres[:, None]), normal)
    soon = gap + AHEAD * (dot(normal, velocity[:2, None]) + velocity[2][None] * turn)
    depth = jnp.stack([jnp.where(turn > 0, gap, FAR), jnp.where(turn > 0, FAR, gap), jnp.where((gap < SKIN) | (gap > REACH), FAR, soon)])
    deepest = depth.min(1)
    chosen = (depth == deepest[:, None]) & (depth < FAR / 2)  # [3, candidates, ..., N]
    # A masked sum takes the one chosen; a chain of selects does not vectorise.
    point, normal = (jnp.where(chosen[None], field[:, None], 0.0).sum(2) for field in (point, normal))
    none = deepest >= FAR / 2  # then a contact that is out of reach, above the link's centre
    return Contacts(
        point=jnp.where(none[None], centres[:, None], point),
        normal=jnp.stack([normal[0], jnp.where(none, 1.0, normal[1])]),
        gap=jnp.where(none, FAR, jnp.where(chosen, gap[None], 0.0).sum(1)),
    )


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
