"""One step of a walker's physics, after Box2D: velocities, constraints, poses, push-out.

1. Gravity changes each body's velocity, then all are projected on the joints in the mass metric.
2. Motors, joint limits and contacts bound the velocities: projected Gauss-Seidel over their rows.
3. Bodies move freely at those velocities, then the poses are projected on the joints, in the same metric.
4. A few sweeps push links out of the track and joints back to their limits; they move poses, never velocities.
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.batching import apart
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.contact import SKIN, link_contacts
from jaxcurriculum.envs.walker.kinematics import Posture, WalkerState, link_angles, link_tops, posture
from jaxcurriculum.envs.walker.mass import MassMatrix, Motion, body_velocities, mass_matrix, project
from jaxcurriculum.envs.walker.rows import JOINTS, NORMALS, TANGENTS, Rows, make_rows, row_speeds
from jaxcurriculum.envs.walker.solver import Bounds, Solution, by_kind, gauss_seidel, solve
from jaxcurriculum.envs.walker.terrain import FRICTION, Window

TIME_STEP = 1 / 50  # s
GRAVITY = -10.0  # m/s^2
PUSH_SWEEPS = 4
TOUCH_GAP = 0.005  # m: an approaching link is stopped this near (Box2D's target of a time of impact)
REST_GAP = 0.015  # m: links come to rest this far away
BAUMGARTE = 0.2  # how much of the way to there they are pushed in a step
LIMIT_SLOP = np.deg2rad(2)  # rad: joints are pushed back until they are this near to their limits


def advance(walker: Anatomy, window: Window, state: WalkerState, action: jax.Array) -> tuple[WalkerState, jax.Array]:
    """The state one time step later under action [joints, N], and whether each lower link touched the track, [legs, N] bool."""
    hull_angle = state.hull_pose[2]
    shape = apart(lambda angle, joints: posture(walker, angle, link_angles(walker, angle, joints)))(hull_angle, state.joints)
    mass = apart(functools.partial(mass_matrix, walker))(shape)
    contacts = apart(functools.partial(link_contacts, walker))(window, state.hull_pose, shape)
    rows = apart(make_rows)(mass, link_tops(walker, state.hull_pose, shape), contacts)

    fall = np.array([0.0, GRAVITY * TIME_STEP, 0.0], np.float32)
    motion = project(walker, mass, state.hull_velocity + fall[:, None], state.link_velocity + fall[:, None, None, None])
    motion, impulses, touched = _constrain(walker, rows, mass, state, action, contacts.gap, motion)
    velocity = body_velocities(mass, motion)

    repair = project(walker, mass, jnp.zeros_like(motion.hull), _drift(walker, shape, state, motion.hull, velocity))
    push = _push_out(walker, rows, state.joints, contacts.gap, motion)
    shift = Motion(hull=repair.hull + push.hull, links=repair.links + push.links)
    hull_shift = TIME_STEP * motion.hull + shift.hull
    turn = TIME_STEP * velocity[2] + mass.rates(shift)
    joints = state.joints + jnp.stack([turn[0] - hull_shift[2:], turn[1] - turn[0]])
    return WalkerState(
        hull_pose=state.hull_pose + hull_shift, joints=joints, hull_velocity=motion.hull, link_velocity=velocity, impulses=impulses
    ), touched


def _constrain(
    walker: Anatomy, rows: Rows, mass: MassMatrix, state: WalkerState, action: jax.Array, gap: jax.Array, motion: Motion
) -> tuple[Motion, jax.Array, jax.Array]:
    """The motion that motors, limits and contacts allow, its impulses, and which lower links touch [legs, N]."""
    kept = jnp.concatenate([jnp.ones_like(state.joints), *[(gap < SKIN).astype(jnp.float32).reshape(4, walker.body.num_legs, -1)] * 2])
    motion, (joints, normals, tangents) = solve(rows, mass, _bounds(walker, state, action, gap), motion, state.impulses * kept)
    near = (gap[:, 1] < SKIN).any(0)
    pressed = (normals[1::2] > 0).any(0)
    return motion, jnp.concatenate([joints, normals, tangents]), near | pressed


def _bounds(walker: Anatomy, state: WalkerState, action: jax.Array, gap: jax.Array) -> Bounds:
    """What the rows may do.

    A motor pulls its joint to speed S sign(a) with a torque of at most T |a|; a limit holds a joint that is at it or past it; a contact
    lets its points come no nearer than `TOUCH_GAP` in this step, or no nearer at all within the skin; friction is at most mu times
    the normal impulse.
    """
    legwise = action.reshape(walker.body.num_legs, 2, -1).swapaxes(0, 1)
    at_lower, at_upper = _at_limits(walker, state.joints)
    approach = jnp.where(gap < SKIN, 0.0, (TOUCH_GAP - gap) / TIME_STEP).reshape(4, walker.body.num_legs, -1)
    return Bounds(
        target=jnp.concatenate([np.array(walker.body.motor_speeds, np.float32)[:, None, None] * jnp.sign(legwise), approach]),
        strength=walker.torque * TIME_STEP * jnp.minimum(jnp.abs(legwise), 1.0),
        at_lower=at_lower,
        at_upper=at_upper,
        friction=float(np.sqrt(FRICTION * walker.body.link_friction)),
    )


def _at_limits(walker: Anatomy, joints: jax.Array) -> tuple[jax.Array, jax.Array]:
    lower, upper = (
        np.array(walker.body.joint_lower, np.float32)[:, None, None],
        np.array(walker.body.joint_upper, np.float32)[:, None, None],
    )
    return joints <= lower, joints >= upper


def _drift(walker: Anatomy, shape: Posture, state: WalkerState, hull_velocity: jax.Array, velocity: jax.Array) -> jax.Array:
    """How far free motion takes the links' centres from their joints: [3 (x, y, 0), 2 (upper, lower), legs, N], m."""
    half = walker.length[None] / 2
    hull_angle = state.hull_pose[2]
    angles = link_angles(walker, hull_angle, state.joints) + TIME_STEP * velocity[2]
    turned = posture(walker, hull_angle + TIME_STEP * hull_velocity[2], angles)
    hip = shape.hip - turned.hip
    upper, lower = (half * (shape.axis - turned.axis)).swapaxes(0, 1)
    joined = jnp.stack([hip + upper, hip + 2 * upper + lower], axis=1)
    moved = TIME_STEP * (velocity[:2] - hull_velocity[:2, None, None])
    return jnp.concatenate([joined + moved, jnp.zeros_like(moved[:1])])


