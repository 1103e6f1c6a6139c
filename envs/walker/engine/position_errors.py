"""What is wrong with a walker's poses after its bodies moved freely: joints that came apart or past
their limits, links in the track.

Joints are in a row, leg by leg: hip, knee. So are links; joint j holds link j below it.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.contact import SKIN, Contacts
from jaxcurriculum.envs.walker.engine.kinematics import Limits, joint_limits, posture
from jaxcurriculum.envs.walker.engine.plane import Displacement, Rotation, wrench
from jaxcurriculum.envs.walker.engine.surfaces import FAR


class Poses(struct.PyTreeNode):
    """Where all bodies are, or how fast they change that."""

    hull: jax.Array  # [3 (x, y, angle), N], m and rad
    links: jax.Array  # [3, 2 (upper, lower), legs, N], of their centres

    def after(self, seconds: float, velocity: Poses) -> Poses:
        """The poses of bodies that move freely so long."""
        return jax.tree.map(lambda pose, rate: pose + seconds * rate, self, velocity)

    def displacement(self, end: Poses) -> Displacement:
        """The way of the links to the poses `end`."""
        way = end.links - self.links
        rotation = Rotation.by(way[2])
        return Displacement(centre=self.links[:2], shift=way[:2], rotation=rotation)


class Active(NamedTuple):
    """The constraints that a step begins with."""

    contacts: Contacts  # [2 (points), 2 (links), legs, N]
    limits: Limits  # bool: whether a joint is at it


class Pair(NamedTuple):
    """What the two bodies of a joint have: the hull or an upper link, and the link below it."""

    first: jax.Array
    second: jax.Array


class JointErrors(NamedTuple):
    """What is wrong with one joint."""

    arms: Pair  # [2, N], m: from the centres of its bodies to it
    separation: jax.Array  # [2, N], m: from the first body's end to the second's
    below: jax.Array  # [N], rad: how far it is past its lower limit
    above: jax.Array  # [N], rad: past its upper limit


class ContactErrors(NamedTuple):
    """How far one link is from the track."""

    gap: jax.Array  # [2 (points), N], m
    normal_row: jax.Array  # [3, 2 (points), N]


class Errors(struct.PyTreeNode):
    """What is wrong with all joints and links."""

    # [2 (x, y), 2 (ends), joints, N], m: from the centres of a joint's two bodies to it
    arms: jax.Array
    separation: jax.Array  # [2, joints, N], m: from the first body's end to the second's
    # [joints, N], rad: how far joints that began at their lower limit are past it; -FAR for others
    below: jax.Array
    above: jax.Array  # [joints, N], rad: the same for upper limits
    gap: jax.Array  # [2 (points), links, N], m; FAR where nothing touches
    # [3, 2 (points), links, N]: speed along the normal of each contact, as a row on its link
    normal_row: jax.Array

    def of_joint(self, joint: int) -> JointErrors:
        first, second = self.arms[:, 0, joint], self.arms[:, 1, joint]
        return JointErrors(
            arms=Pair(first, second),
            separation=self.separation[:, joint],
            below=self.below[joint],
            above=self.above[joint],
        )

    def of_link(self, link: int) -> ContactErrors:
        return ContactErrors(gap=self.gap[:, link], normal_row=self.normal_row[:, :, link])


def find_errors(walker: Anatomy, start: Poses, free: Poses, active: Active) -> Errors:
    """The errors of bodies that went from `start` to `free`, of constraints active at `start`."""
    arms, separation = _joint_ends(walker, free)
    below, above = _past_limits(walker, free, active.limits)
    contacts = active.contacts
    moved = contacts.after(start.displacement(free))
    return Errors(
        arms=_leg_by_leg(arms),
        separation=_leg_by_leg(separation),
        below=_leg_by_leg(below),
        above=_leg_by_leg(above),
        gap=_leg_by_leg(jnp.where(contacts.gap < SKIN, moved.gap, FAR)),
        normal_row=_leg_by_leg(wrench(moved.normal, moved.arm)),
    )


def _past_limits(walker: Anatomy, free: Poses, at: Limits) -> Limits:
    """How far joints are below and above their limits, rad; -FAR where they were not at one."""
    angles = free.links[2]
    hull_angle = free.hull[2][None, None] + walker.rest_angles[None]
    parents = jnp.concatenate([hull_angle, angles[:1]])
    angle = angles - parents
    limits = joint_limits(walker)
    return Limits(
        lower=jnp.where(at.lower, limits.lower - angle, -FAR),
        upper=jnp.where(at.upper, angle - limits.upper, -FAR),
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
    second_ends = free.links[:2] + arms[:, 1]
    return arms, second_ends - first_centres - arms[:, 0]


def _leg_by_leg(x: jax.Array) -> jax.Array:
    """[..., 2, legs, N] as [..., 2 legs, N]."""
    by_leg = x.swapaxes(-3, -2)
    return by_leg.reshape(*x.shape[:-3], -1, x.shape[-1])
