"""Where a walker's bodies end after a step: they move freely, then Box2D's position correction brings them back together.

The correction goes in passes over contacts, joint limits and joints, one after another. Each moves the bodies that it concerns by what
takes its error away, or a part of it, every body with its own mass: a contact pushes a link out, its joint pulls it back, and a little
of the push reaches the hull. A pass that finds only small errors is a walker's last, so joints stay up to `SLOP` apart.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.contact import SKIN, Contacts
from jaxcurriculum.envs.walker.kinematics import cross, dot, fold, moved, perpendicular, posture
from jaxcurriculum.envs.walker.surfaces import FAR

SLOP = 0.005  # m: how far apart the ends of a joint may stay, and how near a link may stay to the track
REST_GAP = 0.015  # m: where contacts are pushed to
BAUMGARTE = 0.2  # how much of the way there in a pass
LIMIT_SLOP = np.deg2rad(2)  # rad: how far past its limit a joint may stay
MOST_TURN = np.deg2rad(8)  # rad: what a pass takes back at most
PASSES = 20
SINGLE = 10  # Box2D does up to 60: so many passes are its own, and the others stand for five each, by pushing contacts all the way


class Poses(struct.PyTreeNode):
    """Where all bodies are, or how fast they change that."""

    hull: jax.Array  # [3 (x, y, angle), N], m and rad
    links: jax.Array  # [3, 2 (upper, lower), legs, N], of their centres


class Errors(struct.PyTreeNode):
    """What is wrong after free motion. Joints are in a row, leg by leg: hip, knee. So are links; joint j holds link j."""

    arms: jax.Array  # [2 (x, y), 2 (ends), joints, N], m: from the centres of a joint's two bodies to it
    apart: jax.Array  # [2, joints, N], m: from the first body's end to the second's
    below: jax.Array  # [joints, N], rad: how far joints that began at their lower limit are past it; -FAR for others
    above: jax.Array  # [joints, N], rad: the same for upper limits
    gap: jax.Array  # [2 (points), links, N], m; FAR where nothing touches
    pushed: jax.Array  # [3, 2 (points), links, N]: speed along the normal of each contact, as a row on its link


def settle(
    walker: Anatomy, start: Poses, velocity: Poses, contacts: Contacts, at_lower: jax.Array, at_upper: jax.Array, step: float
) -> Poses:
    """The poses after `step` seconds at `velocity`, with contacts [2 (points), 2 (links), legs, N] and limits [2 (joints), legs, N]."""
    free = jax.tree.map(lambda pose, rate: pose + step * rate, start, velocity)
    change = _correct(_masses(walker), _find(walker, start, free, contacts, at_lower, at_upper))
    links = jnp.stack(change[1:], axis=1).reshape(3, -1, 2, free.hull.shape[-1])
    return Poses(hull=free.hull + change[0], links=free.links + links.swapaxes(1, 2))


def _find(walker: Anatomy, start: Poses, free: Poses, contacts: Contacts, at_lower: jax.Array, at_upper: jax.Array) -> Errors:
    shape = posture(walker, free.hull[2], free.links[2])
    half = walker.length[None] / 2 * shape.axis  # from a link's centre to its lower end
    arms = jnp.stack([jnp.stack([shape.hip, half[:, 0]], axis=1), -half], axis=1)  # [2, 2 (ends), 2 (joints), legs, N]
    first = jnp.stack([jnp.broadcast_to(free.hull[:2, None], free.links[:2, 0].shape), free.links[:2, 0]], axis=1)
    apart = free.links[:2] + arms[:, 1] - first - arms[:, 0]

    angle = free.links[2] - jnp.concatenate([free.hull[2][None, None] + walker.rest_angles[None], free.links[2, :1]])
    lower, upper = (np.array(limits, np.float32)[:, None, None] for limits in (walker.body.joint_lower, walker.body.joint_upper))

    at_start = contacts.point - start.links[:2][:, None]
    shift = free.links - start.links
    along = moved(at_start, shift[:2], shift[2])
    arm = at_start + along - shift[:2][:, None]
    return Errors(
        arms=_leg_by_leg(arms),
        apart=_leg_by_leg(apart),
        below=_leg_by_leg(jnp.where(at_lower, lower - angle, -FAR)),
        above=_leg_by_leg(jnp.where(at_upper, angle - upper, -FAR)),
        gap=_leg_by_leg(jnp.where(contacts.gap < SKIN, contacts.gap + dot(contacts.normal, along), FAR)),
        pushed=_leg_by_leg(jnp.concatenate([contacts.normal, cross(arm, contacts.normal)[None]])),
    )


def _leg_by_leg(x: jax.Array) -> jax.Array:
    """[..., 2, legs, N] as [..., 2 legs, N]."""
    return x.swapaxes(-3, -2).reshape(*x.shape[:-3], -1, x.shape[-1])


def _masses(walker: Anatomy) -> list[jax.Array]:
    """One over (mass, mass, inertia) of the hull and of all links, leg by leg, [3, N] each."""
    hull = 1 / jnp.stack([walker.hull_mass, walker.hull_mass, walker.hull_inertia])
    upper, lower = 1 / jnp.stack([walker.mass[:, 0], walker.mass[:, 0], walker.inertia[:, 0]], axis=1)
    return [hull, *[upper, lower] * walker.body.num_legs]


def _correct(light: list[jax.Array], errors: Errors) -> tuple[jax.Array, ...]:
    """How far the passes move each body, [3, N] of each, with `light` one over its masses."""
    last = len(light) - 2
    # Box2D's order: the last knee, all hips from the last to the first, the other knees.
    order = [last, *range(last - 1, -1, -2), *range(1, last, 2)]
    stiff = {joint: _stiffness(errors.arms[:, :, joint], light[_first(joint)], light[joint + 1]) for joint in order}

    def one_pass(number, carry):
        before, done = carry
        bodies, rate = list(before), jnp.where(number < SINGLE, BAUMGARTE, 1.0)
        content = jnp.full_like(done, True)
        for link in range(len(light) - 1):
            bodies[link + 1], fine = _push_out(errors, link, light[link + 1], bodies[link + 1], rate)
            content = content & fine
        for joint in order:
            a, b = _first(joint), joint + 1
            bodies[a], bodies[b], fine = _join(errors, joint, (light[a], light[b]), (bodies[a], bodies[b]), stiff[joint])
            content = content & fine
        return tuple(jnp.where(done[None], old, new) for old, new in zip(before, bodies)), done | content

    still = jnp.zeros((3, errors.gap.shape[-1]))
    return jax.lax.fori_loop(0, PASSES, one_pass, ((still,) * len(light), still[0] > 0))[0]


def _first(joint: int) -> int:
    """The body above a joint: the hull, 0, for a hip, and the upper link for a knee."""
    return joint if joint % 2 else 0


def _stiffness(arms: jax.Array, first: jax.Array, second: jax.Array) -> jax.Array:
    """The impulse along x and y that moves the ends of a joint, at `arms` [2, 2 (ends), N], by a unit of x or y: (xx, xy, yy)."""
    (x, y), turn, free = arms, jnp.stack([first[2], second[2]]), first[0] + second[0]
    xx, xy, yy = free + fold(jnp.add, turn * y * y), -fold(jnp.add, turn * x * y), free + fold(jnp.add, turn * x * x)
    return jnp.stack([yy, -xy, xx]) / (xx * yy - xy * xy)[None]


def _push_out(errors: Errors, link: int, light: jax.Array, pose: jax.Array, rate: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A link's `pose` [3, N] after both its contacts pushed it, and whether they were content, [N] bool."""
    content = pose[0] < jnp.inf
    for point in range(2):
        row = errors.pushed[:, point, link]
        gap = errors.gap[point, link] + fold(jnp.add, row * pose)
        content = content & (gap >= SLOP)
        way = rate * jnp.maximum(REST_GAP - gap, 0.0) / fold(jnp.add, row * row * light)
        pose = pose + light * row * way[None]
    return pose, content


