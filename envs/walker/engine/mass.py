"""The mass matrix of a walker and its inverse.

Generalised velocity: hull (vx, vy, rate) and the absolute rate of every link. Legs touch only
through the hull, so the matrix is an arrow of a 3 x 3 hull block M and, for each leg, a 2 x 2 block
L and a 3 x 2 coupling C:

    legs eliminated:     S = M - sum C L^-1 C^T,   E = C L^-1
    hull velocity:       v = S^-1 (hull momentum - sum E leg momentum)
    links' rates:        w = L^-1 leg momentum - E^T v

`Motion` keeps the first term of w instead of w: then an impulse on a leg changes the hull's three
numbers and that leg's two, and nothing else.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.device.xla import short_sum
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.kinematics import Posture
from jaxcurriculum.envs.walker.engine.plane import dot, perpendicular


class Motion(struct.PyTreeNode):
    """A generalised velocity (or displacement), with the links' rates relative to what the hull
    alone makes them do.
    """

    hull: jax.Array  # [3, N]
    links: jax.Array  # [2 (upper, lower), legs, N]: rates + E^T hull


class MassMatrix(struct.PyTreeNode):
    """Levers and the eliminated inverse at one posture."""

    hip_lever: jax.Array  # [2, legs, N], m: velocity of a hip at 1 rad/s of the hull
    # [2, 2 (upper, lower), legs, N], m: velocity of a link's centre at 1 rad/s of the link
    link_lever: jax.Array
    coupling: jax.Array  # [3, 2 (upper, lower), legs, N]: E
    leg_inverse: jax.Array  # [3, legs, N]: L^-1 as (upper upper, upper lower, lower lower)
    hull_inverse: jax.Array  # [6, N]: S^-1 as (00, 01, 02, 11, 12, 22)
    leg: jax.Array  # [2, 2, legs, N]: L
    hull: jax.Array  # [3, 3, N]: S

    def solve_hull(self, momentum: jax.Array) -> jax.Array:
        """S^-1 momentum, [3, ..., N]."""
        middle_axes = [1] * (momentum.ndim - 2)
        a = self.hull_inverse.reshape(6, *middle_axes, -1)
        x, y, w = momentum
        vx = a[0] * x + a[1] * y + a[2] * w
        vy = a[1] * x + a[3] * y + a[4] * w
        rate = a[2] * x + a[4] * y + a[5] * w
        return jnp.stack([vx, vy, rate])

    def solve_leg(self, momentum: jax.Array) -> jax.Array:
        """L^-1 momentum, [2 (upper, lower), ..., legs, N]."""
        upper, lower = momentum
        middle_axes = [1] * (upper.ndim - 2)
        d = self.leg_inverse.reshape(3, *middle_axes, *upper.shape[-2:])
        upper_rate = d[0] * upper + d[1] * lower
        lower_rate = d[1] * upper + d[2] * lower
        return jnp.stack([upper_rate, lower_rate])

    def rates(self, motion: Motion) -> jax.Array:
        """The links' absolute rates, [2 (upper, lower), legs, N]."""
        taken = self.coupling * motion.hull[:, None, None]
        return motion.links - short_sum(taken)


def mass_matrix(walker: Anatomy, shape: Posture) -> MassMatrix:
    """Assemble and eliminate the mass matrix at a posture."""
    hip = perpendicular(shape.hip)
    link = walker.length[None] / 2 * perpendicular(shape.axis)
    leg, leg_inverse = _leg_block(walker, link)
    coupling, block = _coupling(walker, hip, link, leg_inverse)

    m_upper, m_lower = walker.mass
    leg_mass = (m_upper + m_lower)[0]
    total = walker.hull_mass + hip.shape[1] * leg_mass
    moment = walker.hull_inertia + leg_mass * short_sum(dot(hip, hip))
    first_moment = leg_mass[None] * short_sum(hip, 1)

    def eliminated(i: int, j: int) -> jax.Array:
        return short_sum(short_sum(coupling[i] * block[j]))

    s00 = total - eliminated(0, 0)
    s11 = total - eliminated(1, 1)
    s22 = moment - eliminated(2, 2)
    s01 = -eliminated(0, 1)
    s02 = first_moment[0] - eliminated(0, 2)
    s12 = first_moment[1] - eliminated(1, 2)
    c00 = s11 * s22 - s12 * s12
    c01 = s02 * s12 - s01 * s22
    c02 = s01 * s12 - s02 * s11
    c11 = s00 * s22 - s02 * s02
    c12 = s02 * s01 - s00 * s12
    c22 = s00 * s11 - s01 * s01
    cofactors = jnp.stack([c00, c01, c02, c11, c12, c22])
    determinant = s00 * c00 + s01 * c01 + s02 * c02
    rows = [s00, s01, s02], [s01, s11, s12], [s02, s12, s22]
    return MassMatrix(
        hip_lever=hip,
        link_lever=link,
        coupling=coupling,
        leg_inverse=leg_inverse,
        hull_inverse=cofactors / determinant[None],
        leg=leg,
        hull=jnp.stack([jnp.stack(row) for row in rows]),
    )


