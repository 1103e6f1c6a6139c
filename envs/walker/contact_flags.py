"""The contact flags of gymnasium, which flicker: its listener hears of every piece of ground that a
foot meets or leaves.

A flag is set when the lower link meets a piece of the ground or an obstacle and cleared when it
leaves one, even where it still stands on another. Of several such events in one step the last one
counts, and Box2D goes through contacts from the newest to the oldest: those ahead are the newer
ones.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.contact import MARGIN, SKIN
from jaxcurriculum.envs.walker.engine.kinematics import (
    WalkerState,
    link_angles,
    link_corners,
    link_tops,
    posture,
)
from jaxcurriculum.envs.walker.engine.surfaces import STEP
from jaxcurriculum.envs.walker.engine.terrain import Window

NONE = 1e6  # the number of a piece that no foot reaches


class ContactFlags(struct.PyTreeNode):
    """What the listener knows of the lower links."""

    # [legs]: number of the leftmost piece of ground that is touched; NONE where there is none
    first: jax.Array
    last: jax.Array  # [legs]: of the rightmost; -NONE where there is none
    obstacle: jax.Array  # [legs]: 1 where an obstacle is touched
    flag: jax.Array  # [legs]: 1 where the flag is set


def no_contact(num_legs: int, num: int) -> ContactFlags:
    """The flags of a batch of `num` walkers that touch nothing."""
    none = jnp.zeros((num_legs, num))
    return ContactFlags(first=none + NONE, last=none - NONE, obstacle=none, flag=none)


def hear(
    walker: Anatomy, window: Window, state: WalkerState, before: ContactFlags, touched: jax.Array
) -> ContactFlags:
    """The flags after a step that begins in `state`, during which lower links touched the track
    or not, [legs, N] bool.
    """
    now = _touches(walker, window, state, touched)
    none = jnp.zeros_like(before.flag)
    # From the newest contact to the oldest; 1 for one that begins, -1 for one that ends.
    events = (
        now.obstacle - before.obstacle,
        jnp.sign(now.last - before.last),
        jnp.sign(before.first - now.first),
    )
    last_event = none
    for event in events:
        last_event = jnp.where(event == 0, last_event, event)
    return now.replace(
        flag=jnp.where(last_event == 0, before.flag, (last_event > 0).astype(jnp.float32))
    )


def _touches(
    walker: Anatomy, window: Window, state: WalkerState, touched: jax.Array
) -> ContactFlags:
    """What is touched as the step begins; where it is only reached during the step, what lies
    below the lowest corner.
    """
    shape = posture(
        walker, state.hull_pose[2], link_angles(walker, state.hull_pose[2], state.joints)
    )
    corners = link_corners(walker, link_tops(walker, state.hull_pose, shape), shape.axis)[
        :, :, 1
    ]  # [2, 4, legs, N]
    ground, *obstacles = window.near(corners[0].min(0) - MARGIN, walker.span.link + 2 * MARGIN)
    gaps = [surface.outside(corners).gap for surface in (ground, *obstacles)]
    nearest = jnp.stack(gaps).min((0, 1))
    reach = jnp.where(touched, jnp.maximum(nearest + 1e-4, SKIN), SKIN)
    on, piece, none = gaps[0] < reach[None], jnp.floor(corners[0] / STEP), jnp.zeros_like(nearest)
    return ContactFlags(
        first=jnp.where(on, piece, NONE).min(0),
        last=jnp.where(on, piece, -NONE).max(0),
        obstacle=(gaps[1] < reach[None]).any(0).astype(jnp.float32) if obstacles else none,
        flag=none,
    )
