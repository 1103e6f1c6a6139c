"""Where links touch the track: the two deepest points of each link, and whether the hull touches anything.

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
FAR = 1e3  # m: gap of a point that cannot touch


class Contacts(struct.PyTreeNode):
    """Points where the track may push a link, with any axes in front of the batch."""

    point: jax.Array  # [2, ..., N], m, in the world
    normal: jax.Array  # [2, ..., N]: unit vector, from the track to the link
    gap: jax.Array  # [..., N], m


def link_contacts(body: Body, window: Window, hull_pose: jax.Array, shape: Posture) -> Contacts:
    """The two deepest contacts of every link: axes [2 (points), 2 (upper, lower), legs, N]."""
    tops = link_tops(body, hull_pose, shape)
    corners = link_corners(body, tops, shape.axis)
    leftmost = corners[0].min(0) - MARGIN
    near = columns(window, leftmost, num_columns(np.hypot(body.link_length, max(body.link_widths)) + 2 * MARGIN))
    return _two_deepest(_corners_on_track(corners, near), _stumps_on_links(body, tops, shape.axis, near))


def _corners_on_track(corners: jax.Array, near: Columns) -> Contacts:
    """Each corner [2, corners, ...] against the ground and the stumps: the surface of its smallest gap."""
    x, y = corners[0], corners[1]
    gap, normal_x = y - GROUND, jnp.zeros_like(x)
    for i in range(near.top.shape[0]):
        left, right, above = near.left[i][None] - x, x - near.right[i][None], y - near.top[i][None]
        beside = jnp.maximum(left, right)
        outside = jnp.maximum(beside, above)
        side = jnp.where(above >= beside, 0.0, jnp.where(left > right, -1.0, 1.0))
        normal_x = jnp.where(outside < gap, side, normal_x)
        gap = jnp.minimum(gap, outside)
    return Contacts(point=corners, normal=jnp.stack([normal_x, 1.0 - jnp.abs(normal_x)]), gap=gap)


def _stumps_on_links(body: Body, tops: jax.Array, axis: jax.Array, near: Columns) -> Contacts:
    """Each upper corner of a stump against the long sides and the lower end of each link."""
    x, y = jnp.concatenate([near.left, near.right]), jnp.concatenate([near.top, near.top])
    axis = axis[:, None]
    side = perpendicular(axis)
    from_top = jnp.stack([x, y]) - tops[:, None]
    along, across = dot(axis, from_top), dot(side, from_top)
    half_width = np.float32(body.link_widths)[None, :, None, None] / 2
    beside, beyond = jnp.abs(across) - half_width, along - body.link_length
    at_end = beyond >= beside
    normal = jnp.where(at_end[None], -axis, -side * jnp.sign(across)[None])
    return Contacts(point=jnp.stack([x, y]), normal=normal, gap=jnp.where(along > 0, jnp.maximum(beside, beyond), FAR))


def _two_deepest(*groups: Contacts) -> Contacts:
    """The two contacts of smallest gap, deepest first, stacked on a new axis in front; candidates lie on the groups' first axis."""
    fields = [jnp.concatenate([c.point, c.normal, c.gap[None]]) for c in groups]  # [5, candidates, ..., N]
    candidates = [f[:, i] for f in fields for i in range(f.shape[1])]
    first = second = jnp.full_like(candidates[0], FAR)
    for candidate in candidates:
        deepest = (candidate[4] < first[4])[None]
        deeper = (candidate[4] < second[4])[None]
        second = jnp.where(deepest, first, jnp.where(deeper, candidate, second))
        first = jnp.where(deepest, candidate, first)
    both = jnp.stack([first, second], axis=1)  # [5, 2, ..., N]
    return Contacts(point=both[:2], normal=both[2:4], gap=both[4])


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
