"""Where a walker's bodies end after a step: they move freely, then Box2D's position correction
brings them back together.

The correction goes in passes over contacts, joint limits and joints, one after another. Each moves
the bodies that it concerns by what takes its error away, or a part of it, every body with its own
mass: a contact pushes a link out, its joint pulls it back, and a little of the push reaches the
hull. A pass that finds only small errors is a walker's last, so the ends of joints stay up to
`SLOP` from each other.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.device.xla import short_sum, sin_cos
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.contact import SKIN, Contacts, move
from jaxcurriculum.envs.walker.engine.kinematics import cross, dot, posture
from jaxcurriculum.envs.walker.engine.surfaces import FAR

# m: what may stay between the ends of a joint, and how near a link may stay to the track
SLOP = 0.005
REST_GAP = 0.015  # m: where contacts are pushed to
BAUMGARTE = 0.2  # how much of the way there in a pass
LIMIT_SLOP = np.deg2rad(2)  # rad: how far past its limit a joint may stay
MOST_ANGLE = np.deg2rad(8)  # rad: what a pass takes back at most
NUM_PASSES = 60  # of Box2D, at most
# So many passes are Box2D's own; the others stand for five each, by pushing contacts all the way.
SINGLE = 10
SINGLE_MANY_LEGS = 60  # the same for more than two legs, whose hips all pull at the hull


class Poses(struct.PyTreeNode):
    """Where all bodies are, or how fast they change that."""

    hull: jax.Array  # [3 (x, y, angle), N], m and rad
    links: jax.Array  # [3, 2 (upper, lower), legs, N], of their centres


class Errors(struct.PyTreeNode):
    """What is wrong after free motion. Joints are in a row, leg by leg: hip, knee. So are links;
    joint j holds link j.
    """

    # [2 (x, y), 2 (ends), joints, N], m: from the centres of a joint's two bodies to it
    arms: jax.Array
    separation: jax.Array  # [2, joints, N], m: from the first body's end to the second's
    # [joints, N], rad: how far joints that began at their lower limit are past it; -FAR for others
    below: jax.Array
    above: jax.Array  # [joints, N], rad: the same for upper limits
    gap: jax.Array  # [2 (points), links, N], m; FAR where nothing touches
    # [3, 2 (points), links, N]: speed along the normal of each contact, as a row on its link
    normal_row: jax.Array


class JointPull(NamedTuple):
    """What a joint's two bodies do, [3, N], to close a unit of separation along x and along y."""

    first: tuple[jax.Array, jax.Array]
    second: tuple[jax.Array, jax.Array]


def correct_positions(
    walker: Anatomy,
    start: Poses,
    velocity: Poses,
    contacts: Contacts,
    at_lower: jax.Array,
    at_upper: jax.Array,
    step: float,
) -> Poses:
    """The poses after `step` seconds at `velocity`.

    Args:
      contacts: [2 (points), 2 (links), legs, N], at the beginning.
      at_lower, at_upper: whether joints began at their limits, [2 (joints), legs, N].
    """
    free = jax.tree.map(lambda pose, rate: pose + step * rate, start, velocity)
    errors = _find_errors(walker, start, free, contacts, at_lower, at_upper)
    hull, *links = _passes(inverse_mass(walker), errors)
    moved = jnp.stack(links, axis=1)
    by_leg = moved.reshape(3, -1, 2, moved.shape[-1])
    return Poses(hull=free.hull + hull, links=free.links + by_leg.swapaxes(1, 2))


def _find_errors(
    walker: Anatomy,
    start: Poses,
    free: Poses,
    contacts: Contacts,
    at_lower: jax.Array,
    at_upper: jax.Array,
) -> Errors:
    arms, separation = _joint_ends(walker, free)
    hull_angle = free.hull[2][None, None] + walker.rest_angles[None]
    parent_angle = jnp.concatenate([hull_angle, free.links[2, :1]])
    angle = free.links[2] - parent_angle
    lower = np.array(walker.body.joint_lower, np.float32)[:, None, None]
    upper = np.array(walker.body.joint_upper, np.float32)[:, None, None]

    moved = free.links - start.links
    rotation = sin_cos(moved[2])
    way, normal, arm = move(contacts, start.links[:2], moved[:2], rotation)
    gap = contacts.gap + dot(contacts.normal, way)
    return Errors(
        arms=_leg_by_leg(arms),
        separation=_leg_by_leg(separation),
        below=_leg_by_leg(jnp.where(at_lower, lower - angle, -FAR)),
        above=_leg_by_leg(jnp.where(at_upper, angle - upper, -FAR)),
        gap=_leg_by_leg(jnp.where(contacts.gap < SKIN, gap, FAR)),
        normal_row=_leg_by_leg(jnp.concatenate([normal, cross(arm, normal)[None]])),
    )


