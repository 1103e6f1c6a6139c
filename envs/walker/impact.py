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
from jaxcurriculum.envs.walker.contact import SKIN, Contacts
from jaxcurriculum.envs.walker.kinematics import dot, fold, sin_cos

TOUCH_GAP = 0.005  # m: Box2D's target of a time of impact
PUSHED_GAP = 0.0145  # m: where Box2D's position correction leaves the link then
PUSH_SWEEPS = 2
VELOCITY_SWEEPS = 4


class Flight(struct.PyTreeNode):
    """How links move in a step, each on its own."""

    shift: jax.Array  # [2, 2 (upper, lower), legs, N], m: of the centre
    turn: jax.Array  # [2 (upper, lower), legs, N], rad
    velocity: jax.Array  # [3, 2 (upper, lower), legs, N]: vx, vy (m/s), rate (rad/s) at the end


def land(walker: Anatomy, contacts: Contacts, centres: jax.Array, flight: Flight, friction: float, step: float) -> tuple[Flight, jax.Array]:
    """The flight as it ends for links that reach the track, and which do, [2 (upper, lower), legs, N] bool.

    `contacts` [points, 2 (links), legs, N] and `centres` [2, 2, legs, N] are those at the beginning of a step of `step` seconds.
    """
    arm, normal = contacts.point - centres[:, None], contacts.normal
    after = contacts.gap + dot(normal, _moved(arm, flight.shift, flight.turn))
    closing = (contacts.gap > 0) & (after < TOUCH_GAP) & (after < contacts.gap)
    share = jnp.clip((contacts.gap - TOUCH_GAP) / jnp.maximum(contacts.gap - after, 1e-9), 0.0, 1.0)
    share = fold(jnp.minimum, jnp.where(closing, share, 1.0))
    shift, turn = share[None] * flight.shift, share * flight.turn
    moved = _moved(arm, shift, turn)
    gap, arm = contacts.gap + dot(normal, moved), arm + moved - shift[:, None]
    out = _push_out(walker, normal, arm, jnp.where(gap < SKIN, gap, PUSHED_GAP))
    rest = (1 - share) * step
    approach = jnp.where(gap < SKIN, 0.0, (gap - TOUCH_GAP) / jnp.maximum(rest, 1e-3)[None])  # no second impact in the rest of the step
    velocity = _stop(walker, normal, arm, approach, flight.velocity, friction)
    end = Flight(shift=shift + out[:2] + rest[None] * velocity[:2], turn=turn + out[2] + rest * velocity[2], velocity=velocity)
    hit = fold(jnp.logical_or, closing)
    return jax.tree.map(lambda new, old: jnp.where(hit.reshape(*[1] * (new.ndim - 3), *hit.shape), new, old), end, flight), hit


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
