"""Where a walker's links are. Arrays have their small axes first and the batch last: [2 (x, y), 2 (upper, lower), legs, N]."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Body


class WalkerState(struct.PyTreeNode):
    """Pose in reduced coordinates; velocity of every body, as Box2D keeps it. Batched on the last axis inside the engine."""

    hull_pose: jax.Array  # [3]: x, y of the hull's centre of mass [m], angle [rad]
    joints: jax.Array  # [2 (hip, knee), legs], rad
    hull_velocity: jax.Array  # [3]: vx, vy of the centre of mass [m/s], rate [rad/s]
    link_velocity: jax.Array  # [3, 2 (upper, lower), legs]: vx, vy of the centres [m/s], absolute rates [rad/s]
    impulses: jax.Array  # [10 (rows), legs], N s or N m s: what held the constraints in the last step, the guess for the next


class Posture(struct.PyTreeNode):
    """Directions and arms that follow from the angles alone."""

    hip: jax.Array  # [2, legs, N], m: from the hull's centre of mass to the hips
    axis: jax.Array  # [2, 2 (upper, lower), legs, N]: unit vector along a link, from its upper end to its lower end


def dot(a: jax.Array, b: jax.Array) -> jax.Array:
    """Scalar product over the first axis, (x, y)."""
    return a[0] * b[0] + a[1] * b[1]


def perpendicular(a: jax.Array) -> jax.Array:
    """`a` [2, ...] turned by a quarter: the velocity of its tip when it turns at 1 rad/s."""
    return jnp.stack([-a[1], a[0]])


def link_angles(body: Body, hull_angle: jax.Array, joints: jax.Array) -> jax.Array:
    """Absolute angles [2 (upper, lower), legs, N] of the links."""
    upper = hull_angle[None] + joints[0] + np.array(body.rest_angles, np.float32)[:, None]
    return jnp.stack([upper, upper + joints[1]])


def posture(body: Body, hull_angle: jax.Array, angles: jax.Array) -> Posture:
    """The posture at hull angle [N] and absolute link angles [2, legs, N]."""
    _, centre, _ = body.hull_mass
    arm = np.array((np.array(body.hips) - centre).T, np.float32)[:, :, None]  # [2, legs, 1]
    cos, sin = jnp.cos(hull_angle)[None], jnp.sin(hull_angle)[None]
    hip = jnp.stack([cos * arm[0] - sin * arm[1], sin * arm[0] + cos * arm[1]])
    return Posture(hip=hip, axis=jnp.stack([jnp.sin(angles), -jnp.cos(angles)]))


def link_tops(body: Body, hull_pose: jax.Array, shape: Posture) -> jax.Array:
    """World position of the upper end of each link, hips and knees: [2, 2 (upper, lower), legs, N], m."""
    hips = hull_pose[:2, None] + shape.hip
    return jnp.stack([hips, hips + body.link_length * shape.axis[:, 0]], axis=1)


def hull_origin(body: Body, hull_pose: jax.Array) -> jax.Array:
    """World position [2, N] of the hull's origin, from which reward and lidar are measured."""
    _, (x, y), _ = body.hull_mass
    cos, sin = jnp.cos(hull_pose[2]), jnp.sin(hull_pose[2])
    return hull_pose[:2] - jnp.stack([cos * x - sin * y, sin * x + cos * y])


def hull_vertices(body: Body, hull_pose: jax.Array) -> jax.Array:
    """World position [2, vertices, N] of the hull's corners."""
    corners = np.array(np.array(body.hull) - body.hull_mass[1], np.float32).T[:, :, None]
    cos, sin = jnp.cos(hull_pose[2])[None], jnp.sin(hull_pose[2])[None]
    return hull_pose[:2, None] + jnp.stack([cos * corners[0] - sin * corners[1], sin * corners[0] + cos * corners[1]])


def link_corners(body: Body, tops: jax.Array, axis: jax.Array) -> jax.Array:
    """World position [2, 4 (corners), 2 (upper, lower), legs, N] of the links' corners, counter-clockwise from the top right."""
    side = perpendicular(axis) * np.array(body.link_widths, np.float32)[None, :, None, None] / 2
    end = tops + body.link_length * axis
    return jnp.stack([tops + side, tops - side, end - side, end + side], axis=1)


def outline(body: Body, state: WalkerState) -> list[jax.Array]:
    """The walker's polygons in the world, counter-clockwise: hull [vertices, 2], then every link [4, 2], leg by leg, upper first."""
    pose = state.hull_pose[:, None]
    shape = posture(body, pose[2], link_angles(body, pose[2], state.joints[..., None]))
    corners = link_corners(body, link_tops(body, pose, shape), shape.axis)[..., 0]
    links = [corners[:, :, part, leg].T for leg in range(body.num_legs) for part in range(2)]
    return [hull_vertices(body, pose)[..., 0].T, *links]
