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

from jaxcurriculum.device.xla import short_sum
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.kinematics import TIME_STEP
from jaxcurriculum.envs.walker.engine.plane import wrench
from jaxcurriculum.envs.walker.engine.position_errors import (
    Active,
    ContactErrors,
    Errors,
    JointErrors,
    Pair,
    Poses,
    find_errors,
)

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


class Pull(NamedTuple):
    """What a joint's two bodies do, [3, N] each, to close a unit of separation along x or y."""

    along_x: Pair
    along_y: Pair


def correct_positions(walker: Anatomy, start: Poses, velocity: Poses, active: Active) -> Poses:
    """The poses after a step at `velocity`, with errors in `active` constraints corrected."""
    free = start.after(TIME_STEP, velocity)
    errors = find_errors(walker, start, free, active)
    hull, *links = _passes(inverse_mass(walker), errors)
    moved = jnp.stack(links, axis=1)
    by_leg = moved.reshape(3, -1, 2, moved.shape[-1])
    return Poses(hull=free.hull + hull, links=free.links + by_leg.swapaxes(1, 2))


def inverse_mass(walker: Anatomy) -> list[jax.Array]:
    """One over (mass, mass, inertia) of the hull and of all links, leg by leg, [3, N] each."""
    hull = jnp.stack([walker.hull_mass, walker.hull_mass, walker.hull_inertia])
    mass, inertia = walker.mass[:, 0], walker.inertia[:, 0]
    upper, lower = 1 / jnp.stack([mass, mass, inertia], axis=1)
    links = [upper, lower] * walker.body.num_legs
    return [1 / hull, *links]


def _passes(inverse_mass: list[jax.Array], errors: Errors) -> tuple[jax.Array, ...]:
    """How far the passes move each body, [3, N] of each."""
    num_links = len(inverse_mass) - 1
    links = range(num_links)
    joints = _joint_order(num_links)
    pushes = [_pushes(errors.of_link(link), inverse_mass[link + 1]) for link in links]
    pulls = {}
    for joint in joints:
        of_bodies = _of_joint(joint, inverse_mass)
        pulls[joint] = _pull(errors.of_joint(joint).arms, of_bodies)
    num_single = SINGLE if num_links <= 4 else SINGLE_MANY_LEGS
    num_passes = num_single + (NUM_PASSES - num_single) // 5

    def one_pass(number, carry):
        bodies, active = list(carry[0]), carry[1]
        rate = active * jnp.where(number < num_single, BAUMGARTE, 1.0)
        done = active >= 0
        for link in links:
            body = link + 1
            contacts = errors.of_link(link)
            bodies[body], is_small = _separate(contacts, pushes[link], bodies[body], rate)
            done = done & is_small
        for joint in joints:
            wrong = errors.of_joint(joint)
            moved = _of_joint(joint, bodies)
            inverse_inertia = Pair(*(x[2] for x in _of_joint(joint, inverse_mass)))
            moved, keeps_limits = _limit(wrong, inverse_inertia, moved, active)
            moved, is_closed = _join(wrong, pulls[joint], moved, active)
            bodies[_parent(joint)], bodies[joint + 1] = moved
            done = done & (keeps_limits & is_closed)
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


def _of_joint(joint: int, bodies: list[jax.Array]) -> Pair:
    """The entries of a joint's two bodies."""
    return Pair(bodies[_parent(joint)], bodies[joint + 1])


def _pushes(contacts: ContactErrors, inverse_mass: jax.Array) -> list[jax.Array]:
    """What a link does, [3, N], when each of its contacts pushes it by a unit of its gap."""
    pushes = []
    for point in range(2):
        row = contacts.normal_row[:, point]
        gained = short_sum(row * row * inverse_mass)
        pushes.append(inverse_mass * row / gained[None])
    return pushes


def _pull(arms: Pair, inverse_mass: Pair) -> Pull:
    """How a joint at the end of these arms, [2, N] each, moves bodies of these inverse masses,
    [3, N] each.
    """
    x, y = jnp.stack(arms, axis=1)
    of_first, of_second = inverse_mass
    inverse_inertia = jnp.stack([of_first[2], of_second[2]])
    straight = of_first[0] + of_second[0]
    xx = straight + short_sum(inverse_inertia * y * y)
    xy = -short_sum(inverse_inertia * x * y)
    yy = straight + short_sum(inverse_inertia * x * x)
    scale = 1.0 / (xx * yy - xy * xy)

    def moved_by(force_x, force_y):
        force = jnp.stack([force_x, force_y])
        first = of_first * wrench(force, arms.first)
        second = of_second * wrench(force, arms.second)
        return Pair(first, -second)

    return Pull(
        along_x=moved_by(yy * scale, -xy * scale),
        along_y=moved_by(-xy * scale, xx * scale),
    )


def _separate(
    contacts: ContactErrors, pushes: list[jax.Array], pose: jax.Array, rate: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """A link's `pose` [3, N] after both its contacts pushed it, and whether both had a small error,
    [N] bool.
    """
    is_small = rate >= 0
    for point, push in enumerate(pushes):
        row = contacts.normal_row[:, point]
        gap = contacts.gap[point] + short_sum(row * pose)
        is_small = is_small & (gap >= SLOP)
        missing = rate * jnp.maximum(REST_GAP - gap, 0.0)
        pose = pose + push * missing[None]
    return pose, is_small


def _limit(
    wrong: JointErrors, inverse_inertia: Pair, moved: Pair, active: jax.Array
) -> tuple[Pair, jax.Array]:
    """How far a joint's two bodies have moved, [3, N] each, once its limits rotated them, and
    whether both had a small error, [N] bool.
    """
    first, second = moved
    angle = second[2] - first[2]
    below = wrong.below - angle
    above = wrong.above + angle
    forth = jnp.clip(below - LIMIT_SLOP, 0.0, MOST_ANGLE)
    back = jnp.clip(above - LIMIT_SLOP, 0.0, MOST_ANGLE)
    of_first, of_second = inverse_inertia
    moment = active * (forth - back) / (of_first + of_second)
    only_angle = np.array([0.0, 0.0, 1.0], np.float32)[:, None]
    first = first - only_angle * (of_first * moment)[None]
    second = second + only_angle * (of_second * moment)[None]
    return Pair(first, second), jnp.maximum(below, above) <= LIMIT_SLOP


def _join(wrong: JointErrors, pull: Pull, moved: Pair, active: jax.Array) -> tuple[Pair, jax.Array]:
    """How far a joint's two bodies have moved, [3, N] each, once it pulled its ends together, and
    whether these were near each other, [N] bool.
    """
    first, second = moved
    first_arm, second_arm = wrong.arms
    x, y = wrong.separation
    x = x + second[0] - second[2] * second_arm[1]
    x = x - first[0] + first[2] * first_arm[1]
    y = y + second[1] + second[2] * second_arm[0]
    y = y - first[1] - first[2] * first_arm[0]
    is_closed = x * x + y * y <= SLOP * SLOP
    x, y = (active * x)[None], (active * y)[None]
    along_x, along_y = pull
    first = first + along_x.first * x + along_y.first * y
    second = second + along_x.second * x + along_y.second * y
    return Pair(first, second), is_closed
