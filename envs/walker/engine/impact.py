"""What happens to a link that reaches the track within a step: Box2D's time of impact.

Box2D lets a step end before it looks whether a part went through something. The part that did, and
it alone, is taken back to the moment at which it is `TOUCH_GAP` away, pushed out a little, loses
the velocity into the track and what friction allows along it, and spends the rest of the step at
the velocity that is left. Its joint is not asked: the link ends a few centimetres off, and the
walker as a whole feels the impact one step later, when the joint pulls.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.batching import apart
from jaxcurriculum.envs.walker.engine.contact import SKIN, Contacts, nearest, passing
from jaxcurriculum.envs.walker.engine.kinematics import cross, dot, fold, perpendicular, sin_cos
from jaxcurriculum.envs.walker.engine.surfaces import FAR, boundless

TOUCH_GAP = 0.005  # m: Box2D's target of a time of impact
TOLERANCE = 0.00125  # m: what must be missing to it at the end of a step
PUSHED_GAP = 0.0145  # m: where Box2D's position correction leaves the link then
PUSH_SWEEPS = 2
VELOCITY_SWEEPS = 2


class Flight(struct.PyTreeNode):
    """How links move in a step, each on its own."""

    shift: jax.Array  # [2, 2 (upper, lower), legs, N], m: of the centre
    turn: jax.Array  # [2 (upper, lower), legs, N], rad
    velocity: jax.Array  # [3, 2 (upper, lower), legs, N]: vx, vy (m/s), rate (rad/s) at the end


def land(
    walker: Anatomy,
    pairs: Contacts,
    near: Contacts,
    centres: jax.Array,
    flight: Flight,
    friction: float,
    step: float,
) -> tuple[Flight, jax.Array]:
    """The flight as it ends for links that reach the track, and which do, [2 (upper, lower), legs,
    N] bool.

    All `pairs` [pairs, 2 (links), legs, N], the `near` ones among them [2, 2, legs, N] and the
    links' `centres` [2, 2, legs, N] are those at the beginning of a step of `step` seconds.
    """
    shares, _ = apart(_reach)(pairs, centres, flight, sin_cos(flight.turn))
    share = jnp.minimum(shares.min(0), 1.0)
    met = _face(nearest(pairs, shares[None], centres), centres, flight)
    hit = share < 1
    shift, turn = share[None] * flight.shift, share * flight.turn
    normal, gap, arm = _at_impact(met, near, centres, shift, turn)
    out = _push_out(walker, normal, arm, jnp.where(gap < SKIN, gap, PUSHED_GAP))
    rest = (1 - share) * step
    approach = jnp.where(
        gap < SKIN, 0.0, (gap - TOUCH_GAP) / jnp.maximum(rest, 1e-3)[None]
    )  # no second impact in the rest of the step
    velocity = _stop(walker, normal, arm, approach, flight.velocity, friction)
    end = Flight(
        shift=shift + out[:2] + rest[None] * velocity[:2],
        turn=turn + out[2] + rest * velocity[2],
        velocity=velocity,
    )
    return jax.tree.map(
        lambda new, old: jnp.where(hit.reshape(*[1] * (new.ndim - 3), *hit.shape), new, old),
        end,
        flight,
    ), hit


def _at_impact(
    met: Contacts, near: Contacts, centres: jax.Array, shift: jax.Array, turn: jax.Array
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Normals, gaps (`FAR` for points that passed their face) and arms of these contacts once
    the links have moved so far.
    """
    normal, gap, arm = [], [], []
    for contacts in (met, near):
        way, now, reach = passing(contacts, centres, shift, sin_cos(turn))
        along = dot(perpendicular(contacts.normal), way)
        gap.append(
            jnp.where(_before(contacts.room, along), contacts.gap + dot(contacts.normal, way), FAR)
        )
        normal.append(now)
        arm.append(reach)
    return jnp.concatenate(normal, axis=1), jnp.concatenate(gap), jnp.concatenate(arm, axis=1)


def _reach(
    pairs: Contacts, centres: jax.Array, flight: Flight, spin: tuple[jax.Array, jax.Array]
) -> tuple[jax.Array, jax.Array]:
    """After which share of the flight each pair meets, `FAR` for those that do not, and whether it
    meets straight on.

    A point reaches a face when it is `TOUCH_GAP` before it, unless it passes the face's end first.
    One that begins beside the face may also come to that end from the side.
    """
    way, _, _ = passing(pairs, centres, flight.shift, spin)
    after, along = pairs.gap + dot(pairs.normal, way), dot(perpendicular(pairs.normal), way)
    closing = (pairs.gap > 0) & (after < TOUCH_GAP - TOLERANCE) & (after < pairs.gap)
    at_face = jnp.clip((pairs.gap - TOUCH_GAP) / jnp.maximum(pairs.gap - after, 1e-9), 0.0, 1.0)
    beside = _beside(pairs)
    straight = closing & _before(pairs.room, at_face * along)
    round_end = closing & (beside > 0) & _before(pairs.room, along)
    at_end = beside / jnp.maximum(jnp.abs(along), 1e-9)
    return jnp.where(straight, at_face, jnp.where(round_end, at_end, FAR)), straight


