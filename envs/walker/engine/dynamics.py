"""One step of a walker's physics, after Box2D: velocities, constraints, poses, impacts.

1. Gravity changes each body's velocity, then all are projected on the joints in the mass metric.
2. Motors, joint limits and contacts bound the velocities (`solver`).
3. Bodies move freely at those velocities; contacts, limits and joints bring their poses back
(`settle`). 4. Links that reached the track on the way are stopped there, each on its own
(`impact`).
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.batching import apart
from jaxcurriculum.envs.walker.engine.contact import SKIN, deepest, link_contacts
from jaxcurriculum.envs.walker.engine.impact import Flight, land
from jaxcurriculum.envs.walker.engine.kinematics import (
    WalkerState,
    fold,
    joint_angles,
    link_angles,
    link_tops,
    posture,
)
from jaxcurriculum.envs.walker.engine.mass import body_velocities, mass_matrix, project
from jaxcurriculum.envs.walker.engine.rows import NORMALS, make_rows
from jaxcurriculum.envs.walker.engine.settle import Poses, settle
from jaxcurriculum.envs.walker.engine.solver import Bounds, solve
from jaxcurriculum.envs.walker.engine.terrain import FRICTION, Window

TIME_STEP = 1 / 50  # s
GRAVITY = -10.0  # m/s^2


def advance(
    walker: Anatomy, window: Window, state: WalkerState, action: jax.Array
) -> tuple[WalkerState, jax.Array]:
    """The state one time step later under action [joints, N], and whether each lower link
    touched the track, [legs, N] bool.
    """
    angles = link_angles(walker, state.hull_pose[2], state.joints)
    shape = apart(functools.partial(posture, walker))(state.hull_pose[2], angles)
    mass = apart(functools.partial(mass_matrix, walker))(shape)
    tops = link_tops(walker, state.hull_pose, shape) + state.offset
    centres = tops + walker.length[None] / 2 * shape.axis
    pairs = apart(functools.partial(link_contacts, walker))(window, tops, shape)
    contacts = apart(deepest)(pairs, centres)
    rows = apart(make_rows)(mass, tops, contacts)

    fall = np.array([0.0, GRAVITY * TIME_STEP, 0.0], np.float32)
    motion = project(
        walker,
        mass,
        state.hull_velocity + fall[:, None],
        state.link_velocity + fall[:, None, None, None],
    )
    bounds = _bounds(walker, state, action, contacts.gap)
    motion, impulses = solve(rows, mass, bounds, motion, _kept(state, contacts.gap))

    start = Poses(hull=state.hull_pose, links=jnp.concatenate([centres, angles[None]]))
    velocity = Poses(hull=motion.hull, links=body_velocities(mass, motion))
    end = settle(walker, start, velocity, contacts, bounds.at_lower, bounds.at_upper, TIME_STEP)
    flight = Flight(
        shift=end.links[:2] - centres, turn=end.links[2] - angles, velocity=velocity.links
    )
    flight, hit = land(walker, pairs, contacts, centres, flight, _friction(walker), TIME_STEP)

    after = WalkerState(
        hull_pose=end.hull,
        joints=joint_angles(walker, end.hull[2], angles + flight.turn),
        hull_velocity=motion.hull,
        link_velocity=flight.velocity,
        offset=jnp.zeros_like(state.offset),
        impulses=impulses,
    )
    after = after.replace(offset=centres + flight.shift - _joined(walker, after))
    return after, fold(jnp.logical_or, contacts.gap[:, 1] < SKIN) | hit[1]


def _joined(walker: Anatomy, state: WalkerState) -> jax.Array:
    """World position of the links' centres if they hung on their joints, [2, 2 (upper, lower),
    legs, N], m.
    """
    shape = posture(
        walker, state.hull_pose[2], link_angles(walker, state.hull_pose[2], state.joints)
    )
    return link_tops(walker, state.hull_pose, shape) + walker.length[None] / 2 * shape.axis


def _kept(state: WalkerState, gap: jax.Array) -> jax.Array:
    """The last impulses where they still mean something: those of joints, and of contacts
    within the skin.
    """
    touches = (gap < SKIN).astype(jnp.float32).reshape(len(NORMALS), *state.joints.shape[1:])
    return state.impulses * jnp.concatenate([jnp.ones_like(state.joints), touches, touches])


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
    touches = (gap < SKIN).reshape(len(NORMALS), *state.joints.shape[1:])
    lower, upper = (
        np.array(limits, np.float32)[:, None, None]
        for limits in (walker.body.joint_lower, walker.body.joint_upper)
    )
    return Bounds(
        target=jnp.concatenate(
            [
                np.array(walker.body.motor_speeds, np.float32)[:, None, None] * jnp.sign(legwise),
                jnp.zeros_like(touches, float),
            ]
        ),
        low=jnp.concatenate([-strength, jnp.zeros_like(touches, float)]),
        high=jnp.concatenate([strength, jnp.where(touches, jnp.inf, 0.0)]),
        at_lower=state.joints <= lower,
        at_upper=state.joints >= upper,
        friction=_friction(walker),
    )
