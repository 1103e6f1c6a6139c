"""One step of a walker's physics, after Box2D: velocities, constraints, poses, push-out, impacts.

1. Gravity changes each body's velocity, then all are projected on the joints in the mass metric.
2. Motors, joint limits and contacts bound the velocities (`solver`).
3. Bodies move freely at those velocities, then the poses are projected on the joints, in the same metric.
4. A few sweeps push links out of the track and joints back to their limits; they move poses, never velocities.
5. Links that reached the track on the way are stopped there, each on its own (`impact`).
"""

from __future__ import annotations

import functools

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.batching import apart
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.contact import SKIN, Contacts, deepest, link_contacts
from jaxcurriculum.envs.walker.impact import TOUCH_GAP, Flight, land
from jaxcurriculum.envs.walker.kinematics import Posture, WalkerState, dot, fold, link_angles, link_tops, perpendicular, posture
from jaxcurriculum.envs.walker.mass import Motion, body_velocities, mass_matrix, project
from jaxcurriculum.envs.walker.rows import JOINTS, NORMALS, TANGENTS, Rows, make_rows, row_speeds
from jaxcurriculum.envs.walker.solver import Bounds, Solution, gauss_seidel, solve
from jaxcurriculum.envs.walker.surfaces import FAR
from jaxcurriculum.envs.walker.terrain import FRICTION, Window

TIME_STEP = 1 / 50  # s
GRAVITY = -10.0  # m/s^2
PUSH_SWEEPS = 4
REST_GAP = 0.015  # m: links come to rest this far away
BAUMGARTE = 0.2  # how much of the way to there a push takes a link that is alone
ITERATIONS = 60  # pushes in a step at most
LIMIT_SLOP = np.deg2rad(2)  # rad: joints are pushed back until they are this near to their limits


def advance(walker: Anatomy, window: Window, state: WalkerState, action: jax.Array) -> tuple[WalkerState, jax.Array]:
    """The state one time step later under action [joints, N], and whether each lower link touched the track, [legs, N] bool."""
    hull_angle = state.hull_pose[2]
    shape = apart(lambda angle, joints: posture(walker, angle, link_angles(walker, angle, joints)))(hull_angle, state.joints)
    mass = apart(functools.partial(mass_matrix, walker))(shape)
    tops = link_tops(walker, state.hull_pose, shape) + state.offset
    pairs = apart(functools.partial(link_contacts, walker))(window, tops, shape)
    centres = tops + walker.length[None] / 2 * shape.axis
    contacts = apart(deepest)(pairs, centres)
    rows = apart(make_rows)(mass, tops, contacts)

    fall = np.array([0.0, GRAVITY * TIME_STEP, 0.0], np.float32)
    motion = project(walker, mass, state.hull_velocity + fall[:, None], state.link_velocity + fall[:, None, None, None])
    motion, impulses = solve(rows, mass, _bounds(walker, state, action, contacts.gap), motion, _kept(state, contacts.gap))
    velocity = body_velocities(mass, motion)

    repair = project(walker, mass, jnp.zeros_like(motion.hull), _drift(walker, shape, state, motion.hull, velocity))
    moved = Motion(hull=TIME_STEP * motion.hull + repair.hull, links=TIME_STEP * motion.links + repair.links)
    gap = contacts.gap - dot(contacts.normal, state.offset[:, None])  # of the links where their joints want them
    share = _share(walker, rows, contacts, centres)
    push = _push_out(walker, rows, share, state.joints, jnp.where(contacts.gap < SKIN, gap, FAR), moved)
    shift = Motion(hull=moved.hull + push.hull, links=moved.links + push.links)
    turn = TIME_STEP * velocity[2] + mass.rates(Motion(hull=repair.hull + push.hull, links=repair.links + push.links))
    after = WalkerState(
        hull_pose=state.hull_pose + shift.hull,
        joints=state.joints + jnp.stack([turn[0] - shift.hull[2:], turn[1] - turn[0]]),
        hull_velocity=motion.hull,
        link_velocity=velocity,
        offset=jnp.zeros_like(state.offset),
        impulses=impulses,
    )
    after, hit = _land(walker, pairs, contacts, tops, shape, turn, after)
    return after, fold(jnp.logical_or, contacts.gap[:, 1] < SKIN) | hit[1]


def _land(
    walker: Anatomy, pairs: Contacts, near: Contacts, tops: jax.Array, shape: Posture, turn: jax.Array, after: WalkerState
) -> tuple[WalkerState, jax.Array]:
    """The state with links that reached the track stopped there, and which did, [2 (upper, lower), legs, N] bool."""
    half = walker.length[None] / 2
    start, joined = tops + half * shape.axis, _centres(walker, after)
    flight = Flight(shift=joined - start, turn=turn, velocity=after.link_velocity)
    end, hit = land(walker, pairs, near, start, flight, _friction(walker), TIME_STEP)
    further = end.turn - turn
    after = after.replace(joints=after.joints + jnp.stack([further[0], further[1] - further[0]]), link_velocity=end.velocity)
    return after.replace(offset=jnp.where(hit[None], start + end.shift - _centres(walker, after), 0.0)), hit


