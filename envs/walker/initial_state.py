"""The states in which episodes begin, for batches of levels."""

from __future__ import annotations

from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.bodies import STANCE, Anatomy
from jaxcurriculum.envs.walker.engine.contact import SKIN
from jaxcurriculum.envs.walker.engine.kinematics import (
    TIME_STEP,
    WalkerState,
    hull_corners,
    link_angles,
    link_corners,
    link_tops,
    posture,
    posture_of,
)
from jaxcurriculum.envs.walker.engine.mass import body_velocities, mass_matrix, project
from jaxcurriculum.envs.walker.engine.position_correction import REST_GAP
from jaxcurriculum.envs.walker.engine.surfaces import GROUND
from jaxcurriculum.envs.walker.engine.terrain import START_X, Level
from jaxcurriculum.envs.walker.starts import StartArrays


def initial_state(walker: Anatomy, level: Level) -> tuple[WalkerState, jax.Array]:
    """The state at the start, and whether each lower link touches the ground, [legs, N] bool.

    The level's push, a force on the hull for one step, is already in the velocities.
    """
    start = walker.start if level.ground is None else walker.start_on_pieces
    if start is None:
        state = standing_start(walker, level)
        touched = _feet_touch(walker, state)
    else:
        state, touched = measured_start(start, level)
    return _pushed(walker, level, state), touched


def _pushed(walker: Anatomy, level: Level, state: WalkerState) -> WalkerState:
    mass = mass_matrix(walker, posture_of(walker, state))
    still = jnp.zeros_like(level.push)
    speed = level.push * TIME_STEP / walker.hull_mass
    kick = jnp.stack([speed, still, still])
    change = project(walker, mass, kick, jnp.zeros_like(state.link_velocity))
    return state.replace(
        hull_velocity=state.hull_velocity + change.hull,
        link_velocity=state.link_velocity + body_velocities(mass, change),
    )


def _feet_touch(walker: Anatomy, state: WalkerState) -> jax.Array:
    """Whether each lower link is within the skin of flat ground, [legs, N] bool."""
    shape = posture_of(walker, state)
    tops = link_tops(walker, state.hull_pose, shape)
    corners = link_corners(walker, tops, shape.axis)
    return corners[1, :, 1].min(0) < GROUND + SKIN


def measured_start(start: StartArrays, level: Level) -> tuple[WalkerState, jax.Array]:
    """Where Box2D holds a published body after its first two steps, and which of its lower links
    touch the ground, [legs, N] bool.
    """
    num = level.push.shape[-1]

    def for_each(x: Any) -> jax.Array:
        return jnp.broadcast_to(x, (*x.shape[:-1], num))

    *motion, touched = map(for_each, start)
    legs = touched.shape[0]
    return WalkerState(*motion, **_nothing_held(legs, level)), touched > 0


def standing_start(walker: Anatomy, level: Level) -> WalkerState:
    """At rest in `STANCE`, as far as the joints' limits allow, with the lowest point just above
    flat ground.
    """
    legs = walker.body.num_legs
    stance = np.clip(STANCE, walker.body.joint_lower, walker.body.joint_upper)
    of_legs = np.repeat(stance[:, None], legs, axis=1)
    joints = _for_each(of_legs, level)
    pose = _for_each([START_X, 0.0, 0.0], level)
    centre_x = jnp.broadcast_to(walker.centre[0], pose[0].shape)
    pose = pose.at[0].add(centre_x)
    angles = link_angles(walker, pose[2], joints)
    shape = posture(walker, pose[2], angles)
    corners = link_corners(walker, link_tops(walker, pose, shape), shape.axis)
    feet = corners[1].min((0, 1, 2))
    hull = hull_corners(walker, pose)[1].min(0)
    lowest = jnp.minimum(feet, hull)
    return WalkerState(
        hull_pose=pose.at[1].set(GROUND + REST_GAP - lowest),
        joints=joints,
        hull_velocity=_for_each(np.zeros(3), level),
        link_velocity=_for_each(np.zeros((3, 2, legs)), level),
        **_nothing_held(legs, level),
    )


def _nothing_held(legs: int, level: Level) -> dict[str, jax.Array]:
    """Offsets and impulses of joints that hold nothing yet."""
    return {
        "offset": _for_each(np.zeros((2, 2, legs)), level),
        "impulses": _for_each(np.zeros((10, legs)), level),
    }


def _for_each(values: Any, level: Level) -> jax.Array:
    """`values` for every walker of a batch of levels, [..., N]."""
    values = np.array(values, np.float32)
    num = level.push.shape[-1]
    return jnp.broadcast_to(values[..., None], (*values.shape, num))
