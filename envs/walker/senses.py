"""What a walker senses: its joints and speeds, ten lidar rays, and contact flags.

Gymnasium's flags flicker, as its listener is told of every piece of ground that a foot meets or
leaves: a flag is set when the lower link meets a piece of the ground or an obstacle and cleared
when it leaves one, even where it still stands on another. Of several such events in one step the
last one counts, and Box2D goes through contacts from the newest to the oldest: those ahead are the
newer ones.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.contact import MARGIN, SKIN
from jaxcurriculum.envs.walker.engine.kinematics import (
    TIME_STEP,
    WalkerState,
    hull_origin,
    link_corners,
    link_tops,
    posture_of,
)
from jaxcurriculum.envs.walker.engine.surfaces import STEP
from jaxcurriculum.envs.walker.engine.terrain import Window

# m: width and height of the published picture, which scale the observed velocity
VIEWPORT = (20.0, 400 / 30)
RANGE = 160 / 30  # m: of the lidar
ANGLES = 1.5 * np.arange(10) / 10  # rad from straight down, forward
_RAYS = (RANGE * np.array([np.sin(ANGLES), np.cos(ANGLES)])).astype(np.float32)
_REACH, _DROP = _RAYS[..., None]  # m forward, m down
NONE = 1e6  # the number of a piece that no foot reaches


class ContactFlags(struct.PyTreeNode):
    """What gymnasium's listener knows of the lower links."""

    # [legs]: number of the leftmost piece of ground that is touched; NONE where there is none
    first: jax.Array
    last: jax.Array  # [legs]: of the rightmost; -NONE where there is none
    obstacle: jax.Array  # [legs]: 1 where an obstacle is touched
    flag: jax.Array  # [legs]: 1 where the flag is set


def observe(walker: Anatomy, window: Window, state: WalkerState, touched: jax.Array) -> jax.Array:
    """What the walker senses, [4 + 5 legs + 10, N].

    Hull angle, 2/50 of its rate, vx and vy of its centre of mass (times 0.12 and 0.08); for each
    leg hip angle, hip rate / 4, knee angle + 1, knee rate / 6, contact of the lower link; ten
    fractions of the lidar.
    """
    linear = 0.3 * TIME_STEP * np.array(VIEWPORT)
    scale = np.array([*linear, 2 * TIME_STEP], np.float32)
    vx, vy, rate = state.hull_velocity * scale[:, None]
    link_rates = state.link_velocity[2]
    hip_rate = link_rates[0] - state.hull_velocity[2:]
    knee_rate = link_rates[1] - link_rates[0]
    hip_speed, knee_speed = walker.body.motor_speeds
    legs = [
        state.joints[0],
        hip_rate / hip_speed,
        state.joints[1] + 1.0,
        knee_rate / knee_speed,
        touched.astype(jnp.float32),
    ]
    per_leg = jnp.stack(legs, axis=1).reshape(5 * walker.body.num_legs, -1)
    angle = state.hull_pose[2]
    hull = jnp.stack([angle, rate, vx, vy])
    rays = lidar(window, hull_origin(walker, state.hull_pose))
    return jnp.concatenate([hull, per_leg, rays])


def lidar(window: Window, origin: jax.Array) -> jax.Array:
    """Fraction of the range to the nearest hit, 1 where there is none, of ten rays from straight
    down to 1.35 rad forward: [10, N], from origin [2, N] above the ground.
    """
    surfaces = window.near(origin[0], RANGE)
    fractions = [surface.rays(origin, _REACH, _DROP) for surface in surfaces]
    return jnp.minimum(jnp.stack(fractions).min(0), 1.0)


def no_contact(num_legs: int, num: int) -> ContactFlags:
    """The flags of a batch of `num` walkers that touch nothing."""
    none = jnp.zeros((num_legs, num))
    return ContactFlags(first=none + NONE, last=none - NONE, obstacle=none, flag=none)


def update_flags(
    walker: Anatomy, window: Window, state: WalkerState, touched: jax.Array
) -> ContactFlags:
    """The flags after a step that begins in `state`, during which lower links touched the track or
    not, [legs, N] bool.
    """
    before = state.flags
    now = _touches(walker, window, state, touched)
    # From the newest contact to the oldest; 1 for one that begins, -1 for one that ends.
    events = (
        now.obstacle - before.obstacle,
        jnp.sign(now.last - before.last),
        jnp.sign(before.first - now.first),
    )
    last_event = jnp.zeros_like(before.flag)
    for event in events:
        last_event = jnp.where(event == 0, last_event, event)
    is_begin = (last_event > 0).astype(jnp.float32)
    return now.replace(flag=jnp.where(last_event == 0, before.flag, is_begin))


def _touches(
    walker: Anatomy, window: Window, state: WalkerState, touched: jax.Array
) -> ContactFlags:
    """What is touched as the step begins; where it is only reached during the step, what lies
    below the lowest corner.
    """
    shape = posture_of(walker, state)
    tops = link_tops(walker, state.hull_pose, shape)
    corners = link_corners(walker, tops, shape.axis)[:, :, 1]  # [2, 4, legs, N]
    x = corners[0]
    surfaces = window.near(x.min(0) - MARGIN, walker.span.link + 2 * MARGIN)
    ground, *obstacles = [surface.outside(corners).gap for surface in surfaces]
    nearest = jnp.stack([ground, *obstacles]).min((0, 1))
    none = jnp.zeros_like(nearest)
    to_nearest = jnp.maximum(nearest + 1e-4, SKIN)
    reach = jnp.where(touched, to_nearest, SKIN)[None]
    is_on = ground < reach
    piece = jnp.floor(x / STEP)
    on_obstacle = none
    if obstacles:
        on_obstacle = (obstacles[0] < reach).any(0).astype(jnp.float32)
    return ContactFlags(
        first=jnp.where(is_on, piece, NONE).min(0),
        last=jnp.where(is_on, piece, -NONE).max(0),
        obstacle=on_obstacle,
        flag=none,
    )
