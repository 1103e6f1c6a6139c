"""Where a walker's links are. Arrays have their small axes first and the batch last: [2 (x, y),
2 (upper, lower), legs, N].
"""

from __future__ import annotations

from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.device.xla import sin_cos
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.plane import perpendicular, rotate

TIME_STEP = 1 / 50  # s


class WalkerState(struct.PyTreeNode):
    """Pose in reduced coordinates; velocity of every body, as Box2D keeps it. Batched on the
    last axis inside the engine.
    """

    hull_pose: jax.Array  # [3]: x, y of the hull's centre of mass [m], angle [rad]
    joints: jax.Array  # [2 (hip, knee), legs], rad
    hull_velocity: jax.Array  # [3]: vx, vy of the centre of mass [m/s], rate [rad/s]
    # [3, 2 (upper, lower), legs]: vx, vy of the centres [m/s], absolute rates [rad/s]
    link_velocity: jax.Array
    # [2, 2 (upper, lower), legs], m: how far the centre of a link is off its joints
    offset: jax.Array
    # [10 (rows), legs], N s or N m s: what held the constraints in the last step, the first guess
    # for the next
    impulses: jax.Array
    flags: Any = None  # `senses.ContactFlags` where flags are gymnasium's


class Posture(struct.PyTreeNode):
    """Directions and arms that follow from the angles alone."""

    hip: jax.Array  # [2, legs, N], m: from the hull's centre of mass to the hips
    # [2, 2 (upper, lower), legs, N]: unit vector along a link, from its upper end to its lower end
    axis: jax.Array


class Limits(NamedTuple):
    """What belongs to the two limits of each joint, [2 (hip, knee), legs, N]."""

    lower: jax.Array
    upper: jax.Array


def joint_limits(walker: Anatomy) -> Limits:
    """The angles of the limits, rad, [2 (hip, knee), 1, 1]."""
    body = walker.body
    limits = np.array([body.joint_lower, body.joint_upper], np.float32)
    return Limits(*limits[..., None, None])


def link_angles(walker: Anatomy, hull_angle: jax.Array, joints: jax.Array) -> jax.Array:
    """Absolute angles [2 (upper, lower), legs, N] of the links."""
    upper = hull_angle[None] + joints[0] + walker.rest_angles
    return jnp.stack([upper, upper + joints[1]])


def joint_angles(walker: Anatomy, hull_angle: jax.Array, angles: jax.Array) -> jax.Array:
    """The angles [2 (hip, knee), legs, N] of joints whose links have these absolute angles."""
    hip = angles[0] - hull_angle[None] - walker.rest_angles
    return jnp.stack([hip, angles[1] - angles[0]])


def posture(walker: Anatomy, hull_angle: jax.Array, angles: jax.Array) -> Posture:
    """The posture at hull angle [N] and absolute link angles [2, legs, N]."""
    sin, cos = sin_cos(angles)
    hip = rotate(walker.hips, hull_angle)
    return Posture(hip=hip, axis=jnp.stack([sin, -cos]))


def posture_of(walker: Anatomy, state: WalkerState) -> Posture:
    """The posture in a state."""
    hull_angle = state.hull_pose[2]
    return posture(walker, hull_angle, link_angles(walker, hull_angle, state.joints))


def link_tops(walker: Anatomy, hull_pose: jax.Array, shape: Posture) -> jax.Array:
    """World position of the upper end of each link, hips and knees, m.

    Returns:
      [2, 2 (upper, lower), legs, N].
    """
    hips = hull_pose[:2, None] + shape.hip
    knees = hips + walker.length[:1] * shape.axis[:, 0]
    return jnp.stack([hips, knees], axis=1)


def hull_origin(walker: Anatomy, hull_pose: jax.Array) -> jax.Array:
    """World position [2, N] of the hull's origin, from which reward and lidar are measured."""
    return hull_pose[:2] - rotate(walker.centre, hull_pose[2])


def hull_corners(walker: Anatomy, hull_pose: jax.Array) -> jax.Array:
    """World position [2, corners, N] of the hull's corners, counter-clockwise."""
    return hull_pose[:2, None] + rotate(walker.hull, hull_pose[2])


def link_corners(walker: Anatomy, tops: jax.Array, axis: jax.Array) -> jax.Array:
    """World position of the links' corners, counter-clockwise from the top right.

    Returns:
      [2, 4 (corners), 2 (upper, lower), legs, N].
    """
    side = perpendicular(axis) * walker.width[None] / 2
    end = tops + walker.length[None] * axis
    corners = [tops + side, tops - side, end - side, end + side]
    return jnp.stack(corners, axis=1)


def outline(walker: Anatomy, state: WalkerState) -> list[jax.Array]:
    """The walker's polygons in the world, counter-clockwise: hull [corners, 2], then every link
    [4, 2], leg by leg, upper first.
    """
    pose = state.hull_pose[:, None]
    angles = link_angles(walker, pose[2], state.joints[..., None])
    shape = posture(walker, pose[2], angles)
    tops = link_tops(walker, pose, shape) + state.offset[..., None]
    corners = link_corners(walker, tops, shape.axis)[..., 0]
    hull = hull_corners(walker, pose)[..., 0]
    # [legs, 2 (upper, lower), 4, 2]
    links = corners.T.reshape(-1, *corners.T.shape[2:])
    return [hull.T, *links]