def _join(errors: Errors, joint: int, light, poses, stiff: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """The poses [3, N] of a joint's two bodies after its limit and the joint itself moved them, and whether both were content."""
    first, second = poses
    turned = second[2] - first[2]
    below, above = errors.below[joint] - turned, errors.above[joint] + turned
    back = jnp.clip(below - LIMIT_SLOP, 0.0, MOST_TURN) - jnp.clip(above - LIMIT_SLOP, 0.0, MOST_TURN)
    ease = back / (light[0][2] + light[1][2])
    first, second = _turned(first, -light[0][2] * ease), _turned(second, light[1][2] * ease)

    one, two = errors.arms[:, 0, joint], errors.arms[:, 1, joint]
    apart = errors.apart[:, joint] + second[:2] + second[2:] * perpendicular(two) - first[:2] - first[2:] * perpendicular(one)
    pull = -jnp.stack([stiff[0] * apart[0] + stiff[1] * apart[1], stiff[1] * apart[0] + stiff[2] * apart[1]])
    first = first - light[0] * jnp.concatenate([pull, cross(one, pull)[None]])
    second = second + light[1] * jnp.concatenate([pull, cross(two, pull)[None]])
    return first, second, (jnp.maximum(below, above) <= LIMIT_SLOP) & (dot(apart, apart) <= SLOP * SLOP)


def _turned(pose: jax.Array, angle: jax.Array) -> jax.Array:
    return jnp.stack([pose[0], pose[1], pose[2] + angle])
