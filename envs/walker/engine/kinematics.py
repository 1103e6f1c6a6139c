"""Where a walker's links are. Arrays have their small axes first and the batch last: [2 (x, y),
2 (upper, lower), legs, N].
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy


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
    # [10 (rows), legs], N s or N m s: what held the constraints in the last step, the guess for the
    # next
    impulses: jax.Array
    flags: Any = None  # `contact_flags.ContactFlags` where flags are gymnasium's


class Posture(struct.PyTreeNode):
    """Directions and arms that follow from the angles alone."""

    hip: jax.Array  # [2, legs, N], m: from the hull's centre of mass to the hips
    # [2, 2 (upper, lower), legs, N]: unit vector along a link, from its upper end to its lower end
    axis: jax.Array


def dot(a: jax.Array, b: jax.Array) -> jax.Array:
    """Scalar product over the first axis, (x, y)."""
    return a[0] * b[0] + a[1] * b[1]


def perpendicular(a: jax.Array) -> jax.Array:
    """`a` [2, ...] turned by a quarter: the velocity of its tip when it turns at 1 rad/s."""
    return jnp.stack([-a[1], a[0]])


def cross(a: jax.Array, b: jax.Array) -> jax.Array:
    """Turning moment of `b` [2, ...] at the end of the arm `a` [2, ...]."""
    return a[0] * b[1] - a[1] * b[0]


def fold(
    operation: Callable[[jax.Array, jax.Array], jax.Array], x: jax.Array, axis: int = 0
) -> jax.Array:
    """`operation` over all entries of a short axis, one after another: fold(jnp.add, x) is
    x.sum(0).

    XLA's CPU compiler gives reductions to a library, call by call, which costs more than a walker's
    few numbers take.
    """
    return functools.reduce(
        operation, [x[(slice(None),) * axis + (i,)] for i in range(x.shape[axis])]
    )


def sin_cos(angle: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Sine and cosine of angles up to a thousand turns, to 10^-6: Taylor's series about the nearest
    quarter turn.

    XLA's CPU compiler asks the C library for them, number by number.
    """
    quarters = jnp.round(angle * (2 / np.pi))
    # the first factor has few bits, so that nothing is lost
    x = angle - quarters * 1.5703125 - quarters * (np.pi / 2 - 1.5703125)
    square = x * x
    sin = x * (1 - square / 6 * (1 - square / 20 * (1 - square / 42 * (1 - square / 72))))
    cos = 1 - square / 2 * (1 - square / 12 * (1 - square / 30 * (1 - square / 56)))
    number = quarters.astype(jnp.int32) & 3
    odd = (number & 1) == 1
    sin, cos = jnp.where(odd, cos, sin), jnp.where(odd, sin, cos)
    return jnp.where(number >= 2, -sin, sin), jnp.where((number == 1) | (number == 2), -cos, cos)


def rotated(vector: jax.Array, spin: tuple[jax.Array, jax.Array]) -> jax.Array:
    """Vectors [2, ...] turned by angles whose sines and cosines [...] are `spin`."""
    sin, cos = spin
    return jnp.stack([cos * vector[0] - sin * vector[1], sin * vector[0] + cos * vector[1]])


def link_angles(walker: Anatomy, hull_angle: jax.Array, joints: jax.Array) -> jax.Array:
    """Absolute angles [2 (upper, lower), legs, N] of the links."""
    upper = hull_angle[None] + joints[0] + walker.rest_angles
    return jnp.stack([upper, upper + joints[1]])


def joint_angles(walker: Anatomy, hull_angle: jax.Array, angles: jax.Array) -> jax.Array:
    """The angles [2 (hip, knee), legs, N] of joints whose links have these absolute angles."""
    return jnp.stack([angles[0] - hull_angle[None] - walker.rest_angles, angles[1] - angles[0]])


def turn(points: jax.Array, angle: jax.Array) -> jax.Array:
    """`points` [2, ..., N] turned about the origin by `angle` [N]."""
    return rotated(points, sin_cos(angle.reshape(*[1] * (points.ndim - 2), -1)))


def posture(walker: Anatomy, hull_angle: jax.Array, angles: jax.Array) -> Posture:
    """The posture at hull angle [N] and absolute link angles [2, legs, N]."""
    sin, cos = sin_cos(angles)
    return Posture(hip=turn(walker.hips, hull_angle), axis=jnp.stack([sin, -cos]))


def link_tops(walker: Anatomy, hull_pose: jax.Array, shape: Posture) -> jax.Array:
    """World position of the upper end of each link, hips and knees: [2, 2 (upper, lower), legs,
    N], m.
    """
    hips = hull_pose[:2, None] + shape.hip
    return jnp.stack([hips, hips + walker.length[:1] * shape.axis[:, 0]], axis=1)


def hull_origin(walker: Anatomy, hull_pose: jax.Array) -> jax.Array:
    """World position [2, N] of the hull's origin, from which reward and lidar are measured."""
    return hull_pose[:2] - turn(walker.centre, hull_pose[2])


def hull_corners(walker: Anatomy, hull_pose: jax.Array) -> jax.Array:
    """World position [2, corners, N] of the hull's corners, counter-clockwise."""
    return hull_pose[:2, None] + turn(walker.hull, hull_pose[2])


def link_corners(walker: Anatomy, tops: jax.Array, axis: jax.Array) -> jax.Array:
    """World position [2, 4 (corners), 2 (upper, lower), legs, N] of the links' corners,
    counter-clockwise from the top right.
    """
    side = perpendicular(axis) * walker.width[None] / 2
    end = tops + walker.length[None] * axis
    return jnp.stack([tops + side, tops - side, end - side, end + side], axis=1)


def outline(walker: Anatomy, state: WalkerState) -> list[jax.Array]:
    """The walker's polygons in the world, counter-clockwise: hull [corners, 2], then every link
    [4, 2], leg by leg, upper first.
    """
    pose = state.hull_pose[:, None]
    shape = posture(walker, pose[2], link_angles(walker, pose[2], state.joints[..., None]))
    corners = link_corners(
        walker, link_tops(walker, pose, shape) + state.offset[..., None], shape.axis
    )[..., 0]
    links = [corners[:, :, part, leg].T for leg in range(corners.shape[-1]) for part in range(2)]
    return [hull_corners(walker, pose)[..., 0].T, *links]
