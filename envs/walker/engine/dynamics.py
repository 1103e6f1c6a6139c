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
from jaxcurriculum.envs.walker.engine.contact import SKIN, deepest, friction_of, link_contacts
from jaxcurriculum.envs.walker.engine.impact import Flight, stop_at_impact
from jaxcurriculum.envs.walker.engine.kinematics import (
    TIME_STEP,
    Limits,
    WalkerState,
    joint_angles,
    joint_limits,
    link_angles,
    link_tops,
    posture,
    posture_of,
)
from jaxcurriculum.envs.walker.engine.mass import (
    MassMatrix,
    Motion,
    body_velocities,
    mass_matrix,
    project,
)
from jaxcurriculum.envs.walker.engine.position_correction import correct_positions
from jaxcurriculum.envs.walker.engine.position_errors import Active, Poses
from jaxcurriculum.envs.walker.engine.problem import Bounds, Problem
from jaxcurriculum.envs.walker.engine.rows import NORMALS, make_rows
from jaxcurriculum.envs.walker.engine.solver import solve
from jaxcurriculum.envs.walker.engine.terrain import Window

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

    motion = _fall(walker, mass, state)
    bounds = _bounds(walker, state, action, contacts.gap)
    guess = _still_valid(state, contacts.gap)
    motion, impulses = solve(Problem(rows, mass, bounds), motion, guess)

    start = Poses(hull=state.hull_pose, links=jnp.concatenate([centres, angles[None]]))
    velocity = Poses(hull=motion.hull, links=body_velocities(mass, motion))
    active = Active(contacts, bounds.at)
    end = correct_positions(walker, start, velocity, active)
    flight = Flight(
        centre=centres,
        shift=end.links[:2] - centres,
        angle=end.links[2] - angles,
        velocity=velocity.links,
    )
    flight, is_hit = stop_at_impact(walker, pairs, contacts, flight)

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


def _fall(walker: Anatomy, mass: MassMatrix, state: WalkerState) -> Motion:
    """The motion after a step of free fall, in which only joints hold the bodies."""
    change = np.array([0.0, GRAVITY * TIME_STEP, 0.0], np.float32)
    hull = state.hull_velocity + change[:, None]
    links = state.link_velocity + change[:, None, None, None]
    return project(walker, mass, hull, links)


def _joined_centres(walker: Anatomy, state: WalkerState) -> jax.Array:
    """World position of the links' centres if they hung on their joints, m.

    Returns:
      [2, 2 (upper, lower), legs, N].
    """
    shape = posture_of(walker, state)
    tops = link_tops(walker, state.hull_pose, shape)
    return tops + walker.length[None] / 2 * shape.axis


def _still_valid(state: WalkerState, gap: jax.Array) -> jax.Array:
    """The last impulses where they still mean something: those of joints, and of contacts within
    the skin.
    """
    touches = _touches(state, gap).astype(jnp.float32)
    is_valid = jnp.concatenate([jnp.ones_like(state.joints), touches, touches])
    return state.impulses * is_valid


def _touches(state: WalkerState, gap: jax.Array) -> jax.Array:
    """Whether contacts with these gaps [2 (points), 2 (links), legs, N] are within the skin, in the
    order of their rows, [4, legs, N] bool.
    """
    return (gap < SKIN).reshape(len(NORMALS), *state.joints.shape[1:])


def _bounds(walker: Anatomy, state: WalkerState, action: jax.Array, gap: jax.Array) -> Bounds:
    """What the rows may do.

    A motor pulls its joint to speed S sign(a) with a torque of at most T |a|; a limit holds a joint
    that is at it or past it; contacts within the skin push; friction is at most mu times the normal
    impulse.
    """
    by_joint = action.reshape(walker.body.num_legs, 2, -1).swapaxes(0, 1)
    effort = jnp.minimum(jnp.abs(by_joint), 1.0)
    strength = walker.torque * TIME_STEP * effort
    speeds = np.array(walker.body.motor_speeds, np.float32)[:, None, None]
    touches = _touches(state, gap)
    zero = jnp.zeros_like(touches, float)
    push = jnp.where(touches, jnp.inf, 0.0)
    limits = joint_limits(walker)
    return Bounds(
        target=jnp.concatenate([speeds * jnp.sign(by_joint), zero]),
        low=jnp.concatenate([-strength, zero]),
        high=jnp.concatenate([strength, push]),
        at=Limits(state.joints <= limits.lower, state.joints >= limits.upper),
        friction=friction_of(walker),
    )
