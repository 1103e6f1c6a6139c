"""What happens to a link that reaches the track within a step: Box2D's time of impact.

Box2D lets a step end before it looks whether a part went through something. The part that did, and
it alone, is taken back to the moment at which it is `TOUCH_GAP` away, pushed out a little, loses
the velocity into the track and what friction allows along it, and spends the rest of the step at
the velocity that is left. Its joint is not asked: the link ends a few centimetres off, and the
walker as a whole feels the impact one step later, when the joint pulls.
"""

from __future__ import annotations

from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.device.xla import fusion_barrier, short_sum
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.contact import SKIN, Contacts, friction_of, nearest
from jaxcurriculum.envs.walker.engine.kinematics import TIME_STEP
from jaxcurriculum.envs.walker.engine.plane import Displacement, Rotation, wrench
from jaxcurriculum.envs.walker.engine.surfaces import FAR
from jaxcurriculum.envs.walker.engine.time_of_impact import (
    TOUCH_GAP,
    is_before,
    met_face,
    time_of_impact,
)

PUSHED_GAP = 0.0145  # m: where Box2D's position correction leaves the link then
PUSH_SWEEPS = 2
VELOCITY_SWEEPS = 2

Velocity = tuple[jax.Array, ...]  # vx, vy, rate
Impulse = tuple[jax.Array, jax.Array]  # along the normal and the tangent, N s


class Flight(struct.PyTreeNode):
    """How links move in a step, each on its own."""

    centre: jax.Array  # [2, 2 (upper, lower), legs, N], m: at the beginning
    shift: jax.Array  # [2, 2, legs, N], m: of the centre
    angle: jax.Array  # [2, legs, N], rad: how far it rotates
    velocity: jax.Array  # [3, 2, legs, N]: vx, vy (m/s), rate (rad/s) at the end

    def displacement(self) -> Displacement:
        rotation = Rotation.by(self.angle)
        return Displacement(self.centre, self.shift, rotation)

    def until(self, time: jax.Array) -> Flight:
        """The first part of the flight, a share `time` [2, legs, N] of it."""
        shift = time[None] * self.shift
        return self.replace(shift=shift, angle=time * self.angle)


class Touching(NamedTuple):
    """Points of links that touch the track, [points, 2 (upper, lower), legs, N]."""

    normal: jax.Array  # [2, ...]
    gap: jax.Array  # [...], m; `FAR` for points that passed their face
    arm: jax.Array  # [2, ...], m: from the link's centre

    def point(self, index: int) -> Touching:
        """One of the points, [2 (upper, lower), legs, N]."""
        return Touching(self.normal[:, index], self.gap[index], self.arm[:, index])


class Row(NamedTuple):
    """A point's speed along a direction as a linear function of its link's velocity."""

    jacobian: jax.Array  # [3, ...]
    response: jax.Array  # [3, ...]: the velocity that a unit impulse gives

    def times(self, velocity: Velocity) -> jax.Array:
        """The speed."""
        entries = zip(self.jacobian, velocity)
        return jnp.asarray(sum(a * v for a, v in entries))


class InverseMass(NamedTuple):
    """How impulses along the normal (n) and the tangent (t) of a point change its speeds there."""

    nn: jax.Array
    nt: jax.Array
    tt: jax.Array


class ContactPoint(NamedTuple):
    """A point of a link at the track, for impulses on that link alone."""

    normal: Row
    tangent: Row
    inverse_mass: InverseMass
    approach: jax.Array  # [...], m/s: how fast it may come to the track

    def speeds_without(self, impulse: Impulse, velocity: Velocity) -> tuple[jax.Array, jax.Array]:
        """The speeds into the track, beyond what is allowed, and along it, as if `impulse`, which
        is part of the velocity, had not been.
        """
        nn, nt, tt = self.inverse_mass
        push, hold = impulse
        into = self.normal.times(velocity) + self.approach
        into = into - nn * push - nt * hold
        slide = self.tangent.times(velocity)
        return into, slide - nt * push - tt * hold

    def pushed(self, velocity: Velocity, impulse: Impulse) -> Velocity:
        """The velocity after an impulse at this point."""
        push, hold = impulse
        entries = zip(velocity, self.normal.response, self.tangent.response)
        return tuple(v + n * push + t * hold for v, n, t in entries)


def stop_at_impact(
    walker: Anatomy, pairs: Contacts, near: Contacts, flight: Flight
) -> tuple[Flight, jax.Array]:
    """The flight as it ends for links that reach the track, and which do.

    Args:
      pairs: all pairs [pairs, 2 (links), legs, N] at the beginning of the step.
      near: those of them that touch or are nearest, [2, 2, legs, N].

    Returns:
      flight, and whether a link was stopped, [2 (upper, lower), legs, N] bool.
    """
    whole = flight.displacement()
    times, _ = fusion_barrier(time_of_impact)(pairs, whole)
    time = jnp.minimum(times.min(0), 1.0)
    first = nearest(pairs, times[None], flight.centre)
    met = met_face(first, whole)
    is_hit = time < 1

    stopped = flight.until(time)
    touching = _touching((met, near), stopped.displacement())
    out = _push_out(walker, touching)
    rest = (1 - time) * TIME_STEP
    velocity = _stop(walker, touching, rest, flight.velocity)
    end = stopped.replace(
        shift=stopped.shift + out[:2] + rest[None] * velocity[:2],
        angle=stopped.angle + out[2] + rest * velocity[2],
        velocity=velocity,
    )

    def where_hit(new, old):
        small_axes = [1] * (new.ndim - 3)
        mask = is_hit.reshape(*small_axes, *is_hit.shape)
        return jnp.where(mask, new, old)

    return jax.tree.map(where_hit, end, flight), is_hit


