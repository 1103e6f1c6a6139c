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

from jaxcurriculum.device.xla import fusion_barrier, short_sum, sin_cos
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.contact import SKIN, Contacts, move, nearest
from jaxcurriculum.envs.walker.engine.kinematics import cross, dot, perpendicular
from jaxcurriculum.envs.walker.engine.surfaces import FAR, endless

TOUCH_GAP = 0.005  # m: Box2D's target of a time of impact
TOLERANCE = 0.00125  # m: what must be missing to it at the end of a step
PUSHED_GAP = 0.0145  # m: where Box2D's position correction leaves the link then
PUSH_SWEEPS = 2
VELOCITY_SWEEPS = 2


class Flight(struct.PyTreeNode):
    """How links move in a step, each on its own."""

    shift: jax.Array  # [2, 2 (upper, lower), legs, N], m: of the centre
    angle: jax.Array  # [2 (upper, lower), legs, N], rad: how far it rotates
    velocity: jax.Array  # [3, 2 (upper, lower), legs, N]: vx, vy (m/s), rate (rad/s) at the end


class Touching(NamedTuple):
    """Points of links that touch the track, [points, 2 (upper, lower), legs, N]."""

    normal: jax.Array  # [2, ...]
    gap: jax.Array  # [...], m; `FAR` for points that passed their face
    arm: jax.Array  # [2, ...], m: from the link's centre


class Row(NamedTuple):
    """A point's speed along a direction as a linear function of its link's velocity."""

    jacobian: jax.Array  # [3, ...]
    response: jax.Array  # [3, ...]: the velocity that a unit impulse gives


def stop_at_impact(
    walker: Anatomy,
    pairs: Contacts,
    near: Contacts,
    centres: jax.Array,
    flight: Flight,
    friction: float,
    step: float,
) -> tuple[Flight, jax.Array]:
    """The flight as it ends for links that reach the track, and which do.

    Args:
      pairs: all pairs [pairs, 2 (links), legs, N] at the beginning of the step.
      near: those of them that touch or are nearest, [2, 2, legs, N].
      centres: of the links at the beginning, [2, 2, legs, N], m.
      step: s.

    Returns:
      flight, and whether a link was stopped, [2 (upper, lower), legs, N] bool.
    """
    times, _ = fusion_barrier(time_of_impact)(pairs, centres, flight, sin_cos(flight.angle))
    time = jnp.minimum(times.min(0), 1.0)
    met = _met_face(nearest(pairs, times[None], centres), centres, flight)
    is_hit = time < 1

    shift, angle = time[None] * flight.shift, time * flight.angle
    touching = _at_impact(met, near, centres, shift, angle)
    out = _push_out(walker, touching)
    rest = (1 - time) * step
    # no second impact in the rest of the step
    fastest = (touching.gap - TOUCH_GAP) / jnp.maximum(rest, 1e-3)[None]
    approach = jnp.where(touching.gap < SKIN, 0.0, fastest)
    velocity = _stop(walker, touching, approach, flight.velocity, friction)
    end = Flight(
        shift=shift + out[:2] + rest[None] * velocity[:2],
        angle=angle + out[2] + rest * velocity[2],
        velocity=velocity,
    )

    def where_hit(new, old):
        small_axes = [1] * (new.ndim - 3)
        return jnp.where(is_hit.reshape(*small_axes, *is_hit.shape), new, old)

    return jax.tree.map(where_hit, end, flight), is_hit


def _at_impact(
    met: Contacts, near: Contacts, centres: jax.Array, shift: jax.Array, angle: jax.Array
) -> Touching:
    """These contacts once the links have moved so far."""
    rotation = sin_cos(angle)
    moved = []
    for contacts in (met, near):
        way, normal, arm = move(contacts, centres, shift, rotation)
        along = dot(perpendicular(contacts.normal), way)
        gap = contacts.gap + dot(contacts.normal, way)
        gap = jnp.where(_is_before(contacts.extent, along), gap, FAR)
        moved.append((normal, gap, arm))
    normal, gap, arm = zip(*moved)
    return Touching(
        normal=jnp.concatenate(normal, axis=1),
        gap=jnp.concatenate(gap),
        arm=jnp.concatenate(arm, axis=1),
    )


