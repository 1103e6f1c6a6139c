"""Where a walker's bodies end after a step: they move freely, then Box2D's position correction
brings them back together.

The correction goes in passes over contacts, joint limits and joints, one after another. Each moves
the bodies that it concerns by what takes its error away, or a part of it, every body with its own
mass: a contact pushes a link out, its joint pulls it back, and a little of the push reaches the
hull. A pass that finds only small errors is a walker's last, so joints stay up to `SLOP` apart.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.contact import SKIN, Contacts, passing
from jaxcurriculum.envs.walker.engine.kinematics import cross, dot, fold, posture, sin_cos
from jaxcurriculum.envs.walker.engine.surfaces import FAR

# m: how far apart the ends of a joint may stay, and how near a link may stay to the track
SLOP = 0.005
REST_GAP = 0.015  # m: where contacts are pushed to
BAUMGARTE = 0.2  # how much of the way there in a pass
LIMIT_SLOP = np.deg2rad(2)  # rad: how far past its limit a joint may stay
MOST_TURN = np.deg2rad(8)  # rad: what a pass takes back at most
# Box2D does up to 60 passes: so many are its own, and the others stand for five each, by pushing
# contacts all the way
SINGLE = 10
SINGLE_MANY_LEGS = 60  # the same for more than two legs, whose hips all pull at the hull


class Poses(struct.PyTreeNode):
    """Where all bodies are, or how fast they change that."""

    hull: jax.Array  # [3 (x, y, angle), N], m and rad
    links: jax.Array  # [3, 2 (upper, lower), legs, N], of their centres


class Errors(struct.PyTreeNode):
    """What is wrong after free motion. Joints are in a row, leg by leg: hip, knee. So are
    links; joint j holds link j.
    """

    # [2 (x, y), 2 (ends), joints, N], m: from the centres of a joint's two bodies to it
    arms: jax.Array
    apart: jax.Array  # [2, joints, N], m: from the first body's end to the second's
    # [joints, N], rad: how far joints that began at their lower limit are past it; -FAR for others
    below: jax.Array
    above: jax.Array  # [joints, N], rad: the same for upper limits
    gap: jax.Array  # [2 (points), links, N], m; FAR where nothing touches
    # [3, 2 (points), links, N]: speed along the normal of each contact, as a row on its link
    pushed: jax.Array


def settle(
    walker: Anatomy,
    start: Poses,
    velocity: Poses,
    contacts: Contacts,
    at_lower: jax.Array,
    at_upper: jax.Array,
    step: float,
) -> Poses:
    """The poses after `step` seconds at `velocity`, with contacts [2 (points), 2 (links), legs,
    N] and limits [2 (joints), legs, N].
    """
    free = jax.tree.map(lambda pose, rate: pose + step * rate, start, velocity)
    change = _correct(_masses(walker), _find(walker, start, free, contacts, at_lower, at_upper))
    links = jnp.stack(change[1:], axis=1).reshape(3, -1, 2, free.hull.shape[-1])
    return Poses(hull=free.hull + change[0], links=free.links + links.swapaxes(1, 2))


def _find(
    walker: Anatomy,
    start: Poses,
    free: Poses,
    contacts: Contacts,
    at_lower: jax.Array,
    at_upper: jax.Array,
) -> Errors:
    shape = posture(walker, free.hull[2], free.links[2])
    half = walker.length[None] / 2 * shape.axis  # from a link's centre to its lower end
    arms = jnp.stack(
        [jnp.stack([shape.hip, half[:, 0]], axis=1), -half], axis=1
    )  # [2, 2 (ends), 2 (joints), legs, N]
    first = jnp.stack(
        [jnp.broadcast_to(free.hull[:2, None], free.links[:2, 0].shape), free.links[:2, 0]], axis=1
    )
    apart = free.links[:2] + arms[:, 1] - first - arms[:, 0]

    angle = free.links[2] - jnp.concatenate(
        [free.hull[2][None, None] + walker.rest_angles[None], free.links[2, :1]]
    )
    lower, upper = (
        np.array(limits, np.float32)[:, None, None]
        for limits in (walker.body.joint_lower, walker.body.joint_upper)
    )

    shift = free.links - start.links
    way, normal, arm = passing(contacts, start.links[:2], shift[:2], sin_cos(shift[2]))
    return Errors(
        arms=_leg_by_leg(arms),
        apart=_leg_by_leg(apart),
        below=_leg_by_leg(jnp.where(at_lower, lower - angle, -FAR)),
        above=_leg_by_leg(jnp.where(at_upper, angle - upper, -FAR)),
        gap=_leg_by_leg(
            jnp.where(contacts.gap < SKIN, contacts.gap + dot(contacts.normal, way), FAR)
        ),
        pushed=_leg_by_leg(jnp.concatenate([normal, cross(arm, normal)[None]])),
    )


def _leg_by_leg(x: jax.Array) -> jax.Array:
    """[..., 2, legs, N] as [..., 2 legs, N]."""
    return x.swapaxes(-3, -2).reshape(*x.shape[:-3], -1, x.shape[-1])


def _masses(walker: Anatomy) -> list[jax.Array]:
    """One over (mass, mass, inertia) of the hull and of all links, leg by leg, [3, N] each."""
    hull = 1 / jnp.stack([walker.hull_mass, walker.hull_mass, walker.hull_inertia])
    upper, lower = 1 / jnp.stack(
        [walker.mass[:, 0], walker.mass[:, 0], walker.inertia[:, 0]], axis=1
    )
    return [hull, *[upper, lower] * walker.body.num_legs]


def _correct(light: list[jax.Array], errors: Errors) -> tuple[jax.Array, ...]:
    """How far the passes move each body, [3, N] of each, with `light` one over its masses."""
    last = len(light) - 2
    # Box2D's order: the last knee, all hips from the last to the first, the other knees.
    order = [last, *range(last - 1, -1, -2), *range(1, last, 2)]
    pushes = [
        [_push(errors.pushed[:, point, link], light[link + 1]) for point in range(2)]
        for link in range(len(light) - 1)
    ]
    pulls = {
        joint: _pulls(errors.arms[:, :, joint], light[_first(joint)], light[joint + 1])
        for joint in order
    }

    num_legs = (len(light) - 1) // 2
    num_single = SINGLE if num_legs <= 2 else SINGLE_MANY_LEGS
    num_passes = num_single + (60 - num_single) // 5

    def one_pass(number, carry):
        bodies, busy = list(carry[0]), carry[1]
        rate, content = busy * jnp.where(number < num_single, BAUMGARTE, 1.0), busy >= 0
        for link in range(len(light) - 1):
            bodies[link + 1], fine = _separate(errors, link, pushes[link], bodies[link + 1], rate)
            content = content & fine
        for joint in order:
            a, b = _first(joint), joint + 1
            bodies[a], bodies[b], fine = _join(
                errors, joint, (light[a], light[b]), pulls[joint], (bodies[a], bodies[b]), busy
            )
            content = content & fine
        return tuple(bodies), jnp.where(content, 0.0, busy)

    still = jnp.zeros((3, errors.gap.shape[-1]))
    return jax.lax.fori_loop(
        0, num_passes, one_pass, ((still,) * len(light), jnp.ones_like(still[0]))
    )[0]


def _first(joint: int) -> int:
    """The body above a joint: the hull, 0, for a hip, and the upper link for a knee."""
    return joint if joint % 2 else 0


def _push(row: jax.Array, light: jax.Array) -> jax.Array:
    """What a body does, [3, N], when a contact, its speed a row [3, N], pushes it by a unit of
    its gap.
    """
    return light * row / fold(jnp.add, row * row * light)[None]


def _pulls(arms: jax.Array, first: jax.Array, second: jax.Array) -> list[list[jax.Array]]:
    """What a joint's two bodies do, [3, N], to close a gap of a unit of x and of y between its
    ends, at `arms` [2, 2 (ends), N].
    """
    (x, y), turn, free = arms, jnp.stack([first[2], second[2]]), first[0] + second[0]
    xx, xy, yy = (
        free + fold(jnp.add, turn * y * y),
        -fold(jnp.add, turn * x * y),
        free + fold(jnp.add, turn * x * x),
    )
    scale = 1.0 / (xx * yy - xy * xy)
    impulses = (
        (yy * scale, -xy * scale),
        (-xy * scale, xx * scale),
    )  # along x and y, for a gap along x and for one along y
    pull = lambda light, end, p, q: light * jnp.stack([p, q, arms[0, end] * q - arms[1, end] * p])
    return [
        [pull(first, 0, *impulse) for impulse in impulses],
        [-pull(second, 1, *impulse) for impulse in impulses],
    ]


def _separate(
    errors: Errors, link: int, pushes: list[jax.Array], pose: jax.Array, rate: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """A link's `pose` [3, N] after both its contacts pushed it, and whether they were content,
    [N] bool.
    """
    content = rate >= 0
    for point in range(2):
        gap = errors.gap[point, link] + fold(jnp.add, errors.pushed[:, point, link] * pose)
        content = content & (gap >= SLOP)
        pose = pose + pushes[point] * (rate * jnp.maximum(REST_GAP - gap, 0.0))[None]
    return pose, content


def _join(
    errors: Errors, joint: int, light, pulls, poses, busy: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The poses [3, N] of a joint's two bodies after its limit and the joint itself moved them,
    and whether both were content.
    """
    first, second = poses
    turned = second[2] - first[2]
    below, above = errors.below[joint] - turned, errors.above[joint] + turned
    back = jnp.clip(below - LIMIT_SLOP, 0.0, MOST_TURN) - jnp.clip(
        above - LIMIT_SLOP, 0.0, MOST_TURN
    )
    ease = busy * back / (light[0][2] + light[1][2])
    turn = np.array([0.0, 0.0, 1.0], np.float32)[:, None]
    first, second = (
        first - turn * (light[0][2] * ease)[None],
        second + turn * (light[1][2] * ease)[None],
    )

    one, two = errors.arms[:, 0, joint], errors.arms[:, 1, joint]
    x = errors.apart[0, joint] + second[0] - second[2] * two[1] - first[0] + first[2] * one[1]
    y = errors.apart[1, joint] + second[1] + second[2] * two[0] - first[1] - first[2] * one[0]
    content = (jnp.maximum(below, above) <= LIMIT_SLOP) & (x * x + y * y <= SLOP * SLOP)
    x, y = (busy * x)[None], (busy * y)[None]
    first, second = (pose + pull[0] * x + pull[1] * y for pose, pull in zip((first, second), pulls))
    return first, second, content