def _joint_ends(walker: Anatomy, free: Poses) -> tuple[jax.Array, jax.Array]:
    """Arms from the centres of each joint's two bodies to it, [2, 2 (ends), 2 (joints), legs, N],
    and the way from one end to the other, [2, 2 (joints), legs, N].
    """
    shape = posture(walker, free.hull[2], free.links[2])
    half = walker.length[None] / 2 * shape.axis  # from a link's centre to its lower end
    first_arms = jnp.stack([shape.hip, half[:, 0]], axis=1)
    arms = jnp.stack([first_arms, -half], axis=1)
    uppers = free.links[:2, 0]
    hull = jnp.broadcast_to(free.hull[:2, None], uppers.shape)
    first_centres = jnp.stack([hull, uppers], axis=1)
    return arms, free.links[:2] + arms[:, 1] - first_centres - arms[:, 0]


def _leg_by_leg(x: jax.Array) -> jax.Array:
    """[..., 2, legs, N] as [..., 2 legs, N]."""
    by_leg = x.swapaxes(-3, -2)
    return by_leg.reshape(*x.shape[:-3], -1, x.shape[-1])


def inverse_mass(walker: Anatomy) -> list[jax.Array]:
    """One over (mass, mass, inertia) of the hull and of all links, leg by leg, [3, N] each."""
    hull = 1 / jnp.stack([walker.hull_mass, walker.hull_mass, walker.hull_inertia])
    mass, inertia = walker.mass[:, 0], walker.inertia[:, 0]
    upper, lower = 1 / jnp.stack([mass, mass, inertia], axis=1)
    return [hull, *[upper, lower] * walker.body.num_legs]


def _passes(inverse_mass: list[jax.Array], errors: Errors) -> tuple[jax.Array, ...]:
    """How far the passes move each body, [3, N] of each."""
    num_links = len(inverse_mass) - 1

    def push(point, link):
        return _push(errors.normal_row[:, point, link], inverse_mass[link + 1])

    pushes = [[push(point, link) for point in range(2)] for link in range(num_links)]
    order = _joint_order(num_links)
    pulls = {
        joint: _pull(errors.arms[:, :, joint], *_of_joint(joint, inverse_mass)) for joint in order
    }
    num_single = SINGLE if num_links <= 4 else SINGLE_MANY_LEGS
    num_passes = num_single + (NUM_PASSES - num_single) // 5

    def one_pass(number, carry):
        bodies, active = list(carry[0]), carry[1]
        rate = active * jnp.where(number < num_single, BAUMGARTE, 1.0)
        done = active >= 0
        for link in range(num_links):
            pose = bodies[link + 1]
            bodies[link + 1], is_small = _separate(errors, link, pushes[link], pose, rate)
            done = done & is_small
        for joint in order:
            first, second, is_small = _join(
                errors,
                joint,
                _of_joint(joint, inverse_mass),
                pulls[joint],
                _of_joint(joint, bodies),
                active,
            )
            bodies[_parent(joint)], bodies[joint + 1] = first, second
            done = done & is_small
        return tuple(bodies), jnp.where(done, 0.0, active)

    still = jnp.zeros((3, errors.gap.shape[-1]))
    start = (still,) * len(inverse_mass), jnp.ones_like(still[0])
    return jax.lax.fori_loop(0, num_passes, one_pass, start)[0]


def _joint_order(num_joints: int) -> list[int]:
    """Box2D's: the last knee, all hips from the last to the first, the other knees."""
    last = num_joints - 1
    return [last, *range(last - 1, -1, -2), *range(1, last, 2)]


