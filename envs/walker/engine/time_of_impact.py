"""When a link that moves in a step reaches the track, and with which face."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.walker.engine.contact import Contacts
from jaxcurriculum.envs.walker.engine.plane import Displacement, perpendicular
from jaxcurriculum.envs.walker.engine.surfaces import FAR, endless

TOUCH_GAP = 0.005  # m: Box2D's target of a time of impact
TOLERANCE = 0.00125  # m: what must be missing to it at the end of a step


def time_of_impact(pairs: Contacts, links: Displacement) -> tuple[jax.Array, jax.Array]:
    """After which share of its way each pair meets, `FAR` for those that do not, and whether it
    meets straight on.

    A point reaches a face when it is `TOUCH_GAP` before it, unless it passes the face's end first.
    One that begins beside the face may also come to that end from the side.
    """
    after = pairs.after(links)
    is_outside = pairs.gap > 0
    ends_inside = after.gap < TOUCH_GAP - TOLERANCE
    comes_nearer = after.gap < pairs.gap
    is_closing = is_outside & ends_inside & comes_nearer
    closing = jnp.maximum(pairs.gap - after.gap, 1e-9)
    share = (pairs.gap - TOUCH_GAP) / closing
    at_face = jnp.clip(share, 0.0, 1.0)
    is_straight = is_closing & is_before(pairs.extent, at_face * after.along)

    beside = _to_touch_beside(pairs)
    sliding = jnp.maximum(jnp.abs(after.along), 1e-9)
    at_end = beside / sliding
    is_past_end = is_closing & (beside > 0)
    comes_round = is_past_end & is_before(pairs.extent, after.along)
    round_end = jnp.where(comes_round, at_end, FAR)
    return jnp.where(is_straight, at_face, round_end), is_straight


def _to_touch_beside(pairs: Contacts) -> jax.Array:
    """How far points go along their faces, m, until they are `TOUCH_GAP` beside them."""
    return pairs.beside() - TOUCH_GAP


def met_face(met: Contacts, links: Displacement) -> Contacts:
    """The pairs that meet, those that do so round a face's end with the neighbouring face, which is
    taken to be square to theirs.
    """
    _, is_straight = time_of_impact(met, links)
    outwards = jnp.where(met.extent[1] < 0, 1.0, -1.0)
    square = outwards[None] * perpendicular(met.normal)
    gap_of_square = _to_touch_beside(met) + TOUCH_GAP
    return met.replace(
        normal=jnp.where(is_straight[None], met.normal, square),
        gap=jnp.where(is_straight, met.gap, gap_of_square),
        extent=jnp.where(is_straight[None], met.extent, endless(met.gap)),
    )


def is_before(extent: jax.Array, along: jax.Array) -> jax.Array:
    """Whether a point that went so far along a face is before it still; none that is out of reach
    is.
    """
    least, most = extent
    return (least - TOUCH_GAP <= along) & (along <= most + TOUCH_GAP)