def _touching(groups: tuple[Contacts, ...], links: Displacement) -> Touching:
    """All contacts of the groups once the links have moved."""
    moved = [contacts.after(links) for contacts in groups]
    gaps = []
    for contacts, after in zip(groups, moved):
        is_there = is_before(contacts.extent, after.along)
        gaps.append(jnp.where(is_there, after.gap, FAR))
    return Touching(
        normal=jnp.concatenate([after.normal for after in moved], axis=1),
        gap=jnp.concatenate(gaps),
        arm=jnp.concatenate([after.arm for after in moved], axis=1),
    )


def _row(walker: Anatomy, direction: jax.Array, arm: jax.Array) -> Row:
    """The speed along `direction` [2, ...] of a point at the end of `arm` [2, ...]."""
    jacobian = wrench(direction, arm)
    x, y, moment = jacobian
    response = [x / walker.mass, y / walker.mass, moment / walker.inertia]
    return Row(jacobian=jacobian, response=jnp.stack(response))


def _push_out(walker: Anatomy, touching: Touching) -> jax.Array:
    """Displacement [3, ...] that takes points to `PUSHED_GAP`."""
    gaps = jnp.where(touching.gap < SKIN, touching.gap, PUSHED_GAP)
    points = [touching.point(i) for i in range(len(gaps))]
    rows = [_row(walker, point.normal, point.arm) for point in points]
    out = jnp.zeros_like(rows[0].jacobian)
    for _ in range(PUSH_SWEEPS):
        for row, gap in zip(rows, gaps):
            gained = short_sum(row.jacobian * out)
            missing = jnp.maximum(PUSHED_GAP - gap - gained, 0.0)
            impulse = missing / short_sum(row.jacobian * row.response)
            out = out + row.response * impulse[None]
    return out


def _stop(walker: Anatomy, touching: Touching, rest: jax.Array, velocity: jax.Array) -> jax.Array:
    """The velocity [3, ...] for the `rest` [...] of the step, s: without what would bring a point
    into the track, and what friction takes along it.
    """
    points = _contact_points(walker, touching, rest)
    friction = friction_of(walker)

    def sweep(_, carry):
        velocity, impulses = carry[0], list(carry[1])
        for i, point in enumerate(points):
            old = impulses[i]
            into, slide = point.speeds_without(old, velocity)
            new = _impulse(into, slide, point.inverse_mass, friction)
            change = new[0] - old[0], new[1] - old[1]
            velocity = point.pushed(velocity, change)
            impulses[i] = new
        return velocity, tuple(impulses)

    none = jnp.zeros_like(velocity[0])
    start = tuple(velocity), ((none, none),) * len(points)
    stopped, _ = jax.lax.fori_loop(0, VELOCITY_SWEEPS, sweep, start)
    return jnp.stack(stopped)


def _contact_points(walker: Anatomy, touching: Touching, rest: jax.Array) -> list[ContactPoint]:
    """Those that touch may come no nearer, and the others not so fast that they meet the track in
    the rest of the step.
    """
    until_touch = touching.gap - TOUCH_GAP
    fastest = until_touch / jnp.maximum(rest, 1e-3)[None]
    approach = jnp.where(touching.gap < SKIN, 0.0, fastest)
    points = []
    for i in range(len(approach)):
        point = touching.point(i)
        x, y = point.normal
        tangent = jnp.stack([y, -x])
        n = _row(walker, point.normal, point.arm)
        t = _row(walker, tangent, point.arm)
        inverse_mass = InverseMass(
            nn=short_sum(n.jacobian * n.response),
            nt=short_sum(n.jacobian * t.response),
            tt=short_sum(t.jacobian * t.response),
        )
        points.append(ContactPoint(n, t, inverse_mass, approach[i]))
    return points


def _impulse(into: jax.Array, slide: jax.Array, inverse: InverseMass, friction: float) -> Impulse:
    """The impulses along the normal and the tangent that stop a point with speeds `into` the track
    and `slide` along it, as far as friction holds it.
    """
    nn, nt, tt = inverse
    scale = 1.0 / (nn * tt - nt * nt)
    stick = (nt * slide - tt * into) * scale
    hold = (nt * into - nn * slide) * scale
    # tangential by normal impulse where friction does not hold the point
    slip = friction * jnp.sign(hold)
    holds = jnp.abs(hold) <= friction * stick
    slipping = -into / jnp.maximum(nn + slip * nt, 0.1 * nn)
    normal = jnp.where(holds, stick, slipping)
    normal = jnp.where(into < 0, normal, 0.0)
    tangential = jnp.where(holds, hold, slip * normal)
    return normal, jnp.where(into < 0, tangential, 0.0)