def _parent(joint: int) -> int:
    """The body above a joint: the hull, 0, for a hip, and the upper link for a knee."""
    return joint if joint % 2 else 0


def _of_joint(joint: int, bodies: list[jax.Array]) -> tuple[jax.Array, jax.Array]:
    """The entries of a joint's two bodies."""
    return bodies[_parent(joint)], bodies[joint + 1]


def _push(row: jax.Array, inverse_mass: jax.Array) -> jax.Array:
    """What a body does, [3, N], when a contact, its speed a row [3, N], pushes it by a unit of its
    gap.
    """
    return inverse_mass * row / short_sum(row * row * inverse_mass)[None]


def _pull(arms: jax.Array, first: jax.Array, second: jax.Array) -> JointPull:
    """How a joint with ends at `arms` [2, 2 (ends), N] moves two bodies of these inverse masses,
    [3, N] each.
    """
    x, y = arms
    inverse_inertia = jnp.stack([first[2], second[2]])
    straight = first[0] + second[0]
    xx = straight + short_sum(inverse_inertia * y * y)
    xy = -short_sum(inverse_inertia * x * y)
    yy = straight + short_sum(inverse_inertia * x * x)
    scale = 1.0 / (xx * yy - xy * xy)
    impulse_for_x = yy * scale, -xy * scale
    impulse_for_y = -xy * scale, xx * scale

    def moved(inverse_mass, end, impulse):
        along_x, along_y = impulse
        moment = arms[0, end] * along_y - arms[1, end] * along_x
        return inverse_mass * jnp.stack([along_x, along_y, moment])

    return JointPull(
        first=(moved(first, 0, impulse_for_x), moved(first, 0, impulse_for_y)),
        second=(-moved(second, 1, impulse_for_x), -moved(second, 1, impulse_for_y)),
    )


def _separate(
    errors: Errors, link: int, pushes: list[jax.Array], pose: jax.Array, rate: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """A link's `pose` [3, N] after both its contacts pushed it, and whether both had a small error,
    [N] bool.
    """
    is_small = rate >= 0
    for point in range(2):
        gap = errors.gap[point, link] + short_sum(errors.normal_row[:, point, link] * pose)
        is_small = is_small & (gap >= SLOP)
        missing = rate * jnp.maximum(REST_GAP - gap, 0.0)
        pose = pose + pushes[point] * missing[None]
    return pose, is_small


def _join(
    errors: Errors,
    joint: int,
    inverse_masses: tuple[jax.Array, jax.Array],
    pull: JointPull,
    poses: tuple[jax.Array, jax.Array],
    active: jax.Array,
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The poses [3, N] of a joint's two bodies after its limit and the joint itself moved them, and
    whether both had a small error, [N] bool.
    """
    first, second = poses
    inverse_inertia = inverse_masses[0][2], inverse_masses[1][2]
    angle = second[2] - first[2]
    below, above = errors.below[joint] - angle, errors.above[joint] + angle
    forth = jnp.clip(below - LIMIT_SLOP, 0.0, MOST_ANGLE)
    back = jnp.clip(above - LIMIT_SLOP, 0.0, MOST_ANGLE)
    moment = active * (forth - back) / (inverse_inertia[0] + inverse_inertia[1])
    only_angle = np.array([0.0, 0.0, 1.0], np.float32)[:, None]
    first = first - only_angle * (inverse_inertia[0] * moment)[None]
    second = second + only_angle * (inverse_inertia[1] * moment)[None]

    one, two = errors.arms[:, 0, joint], errors.arms[:, 1, joint]
    separation = errors.separation
    x = separation[0, joint] + second[0] - second[2] * two[1]
    x = x - first[0] + first[2] * one[1]
    y = separation[1, joint] + second[1] + second[2] * two[0]
    y = y - first[1] - first[2] * one[0]
    within_limits = jnp.maximum(below, above) <= LIMIT_SLOP
    is_small = within_limits & (x * x + y * y <= SLOP * SLOP)
    x, y = (active * x)[None], (active * y)[None]
    first = first + pull.first[0] * x + pull.first[1] * y
    second = second + pull.second[0] * x + pull.second[1] * y
    return first, second, is_small