def _push_out(walker: Anatomy, rows: Rows, joints: jax.Array, gap: jax.Array, motion: Motion) -> Motion:
    """The displacement, on top of a step of `motion`, that takes links out of the track and joints back to their limits.

    As Box2D does until it is content: links are pushed out to `TOUCH_GAP`, or a fifth of the way to `REST_GAP` where that is more, and
    joints that were past a limit come back to within `LIMIT_SLOP` of it. No push may press another link into the track.
    """
    change = TIME_STEP * row_speeds(rows.jacobian[: TANGENTS[0]], motion)
    lower, upper = (
        np.array(walker.body.joint_lower, np.float32)[:, None, None],
        np.array(walker.body.joint_upper, np.float32)[:, None, None],
    )
    at_lower, at_upper = _at_limits(walker, joints)
    joints = joints + change[: len(JOINTS)]
    back = jnp.where(at_lower, jnp.maximum(lower - LIMIT_SLOP - joints, 0.0), 0.0)
    back = back - jnp.where(at_upper, jnp.maximum(joints - upper - LIMIT_SLOP, 0.0), 0.0)
    gap = gap.reshape(4, walker.body.num_legs, -1) + change[NORMALS[0] : TANGENTS[0]]
    out = TOUCH_GAP - gap
    out = jnp.where(gap < REST_GAP, jnp.maximum(out, BAUMGARTE * (REST_GAP - gap)), out)
    bounds = Bounds(
        target=jnp.concatenate([back, out]),
        strength=jnp.where(back != 0, jnp.inf, 0.0),
        at_lower=jnp.zeros_like(at_lower),
        at_upper=jnp.zeros_like(at_upper),
        friction=0.0,
    )
    still = jax.tree.map(jnp.zeros_like, motion)
    nothing = Solution(motion=still, impulses=by_kind(jnp.zeros_like(rows.mass)), change=jnp.zeros_like(motion.hull[0]))
    return gauss_seidel(rows, bounds, nothing, (*JOINTS, *NORMALS), PUSH_SWEEPS).motion
