"""What happens to a link that reaches the track within a step: Box2D's time of impact.

Box2D lets a step end before it looks whether a part went through something. The part that did, and it alone, is taken back to the moment
at which it is `TOUCH_GAP` away, pushed out a little, loses the velocity into the track and what friction allows along it, and spends the
rest of the step at the velocity that is left. Its joint is not asked: the link ends a few centimetres off, and the walker as a whole
feels the impact one step later, when the joint pulls.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.contact import SKIN, Contacts, nearest
from jaxcurriculum.envs.walker.kinematics import dot, fold, perpendicular, sin_cos
from jaxcurriculum.envs.walker.surfaces import FAR

TOUCH_GAP = 0.005  # m: Box2D's target of a time of impact
TOLERANCE = 0.00125  # m: what must be missing to it at the end of a step
PUSHED_GAP = 0.0145  # m: where Box2D's position correction leaves the link then
PUSH_SWEEPS = 2
VELOCITY_SWEEPS = 4


class Flight(struct.PyTreeNode):
    """How links move in a step, each on its own."""

    shift: jax.Array  # [2, 2 (upper, lower), legs, N], m: of the centre
    turn: jax.Array  # [2 (upper, lower), legs, N], rad
    velocity: jax.Array  # [3, 2 (upper, lower), legs, N]: vx, vy (m/s), rate (rad/s) at the end


def land(
    walker: Anatomy, pairs: Contacts, near: Contacts, centres: jax.Array, flight: Flight, friction: float, step: float
) -> tuple[Flight, jax.Array]:
    """The flight as it ends for links that reach the track, and which do, [2 (upper, lower), legs, N] bool.

    All `pairs` [pairs, 2 (links), legs, N], the `near` ones among them [2, 2, legs, N] and the links' `centres` [2, 2, legs, N] are
    those at the beginning of a step of `step` seconds.
    """
    met, share = _first(pairs, centres, flight)
    hit = share < 1
    shift, turn = share[None] * flight.shift, share * flight.turn
    normal, gap, arm = [], [], []
    for contacts in (met, near):
        at_start = contacts.point - centres[:, None]
        moved = _moved(at_start, shift, turn)
        beside = dot(perpendicular(contacts.normal), moved)
        gap.append(jnp.where(_before(contacts.room, beside), contacts.gap + dot(contacts.normal, moved), FAR))
        normal.append(contacts.normal)
        arm.append(at_start + moved - shift[:, None])
    normal, gap, arm = jnp.concatenate(normal, axis=1), jnp.concatenate(gap), jnp.concatenate(arm, axis=1)
    out = _push_out(walker, normal, arm, jnp.where(gap < SKIN, gap, PUSHED_GAP))
    rest = (1 - share) * step
    approach = jnp.where(gap < SKIN, 0.0, (gap - TOUCH_GAP) / jnp.maximum(rest, 1e-3)[None])  # no second impact in the rest of the step
    velocity = _stop(walker, normal, arm, approach, flight.velocity, friction)
    end = Flight(shift=shift + out[:2] + rest[None] * velocity[:2], turn=turn + out[2] + rest * velocity[2], velocity=velocity)
    return jax.tree.map(lambda new, old: jnp.where(hit.reshape(*[1] * (new.ndim - 3), *hit.shape), new, old), end, flight), hit


def _first(pairs: Contacts, centres: jax.Array, flight: Flight) -> tuple[Contacts, jax.Array]:
    """The pair that meets first, [1, ...], and the share of the flight that is over then, 1 where none meets.

    A point reaches a face when it is `TOUCH_GAP` before it, unless it passes the face's end first. One that begins beside the face
    may also come to that end from the side: then it meets the neighbouring face, which is taken to be square to this one.
    """
    moved = _moved(pairs.point - centres[:, None], flight.shift, flight.turn)
    after, along = pairs.gap + dot(pairs.normal, moved), dot(perpendicular(pairs.normal), moved)
    closing = (pairs.gap > 0) & (after < TOUCH_GAP - TOLERANCE) & (after < pairs.gap)
    at_face = jnp.clip((pairs.gap - TOUCH_GAP) / jnp.maximum(pairs.gap - after, 1e-9), 0.0, 1.0)
    least, most = pairs.room
    beside = jnp.maximum(least, -most) - TOUCH_GAP  # how far it begins beside the face
    straight = closing & _before(pairs.room, at_face * along)
    round_end = closing & (beside > 0) & _before(pairs.room, along)
    at_end = beside / jnp.maximum(jnp.abs(along), 1e-9)
    share = jnp.where(straight, at_face, jnp.where(round_end, at_end, FAR))
    outwards = jnp.where(most < 0, 1.0, -1.0)[None] * perpendicular(pairs.normal)
    first = nearest(
        Contacts(
            point=pairs.point,
            normal=jnp.where(straight[None], pairs.normal, outwards),
            gap=jnp.where(straight, pairs.gap, beside + TOUCH_GAP),
            room=jnp.where(straight[None], pairs.room, jnp.stack([-FAR + 0 * most, FAR + 0 * most])),
        ),
        share[None],
        centres,
    )
    return first, jnp.minimum(share.min(0), 1.0)


def _before(room: jax.Array, along: jax.Array) -> jax.Array:
    """Whether a point that went so far along a face, and none that is out of reach, is before it still."""
    return (room[0] - TOUCH_GAP <= along) & (along <= room[1] + TOUCH_GAP)


def _moved(arm: jax.Array, shift: jax.Array, turn: jax.Array) -> jax.Array:
    """How far points at `arm` [2, points, ...] from a centre go when it shifts and turns."""
    sin, cos = (x[None] for x in sin_cos(turn))
    return jnp.stack([(cos - 1) * arm[0] - sin * arm[1], sin * arm[0] + (cos - 1) * arm[1]]) + shift[:, None]


def _row(walker: Anatomy, direction: jax.Array, arm: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """A point's speed along `direction` [2, ...] as a row [3, ...] on its link, what a unit impulse does, and the row's mass."""
    row = jnp.stack([direction[0], direction[1], arm[0] * direction[1] - arm[1] * direction[0]])
    response = jnp.stack([row[0] / walker.mass, row[1] / walker.mass, row[2] / walker.inertia])
    return row, response, 1 / fold(jnp.add, row * response)


def _push_out(walker: Anatomy, normal: jax.Array, arm: jax.Array, gap: jax.Array) -> jax.Array:
    """Displacement [3, ...] that takes points to `PUSHED_GAP`."""
    rows = [_row(walker, normal[:, i], arm[:, i]) for i in range(normal.shape[1])]
    out = jnp.zeros_like(rows[0][0])
    for _ in range(PUSH_SWEEPS):
        for i, (row, response, mass) in enumerate(rows):
            out = out + response * (mass * jnp.maximum(PUSHED_GAP - gap[i] - fold(jnp.add, row * out), 0.0))[None]
    return out


def _stop(walker: Anatomy, normal: jax.Array, arm: jax.Array, approach: jax.Array, velocity: jax.Array, friction: float) -> jax.Array:
    """The velocity [3, ...] without what brings a point to the track faster than `approach`, and what friction takes along the track."""
    points = range(normal.shape[1])
    rows = [_row(walker, normal[:, i], arm[:, i]) for i in points]
    along = [_row(walker, jnp.stack([normal[1, i], -normal[0, i]]), arm[:, i]) for i in points]

    def sweep(_, carry):
        velocity, normals, tangents = carry[0], list(carry[1]), list(carry[2])
        for i, (row, response, mass) in enumerate(along):
            hold = friction * normals[i]
            impulse = jnp.clip(tangents[i] - mass * fold(jnp.add, row * velocity), -hold, hold)
            velocity, tangents[i] = velocity + response * (impulse - tangents[i])[None], impulse
        for i, (row, response, mass) in enumerate(rows):
            impulse = jnp.maximum(normals[i] - mass * (fold(jnp.add, row * velocity) + approach[i]), 0.0)
            velocity, normals[i] = velocity + response * (impulse - normals[i])[None], impulse
        return velocity, tuple(normals), tuple(tangents)

    none = tuple(jnp.zeros_like(velocity[0]) for _ in points)
    return jax.lax.fori_loop(0, VELOCITY_SWEEPS, sweep, (velocity, none, none))[0]
