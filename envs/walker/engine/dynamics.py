"""One step of a walker's physics, after Box2D: velocities, constraints, poses, impacts.

1. Gravity changes each body's velocity, then all are projected on the joints in the mass metric.
2. Motors, joint limits and contacts bound the velocities (`solver`).
3. Bodies move freely at those velocities; contacts, limits and joints bring their poses back
   (`position_correction`).
4. Links that reached the track on the way are stopped there, each on its own (`impact`).
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.device.xla import fusion_barrier, short_reduce
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.contact import SKIN, deepest, link_contacts
from jaxcurriculum.envs.walker.engine.impact import Flight, stop_at_impact
from jaxcurriculum.envs.walker.engine.kinematics import (
    WalkerState,
    joint_angles,
    link_angles,
    link_tops,
    posture,
    posture_of,
)
from jaxcurriculum.envs.walker.engine.mass import body_velocities, mass_matrix, project
from jaxcurriculum.envs.walker.engine.position_correction import Poses, correct_positions
from jaxcurriculum.envs.walker.engine.rows import NORMALS, make_rows
from jaxcurriculum.envs.walker.engine.solver import Bounds, solve
from jaxcurriculum.envs.walker.engine.terrain import FRICTION, Window

TIME_STEP = 1 / 50  # s
GRAVITY = -10.0  # m/s^2


def advance(
    walker: Anatomy, window: Window, state: WalkerState, action: jax.Array
) -> tuple[WalkerState, jax.Array]:
    """The state one time step later under action [joints, N], and whether each lower link touched
    the track, [legs, N] bool.
    """
    hull_angle = state.hull_pose[2]
    angles = link_angles(walker, hull_angle, state.joints)
    shape = fusion_barrier(functools.partial(posture, walker))(hull_angle, angles)
    mass = fusion_barrier(functools.partial(mass_matrix, walker))(shape)
    tops = link_tops(walker, state.hull_pose, shape) + state.offset
    centres = tops + walker.length[None] / 2 * shape.axis
    pairs = fusion_barrier(functools.partial(link_contacts, walker))(window, tops, shape)
    contacts = fusion_barrier(deepest)(pairs, centres)
    rows = fusion_barrier(make_rows)(mass, tops, contacts)

    fall = np.array([0.0, GRAVITY * TIME_STEP, 0.0], np.float32)
    falling_hull = state.hull_velocity + fall[:, None]
    falling_links = state.link_velocity + fall[:, None, None, None]
    motion = project(walker, mass, falling_hull, falling_links)
    bounds = _bounds(walker, state, action, contacts.gap)
    guess = _still_valid(state, contacts.gap)
    motion, impulses = solve(rows, mass, bounds, motion, guess)

    start = Poses(hull=state.hull_pose, links=jnp.concatenate([centres, angles[None]]))
    velocity = Poses(hull=motion.hull, links=body_velocities(mass, motion))
    end = correct_positions(
        walker, start, velocity, contacts, bounds.at_lower, bounds.at_upper, TIME_STEP
    )
    flight = Flight(
        shift=end.links[:2] - centres, angle=end.links[2] - angles, velocity=velocity.links
    )
    flight, is_hit = stop_at_impact(
        walker, pairs, contacts, centres, flight, _friction(walker), TIME_STEP
    )

    after = WalkerState(
        hull_pose=end.hull,
        joints=joint_angles(walker, end.hull[2], angles + flight.angle),
        hull_velocity=motion.hull,
        link_velocity=flight.velocity,
        offset=jnp.zeros_like(state.offset),
        impulses=impulses,
    )
    offset = centres + flight.shift - _joined_centres(walker, after)
    touched = short_reduce(jnp.logical_or, contacts.gap[:, 1] < SKIN)
    return after.replace(offset=offset), touched | is_hit[1]


def _joined_centres(walker: Anatomy, state: WalkerState) -> jax.Array:
    """World position of the links' centres if they hung on their joints, m.

    Returns:
      [2, 2 (upper, lower), legs, N].
    """
    shape = posture_of(walker, state)
    return link_tops(walker, state.hull_pose, shape) + walker.length[None] / 2 * shape.axis


def _still_valid(state: WalkerState, gap: jax.Array) -> jax.Array:
    """The last impulses where they still mean something: those of joints, and of contacts within
    the skin.
    """
    touches = (gap < SKIN).astype(jnp.float32)
    touches = touches.reshape(len(NORMALS), *state.joints.shape[1:])
    is_valid = jnp.concatenate([jnp.ones_like(state.joints), touches, touches])
    return state.impulses * is_valid


def _friction(walker: Anatomy) -> float:
    return float(np.sqrt(FRICTION * walker.body.link_friction))


def _bounds(walker: Anatomy, state: WalkerState, action: jax.Array, gap: jax.Array) -> Bounds:
    """What the rows may do.

    A motor pulls its joint to speed S sign(a) with a torque of at most T |a|; a limit holds a joint
    that is at it or past it; contacts within the skin push; friction is at most mu times the normal
    impulse.
    """
    legwise = action.reshape(walker.body.num_legs, 2, -1).swapaxes(0, 1)
    strength = walker.torque * TIME_STEP * jnp.minimum(jnp.abs(legwise), 1.0)
    motor_speeds = np.array(walker.body.motor_speeds, np.float32)[:, None, None]
    touches = (gap < SKIN).reshape(len(NORMALS), *state.joints.shape[1:])
    zero = jnp.zeros_like(touches, float)
    lower = np.array(walker.body.joint_lower, np.float32)[:, None, None]
    upper = np.array(walker.body.joint_upper, np.float32)[:, None, None]
    return Bounds(
        target=jnp.concatenate([motor_speeds * jnp.sign(legwise), zero]),
        low=jnp.concatenate([-strength, zero]),
        high=jnp.concatenate([strength, jnp.where(touches, jnp.inf, 0.0)]),
        at_lower=state.joints <= lower,
        at_upper=state.joints >= upper,
        friction=_friction(walker),
    )