def _beside(pairs: Contacts) -> jax.Array:
    """How far points begin beside their faces, m, less `TOUCH_GAP`."""
    return jnp.maximum(pairs.room[0], -pairs.room[1]) - TOUCH_GAP


def _face(met: Contacts, centres: jax.Array, flight: Flight) -> Contacts:
    """The pairs that meet, those that do so round a face's end with the neighbouring face,
    which is taken to be square to theirs.
    """
    _, straight = _reach(met, centres, flight, sin_cos(flight.turn))
    outwards = jnp.where(met.room[1] < 0, 1.0, -1.0)[None] * perpendicular(met.normal)
    return Contacts(
        point=met.point,
        normal=jnp.where(straight[None], met.normal, outwards),
        gap=jnp.where(straight, met.gap, _beside(met) + TOUCH_GAP),
        room=jnp.where(straight[None], met.room, boundless(met.gap)),
        on_link=met.on_link,
    )


def _before(room: jax.Array, along: jax.Array) -> jax.Array:
    """Whether a point that went so far along a face, and none that is out of reach, is before
    it still.
    """
    return (room[0] - TOUCH_GAP <= along) & (along <= room[1] + TOUCH_GAP)


def _row(walker: Anatomy, direction: jax.Array, arm: jax.Array) -> tuple[jax.Array, jax.Array]:
    """A point's speed along `direction` [2, ...] as a row [3, ...] on its link, and what a unit
    impulse does.
    """
    row = jnp.stack([direction[0], direction[1], cross(arm, direction)])
    return row, jnp.stack([row[0] / walker.mass, row[1] / walker.mass, row[2] / walker.inertia])


def _push_out(walker: Anatomy, normal: jax.Array, arm: jax.Array, gap: jax.Array) -> jax.Array:
    """Displacement [3, ...] that takes points to `PUSHED_GAP`."""
    rows = [_row(walker, normal[:, i], arm[:, i]) for i in range(normal.shape[1])]
    out = jnp.zeros_like(rows[0][0])
    for _ in range(PUSH_SWEEPS):
        for i, (row, response) in enumerate(rows):
            way = jnp.maximum(PUSHED_GAP - gap[i] - fold(jnp.add, row * out), 0.0)
            out = out + response * (way / fold(jnp.add, row * response))[None]
    return out


def _stop(
    walker: Anatomy,
    normal: jax.Array,
    arm: jax.Array,
    approach: jax.Array,
    velocity: jax.Array,
    friction: float,
) -> jax.Array:
    """The velocity [3, ...] without what brings a point to the track faster than `approach`,
    and what friction takes along the track.
    """
    points = range(normal.shape[1])
    rows = [_row(walker, normal[:, i], arm[:, i]) for i in points]
    along = [_row(walker, jnp.stack([normal[1, i], -normal[0, i]]), arm[:, i]) for i in points]
    inverse = [
        [fold(jnp.add, x) for x in (row * push, row * rub, tangent * rub)]
        for (row, push), (tangent, rub) in zip(rows, along)
    ]

    def sweep(_, carry):
        velocity, impulses = carry[0], list(carry[1])
        for i, ((row, push), (tangent, rub)) in enumerate(zip(rows, along)):
            nn, nt, tt = inverse[i]
            old = impulses[i]
            into = (
                sum(a * v for a, v in zip(row, velocity)) + approach[i] - nn * old[0] - nt * old[1]
            )
            slide = sum(a * v for a, v in zip(tangent, velocity)) - nt * old[0] - tt * old[1]
            impulses[i] = _impulse((into, slide), inverse[i], friction)
            normal, hold = (new - was for new, was in zip(impulses[i], old))
            velocity = tuple(v + p * normal + r * hold for v, p, r in zip(velocity, push, rub))
        return velocity, tuple(impulses)

    none = tuple((jnp.zeros_like(velocity[0]),) * 2 for _ in points)
    return jnp.stack(jax.lax.fori_loop(0, VELOCITY_SWEEPS, sweep, (tuple(velocity), none))[0])


def _impulse(
    speeds: tuple[jax.Array, jax.Array], inverse: list[jax.Array], friction: float
) -> tuple[jax.Array, jax.Array]:
    """The impulse (along the normal, along the track) that stops a point with these speeds there,
    as far as friction holds it.

    `inverse` is the point's inverse mass (normal normal, normal tangent, tangent tangent).
    """
    (nn, nt, tt), (into, slide) = inverse, speeds
    scale = 1.0 / (nn * tt - nt * nt)
    stick, hold = (nt * slide - tt * into) * scale, (nt * into - nn * slide) * scale
    slip = friction * jnp.sign(
        hold
    )  # tangential by normal impulse where friction does not hold the point
    holds = jnp.abs(hold) <= friction * stick
    normal = jnp.where(holds, stick, -into / jnp.maximum(nn + slip * nt, 0.1 * nn))
    normal = jnp.where(into < 0, normal, 0.0)
    return normal, jnp.where(into < 0, jnp.where(holds, hold, slip * normal), 0.0)