def _centres(walker: Anatomy, state: WalkerState) -> jax.Array:
    """World position of the links' centres where they hang on their joints, [2, 2 (upper, lower), legs, N], m."""
    shape = posture(walker, state.hull_pose[2], link_angles(walker, state.hull_pose[2], state.joints))
    return link_tops(walker, state.hull_pose, shape) + walker.length[None] / 2 * shape.axis


def _kept(state: WalkerState, gap: jax.Array) -> jax.Array:
    """The last impulses where they still mean something: those of joints, and of contacts within the skin."""
    touches = (gap < SKIN).astype(jnp.float32).reshape(len(NORMALS), *state.joints.shape[1:])
    return state.impulses * jnp.concatenate([jnp.ones_like(state.joints), touches, touches])


def _friction(walker: Anatomy) -> float:
    return float(np.sqrt(FRICTION * walker.body.link_friction))


def _bounds(walker: Anatomy, state: WalkerState, action: jax.Array, gap: jax.Array) -> Bounds:
    """What the rows may do.

    A motor pulls its joint to speed S sign(a) with a torque of at most T |a|; a limit holds a joint that is at it or past it; contacts
    within the skin push; friction is at most mu times the normal impulse.
    """
    legwise = action.reshape(walker.body.num_legs, 2, -1).swapaxes(0, 1)
    strength = walker.torque * TIME_STEP * jnp.minimum(jnp.abs(legwise), 1.0)
    touches = (gap < SKIN).reshape(len(NORMALS), *state.joints.shape[1:])
    at_lower, at_upper = _at_limits(walker, state.joints)
    return Bounds(
        target=jnp.concatenate(
            [np.array(walker.body.motor_speeds, np.float32)[:, None, None] * jnp.sign(legwise), jnp.zeros_like(touches, float)]
        ),
        low=jnp.concatenate([-strength, jnp.zeros_like(touches, float)]),
        high=jnp.concatenate([strength, jnp.where(touches, jnp.inf, 0.0)]),
        at_lower=at_lower,
        at_upper=at_upper,
        friction=_friction(walker),
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
    return jnp.concatenate([joined + moved + state.offset, jnp.zeros_like(moved[:1])])


def _share(walker: Anatomy, rows: Rows, contacts: Contacts, centres: jax.Array) -> jax.Array:
    """What is left of a push on a link alone when its joints have shared it with the whole walker, [4 (normals), legs, N]."""
    lever = dot(perpendicular(contacts.point - centres[:, None]), contacts.normal)
    alone = 1 / (1 / walker.mass[None] + lever * lever / walker.inertia[None])
    return alone.reshape(len(NORMALS), *alone.shape[2:]) / rows.mass[NORMALS[0] : TANGENTS[0]]


def _push_out(walker: Anatomy, rows: Rows, share: jax.Array, joints: jax.Array, gap: jax.Array, moved: Motion) -> Motion:
    """The displacement, on top of `moved`, that takes links out of the track and joints back to their limits.

    As Box2D does, until it is content or after `ITERATIONS`: each pushes a link alone a fifth of the way to `REST_GAP`, and its joints
    leave a `share` of that; it is content at `TOUCH_GAP`. A heavy hull on a light leg stays too low, then the link meets the track again
    at the end of the step. Joints that were past a limit come back to within `LIMIT_SLOP` of it. No push may press another link into
    the track.
    """
    change = row_speeds(rows.jacobian[: TANGENTS[0]], moved)
    lower, upper = (
        np.array(walker.body.joint_lower, np.float32)[:, None, None],
        np.array(walker.body.joint_upper, np.float32)[:, None, None],
    )
    at_lower, at_upper = _at_limits(walker, joints)
    joints = joints + change[: len(JOINTS)]
    back = jnp.where(at_lower, jnp.maximum(lower - LIMIT_SLOP - joints, 0.0), 0.0)
    back = back - jnp.where(at_upper, jnp.maximum(joints - upper - LIMIT_SLOP, 0.0), 0.0)
    gap = gap.reshape(len(NORMALS), *joints.shape[1:]) + change[NORMALS[0] : TANGENTS[0]]
    each, missing = BAUMGARTE * share, jnp.maximum(REST_GAP - gap, 0.0)
    out = jnp.minimum(jnp.maximum(TOUCH_GAP - gap, each * missing), (1 - (1 - each) ** ITERATIONS) * missing)
    out = jnp.where(gap < REST_GAP, out, TOUCH_GAP - gap)
    free = jnp.where(back != 0, jnp.inf, 0.0)
    bounds = Bounds(
        target=jnp.concatenate([back, out]),
        low=jnp.concatenate([-free, jnp.zeros_like(out)]),
        high=jnp.concatenate([free, jnp.full_like(out, jnp.inf)]),
        at_lower=jnp.zeros_like(at_lower),
        at_upper=jnp.zeros_like(at_upper),
        friction=0.0,
    )
    still = jax.tree.map(jnp.zeros_like, moved)
    nothing = Solution(motion=still, impulses=jnp.zeros_like(rows.mass), change=jnp.zeros_like(moved.hull[0]))
    return gauss_seidel(rows, bounds, nothing, (*JOINTS, *NORMALS), PUSH_SWEEPS).motion