def _leg_block(walker: Anatomy, link: jax.Array) -> tuple[jax.Array, jax.Array]:
    """L [2, 2, legs, N] of links with levers [2, 2, legs, N], and its inverse [3, legs, N]."""
    m_upper, m_lower = walker.mass  # each [1, N]
    i_upper, i_lower = walker.inertia
    half_upper, half_lower = walker.length / 2
    ul = 2 * m_lower * dot(link[:, 0], link[:, 1])
    uu = jnp.broadcast_to(i_upper + (m_upper + 4 * m_lower) * half_upper**2, ul.shape)
    ll = jnp.broadcast_to(i_lower + m_lower * half_lower**2, ul.shape)
    scale = 1.0 / (uu * ll - ul * ul)
    inverse = jnp.stack([ll * scale, -ul * scale, uu * scale])
    upper, lower = jnp.stack([uu, ul]), jnp.stack([ul, ll])
    return jnp.stack([upper, lower]), inverse


def _coupling(
    walker: Anatomy, hip: jax.Array, link: jax.Array, leg_inverse: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """E and C, [3, 2 (upper, lower), legs, N] each."""
    m_upper, m_lower = walker.mass
    # what each rate moves, through its own lever
    momentum = jnp.stack([m_upper + 2 * m_lower, m_lower])[None] * link
    moment = dot(hip[:, None], momentum)
    block = jnp.concatenate([momentum, moment[None]])
    by_upper, by_lower = block[:, 0], block[:, 1]
    upper = by_upper * leg_inverse[:1] + by_lower * leg_inverse[1:2]
    lower = by_upper * leg_inverse[1:2] + by_lower * leg_inverse[2:]
    return jnp.stack([upper, lower], axis=1), block


def project(walker: Anatomy, mass: MassMatrix, hull: jax.Array, links: jax.Array) -> Motion:
    """The joined motion nearest, in the mass metric, to bodies that move on their own.

        (J^T M J)^-1 J^T M (hull, links)

    `hull` [3, N] and `links` [3, 2 (upper, lower), legs, N] are velocities (vx, vy, rate) of each
    body's centre, or displacements.
    """
    momenta = walker.mass[None] * links[:2]
    upper, lower = momenta.swapaxes(0, 1)  # [2, legs, N] each
    both = upper + lower
    linear = walker.hull_mass[None] * hull[:2] + short_sum(both, 1)
    through_hips = short_sum(dot(mass.hip_lever, both))
    angular = walker.hull_inertia * hull[2] + through_hips
    momentum = jnp.concatenate([linear, angular[None]])
    below = jnp.stack([upper + 2 * lower, lower], axis=1)
    through_lever = dot(mass.link_lever, below)
    leg_momentum = walker.inertia * links[2] + through_lever
    coupled = mass.coupling * leg_momentum[None]
    eliminated = short_sum(short_sum(coupled, 1), 1)
    return Motion(
        hull=mass.solve_hull(momentum - eliminated),
        links=mass.solve_leg(leg_momentum),
    )


def body_velocities(mass: MassMatrix, motion: Motion) -> jax.Array:
    """Velocities (vx, vy, rate) of the links' centres under a joined motion.

    Returns:
      [3, 2 (upper, lower), legs, N].
    """
    rates = mass.rates(motion)
    swing = rates[None] * mass.link_lever
    linear, rate = motion.hull[:2, None], motion.hull[2:, None]
    hips = linear + rate * mass.hip_lever
    uppers = hips + swing[:, 0]
    lowers = uppers + swing[:, 0] + swing[:, 1]
    centres = jnp.stack([uppers, lowers], axis=1)
    return jnp.concatenate([centres, rates[None]])
