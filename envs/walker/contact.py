"""Where links touch the track: two points of each link, and whether the hull touches anything.

A gap is the distance between two surfaces, negative inside. As in Box2D, a contact exists below `SKIN`: polygons are rounded by
0.01 m each, so shapes rest a little apart.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Body
from jaxcurriculum.envs.walker.kinematics import Posture, dot, hull_vertices, link_corners, link_tops, perpendicular
from jaxcurriculum.envs.walker.terrain import GROUND, Columns, Window, columns, num_columns

SKIN = 0.02  # m
MARGIN = 0.1  # m: how far around a link stumps are looked for
TIE = 1e-6  # m: added to each next candidate, so that no two are equally deep
FAR = 1e3  # m: gap of a point that cannot touch


class Contacts(struct.PyTreeNode):
    """Points where the track may push a link, with any axes in front of the batch."""

    point: jax.Array  # [2, ..., N], m, in the world
    normal: jax.Array  # [2, ..., N]: unit vector, from the track to the link
    gap: jax.Array  # [..., N], m


def link_contacts(body: Body, window: Window, hull_pose: jax.Array, shape: Posture) -> Contacts:
    """Two contacts of every link, the deepest that turns it either way: axes [2 (points), 2 (upper, lower), legs, N]."""
    tops = link_tops(body, hull_pose, shape)
    corners = link_corners(body, tops, shape.axis)
    leftmost = corners[0].min(0) - MARGIN
    near = columns(window, leftmost, num_columns(np.hypot(body.link_length, max(body.link_widths)) + 2 * MARGIN))
    centres = tops + body.link_length / 2 * shape.axis
    return _deepest_either_way(centres, [_corners_on_track(corners, near), _stumps_on_links(body, tops, shape.axis, near)])


def _corners_on_track(corners: jax.Array, near: Columns) -> Contacts:
    """Each corner [2, corners, ...] against the stump face of its smallest gap, and then each against the ground."""
    x, y = corners[0], corners[1]
    left, right, above = near.left[:, None] - x[None], x[None] - near.right[:, None], y[None] - near.top[:, None]
    beside = jnp.maximum(left, right)
    outside = jnp.maximum(beside, above)  # [columns, corners, ..., N]
    gap = outside.min(0)
    side = jnp.where(above >= beside, 0.0, jnp.where(left > right, -1.0, 1.0))
    normal_x = jnp.clip(jnp.where(outside == gap[None], side, 0.0).sum(0), -1.0, 1.0)
    normal = jnp.concatenate([jnp.stack([normal_x, 1.0 - jnp.abs(normal_x)]), jnp.stack([jnp.zeros_like(x), jnp.ones_like(x)])], axis=1)
    return Contacts(point=jnp.concatenate([corners, corners], axis=1), normal=normal, gap=jnp.concatenate([gap, y - GROUND]))


def _stumps_on_links(body: Body, tops: jax.Array, axis: jax.Array, near: Columns) -> Contacts:
    """Each upper corner of a stump against the long sides and the lower end of each link."""
    x, y = jnp.concatenate([near.left, near.right]), jnp.concatenate([near.top, near.top])
    axis = axis[:, None]
    side = perpendicular(axis)
    from_top = jnp.stack([x, y]) - tops[:, None]
    along, across = dot(axis, from_top), dot(side, from_top)
    half_width = np.array(body.link_widths, np.float32)[None, :, None, None] / 2
    beside, beyond = jnp.abs(across) - half_width, along - body.link_length
    at_end = beyond >= beside
    normal = jnp.where(at_end[None], -axis, -side * jnp.sign(across)[None])
    return Contacts(point=jnp.stack([x, y]), normal=normal, gap=jnp.where(along > 0, jnp.maximum(beside, beyond), FAR))


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


def hull_touches(body: Body, window: Window, hull_pose: jax.Array) -> jax.Array:
    """Whether the hull, a convex polygon, is within the skin of the ground or of a stump, [N] bool.

    Two convex shapes are apart when the normal of one of their sides separates them: left, right and top of the stump, and those
    sides of the hull that face down, against which a stump's nearest point is one of its two upper corners.
    """
    vertices = hull_vertices(body, hull_pose)
    left, right, bottom = vertices[0].min(0), vertices[0].max(0), vertices[1].min(0)
    reach = np.linalg.norm(np.array(body.hull) - body.hull_mass[1], axis=1).max()
    near = columns(window, hull_pose[0] - reach, num_columns(2 * reach))
    apart = jnp.maximum(jnp.maximum(near.left - right[None], left[None] - near.right), bottom[None] - near.top)  # [columns, N]
    edge = jnp.roll(vertices, -1, axis=1) - vertices
    outward = -perpendicular(edge) / jnp.sqrt(dot(edge, edge))[None]
    outward, start = outward[:, :, None], vertices[:, :, None]
    corner_x = jnp.where(outward[0] > 0, near.left[None], near.right[None])
    beyond = outward[0] * (corner_x - start[0]) + outward[1] * (near.top[None] - start[1])  # [edges, columns, N]
    apart = jnp.maximum(apart, jnp.where(outward[1] < 0, beyond, -FAR).max(0))
    return (bottom - GROUND < SKIN) | (apart < SKIN).any(0)
