"""Vectors [2 (x, y), ...] and rigid bodies in the plane. What belongs to a body, its pose,
velocity or a wrench on it, is [3 (x, y, angle), ...].
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp

from jaxcurriculum.device.xla import sin_cos


def dot(a: jax.Array, b: jax.Array) -> jax.Array:
    """Scalar product over the first axis, (x, y)."""
    return a[0] * b[0] + a[1] * b[1]


def perpendicular(a: jax.Array) -> jax.Array:
    """`a` [2, ...] rotated by a quarter: the velocity of its tip when it rotates at 1 rad/s."""
    return jnp.stack([-a[1], a[0]])


def cross(a: jax.Array, b: jax.Array) -> jax.Array:
    """Moment of `b` [2, ...] at the end of the arm `a` [2, ...]."""
    return a[0] * b[1] - a[1] * b[0]


def wrench(force: jax.Array, arm: jax.Array) -> jax.Array:
    """Force and moment of `force` [2, ...] at the end of `arm` [2, ...], [3, ...].

    With a unit vector for the force its product with a body's velocity is the speed of that point
    along the vector: it is a row of a Jacobian, too.

    >>> forwards, up = jnp.array([1.0, 0.0]), jnp.array([0.0, 2.0])
    >>> wrench(forwards, up).tolist()
    [1.0, 0.0, -2.0]
    """
    return jnp.stack([force[0], force[1], cross(arm, force)])


class Rotation(NamedTuple):
    """Rotations by angles [...]."""

    sin: jax.Array
    cos: jax.Array

    @classmethod
    def by(cls, angle: jax.Array) -> Rotation:
        """By `angle`, rad."""
        return cls(*sin_cos(angle))

    def of(self, vector: jax.Array) -> jax.Array:
        """`vector` [2, ...] rotated."""
        x = self.cos * vector[0] - self.sin * vector[1]
        y = self.sin * vector[0] + self.cos * vector[1]
        return jnp.stack([x, y])


class Displacement(NamedTuple):
    """How rigid bodies move: their centres shift, and they rotate about these."""

    centre: jax.Array  # [2, ...], m: before
    shift: jax.Array  # [2, ...], m
    rotation: Rotation  # [...]


def rotate(points: jax.Array, angle: jax.Array) -> jax.Array:
    """`points` [2, ..., N] rotated about the origin by `angle` [N]."""
    small_axes = [1] * (points.ndim - 2)
    return Rotation.by(angle.reshape(*small_axes, -1)).of(points)
