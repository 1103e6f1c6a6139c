"""Constraints on a walker as rows.

A row is one speed that something bounds: a joint's rate (motor and limit), or the speed of a
contact point along its normal or its tangent. With J the row, an impulse p along it changes the
motion by A^-1 J^T p and the row's own speed by p / mass. A row touches the hull's three numbers and
two of its own leg (`mass.Motion`), so it is five numbers long. Row order: hip, knee, then four
normals, then the four tangents of the same points.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.device.xla import short_sum
from jaxcurriculum.envs.walker.engine.contact import Contacts
from jaxcurriculum.envs.walker.engine.mass import MassMatrix, Motion
from jaxcurriculum.envs.walker.engine.plane import dot, perpendicular

JOINTS, NORMALS, TANGENTS = range(0, 2), range(2, 6), range(6, 10)


class Rows(struct.PyTreeNode):
    """All rows of a walker: hull (vx, vy, rate), then upper and lower link of the row's leg."""

    jacobian: jax.Array  # [10 (rows), legs, 5, N]
    response: jax.Array  # [10, legs, 5, N]: the motion that a unit impulse makes
    mass: jax.Array  # [10, legs, N]: impulse for a unit of speed


def make_rows(mass: MassMatrix, tops: jax.Array, contacts: Contacts) -> Rows:
    """The rows at one posture.

    Args:
      tops: [2, 2, legs, N], m: the links' upper ends.
      contacts: [2 (points), 2 (links), legs, N].
    """
    hull, links = _contact_rows(mass, tops, contacts)
    zero = jnp.zeros_like(hull[0, :1])
    one = jnp.ones_like(hull[0, :1])
    both = jnp.concatenate([zero, zero])
    # A hip rotates against the hull, a knee against the upper link.
    hull_rate = jnp.concatenate([-one, zero])
    upper_rate = jnp.concatenate([one, -one])
    lower_rate = jnp.concatenate([zero, one])
    joints_hull = jnp.stack([both, both, hull_rate])
    joints_links = jnp.stack([upper_rate, lower_rate])
    hull = jnp.concatenate([joints_hull, hull], axis=1)  # [3, 10, legs, N]
    links = jnp.concatenate([joints_links, links], axis=1)  # [2, 10, legs, N]

    upper, lower = links[:, None]
    by_upper = mass.coupling[:, 0, None] * upper
    by_lower = mass.coupling[:, 1, None] * lower
    hull = hull - by_upper - by_lower
    jacobian = jnp.concatenate([hull, links])
    of_hull, of_leg = mass.solve_hull(hull), mass.solve_leg(links)
    response = jnp.concatenate([of_hull, of_leg])
    # Five numbers that are used together lie together.
    return Rows(
        jacobian=jnp.stack(list(jacobian), axis=2),
        response=jnp.stack(list(response), axis=2),
        mass=1.0 / short_sum(jacobian * response),
    )


def _contact_rows(
    mass: MassMatrix, tops: jax.Array, contacts: Contacts
) -> tuple[jax.Array, jax.Array]:
    """Normal and tangential rows before elimination: hull part [3, 8, legs, N], link part [2
    (upper, lower), 8, legs, N].
    """
    normal = contacts.normal
    x, y = normal
    tangent = jnp.stack([y, -x])
    # [2, 2 (rows), 2 (points), 2 (links), legs, N]
    direction = jnp.stack([normal, tangent], axis=1)
    through_hip = dot(mass.hip_lever[:, None, None, None], direction)
    arm = perpendicular(contacts.point - tops[:, None])
    own = dot(arm[:, None], direction)
    knee_lever = 2 * mass.link_lever[:, 0][:, None, None]
    from_upper = dot(knee_lever, direction[:, :, :, 1])
    none = jnp.zeros_like(from_upper)
    own_upper, own_lower = own[:, :, 0], own[:, :, 1]
    upper = jnp.stack([own_upper, from_upper], axis=2)
    lower = jnp.stack([none, own_lower], axis=2)
    hull = jnp.concatenate([direction, through_hip[None]])
    links = jnp.stack([upper, lower])
    hull = hull.reshape(3, 8, *hull.shape[4:])
    return hull, links.reshape(2, 8, *links.shape[4:])


def row_speeds(jacobian: jax.Array, motion: Motion) -> jax.Array:
    """The speed along rows [rows, legs, 5, N] under `motion`, [rows, legs, N]."""
    speeds = [*motion.hull[:, None, None], *motion.links[:, None]]
    entries = enumerate(speeds)
    return jnp.asarray(sum(jacobian[:, :, i] * speed for i, speed in entries))