def time_of_impact(
    pairs: Contacts, centres: jax.Array, flight: Flight, rotation: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """After which share of the flight each pair meets, `FAR` for those that do not, and whether it
    meets straight on.

    A point reaches a face when it is `TOUCH_GAP` before it, unless it passes the face's end first.
    One that begins beside the face may also come to that end from the side.
    """
    way = move(pairs, centres, flight.shift, rotation).way
    after = pairs.gap + dot(pairs.normal, way)
    along = dot(perpendicular(pairs.normal), way)
    is_closing = (pairs.gap > 0) & (after < TOUCH_GAP - TOLERANCE) & (after < pairs.gap)
    closing = jnp.maximum(pairs.gap - after, 1e-9)
    at_face = jnp.clip((pairs.gap - TOUCH_GAP) / closing, 0.0, 1.0)
    is_straight = is_closing & _is_before(pairs.extent, at_face * along)

    beside = _to_touch_beside(pairs)
    at_end = beside / jnp.maximum(jnp.abs(along), 1e-9)
    comes_round = is_closing & (beside > 0) & _is_before(pairs.extent, along)
    round_end = jnp.where(comes_round, at_end, FAR)
    return jnp.where(is_straight, at_face, round_end), is_straight


def _to_touch_beside(pairs: Contacts) -> jax.Array:
    """How far points go along their faces, m, until they are `TOUCH_GAP` beside them."""
    return pairs.beside() - TOUCH_GAP


def _met_face(met: Contacts, centres: jax.Array, flight: Flight) -> Contacts:
    """The pairs that meet, those that do so round a face's end with the neighbouring face, which is
    taken to be square to theirs.
    """
    _, is_straight = time_of_impact(met, centres, flight, sin_cos(flight.angle))
    outwards = jnp.where(met.extent[1] < 0, 1.0, -1.0)
    square = outwards[None] * perpendicular(met.normal)
    return Contacts(
        point=met.point,
        normal=jnp.where(is_straight[None], met.normal, square),
        gap=jnp.where(is_straight, met.gap, _to_touch_beside(met) + TOUCH_GAP),
        extent=jnp.where(is_straight[None], met.extent, endless(met.gap)),
        on_link=met.on_link,
    )


def _is_before(extent: jax.Array, along: jax.Array) -> jax.Array:
    """Whether a point that went so far along a face is before it still; none that is out of reach
    is.
    """
    return (extent[0] - TOUCH_GAP <= along) & (along <= extent[1] + TOUCH_GAP)


def _row(walker: Anatomy, direction: jax.Array, arm: jax.Array) -> Row:
    """The speed along `direction` [2, ...] of a point at the end of `arm` [2, ...]."""
    row = jnp.stack([direction[0], direction[1], cross(arm, direction)])
    linear = [row[0] / walker.mass, row[1] / walker.mass]
    return Row(jacobian=row, response=jnp.stack([*linear, row[2] / walker.inertia]))


def _push_out(walker: Anatomy, touching: Touching) -> jax.Array:
    """Displacement [3, ...] that takes points to `PUSHED_GAP`."""
    normal, arm = touching.normal, touching.arm
    gap = jnp.where(touching.gap < SKIN, touching.gap, PUSHED_GAP)
    points = range(normal.shape[1])
    rows = [_row(walker, normal[:, i], arm[:, i]) for i in points]
    out = jnp.zeros_like(rows[0].jacobian)
    for _ in range(PUSH_SWEEPS):
        for i, (jacobian, response) in enumerate(rows):
            missing = jnp.maximum(PUSHED_GAP - gap[i] - short_sum(jacobian * out), 0.0)
            impulse = missing / short_sum(jacobian * response)
            out = out + response * impulse[None]
    return out


class InverseMass(NamedTuple):
    """How impulses along the normal (n) and the tangent (t) of a point change its speeds there."""

    nn: jax.Array
    nt: jax.Array
    tt: jax.Array


def _stop(
    walker: Anatomy, touching: Touching, approach: jax.Array, velocity: jax.Array, friction: float
) -> jax.Array:
    """The velocity [3, ...] without what brings a point to the track faster than `approach`, and
    what friction takes along the track.
    """
    normal, arm = touching.normal, touching.arm
    points = range(normal.shape[1])
    normals = [_row(walker, normal[:, i], arm[:, i]) for i in points]
    along = [jnp.stack([normal[1, i], -normal[0, i]]) for i in points]
    tangents = [_row(walker, along[i], arm[:, i]) for i in points]
    inverse = [
        InverseMass(
            nn=short_sum(n.jacobian * n.response),
            nt=short_sum(n.jacobian * t.response),
            tt=short_sum(t.jacobian * t.response),
        )
        for n, t in zip(normals, tangents)
    ]

    def sweep(_, carry):
        velocity, impulses = carry[0], list(carry[1])
        for i in points:
            old, (nn, nt, tt) = impulses[i], inverse[i]
            into = _speed(normals[i], velocity) + approach[i]
            into = into - nn * old[0] - nt * old[1]
            slide = _speed(tangents[i], velocity)
            slide = slide - nt * old[0] - tt * old[1]
            impulses[i] = _impulse(into, slide, inverse[i], friction)
            push, hold = (new - was for new, was in zip(impulses[i], old))
            responses = zip(velocity, normals[i].response, tangents[i].response)
            velocity = tuple(v + n * push + t * hold for v, n, t in responses)
        return velocity, tuple(impulses)

    none = tuple((jnp.zeros_like(velocity[0]),) * 2 for _ in points)
    start = tuple(velocity), none
    return jnp.stack(jax.lax.fori_loop(0, VELOCITY_SWEEPS, sweep, start)[0])


def _speed(row: Row, velocity: tuple[jax.Array, ...]) -> jax.Array:
    return jnp.asarray(sum(a * v for a, v in zip(row.jacobian, velocity)))


def _impulse(
    into: jax.Array, slide: jax.Array, inverse: InverseMass, friction: float
) -> tuple[jax.Array, jax.Array]:
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
