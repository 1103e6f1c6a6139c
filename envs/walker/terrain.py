"""Stump tracks: flat ground with boxes at a constant pitch. Contact and lidar see a track only through `columns`."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.types import Key

STEP = 14 / 30  # m: the unit of a track's lengths
GROUND = 400 / 30 / 4  # m: height of the ground
START = 20 * STEP  # m: the first stump stands here
END = 200 * STEP  # m: no stump starts here or beyond
FINISH = (200 - 10) * STEP  # m
START_X = 10 * STEP  # m: where the walker is created
MIN_GAP = 0.01  # m
MIN_PITCH = STEP + MIN_GAP  # m
NUM_STUMPS = 200  # size of the table: 177 at the smallest pitch, the rest is padding
MAX_PUSH = 5.0  # N
FRICTION = 2.5
NOWHERE = -1e3  # m: top of a stump that does not exist


class Level(struct.PyTreeNode):
    """One track. The step only indexes it, so a table of levels is never copied."""

    tops: jax.Array  # [NUM_STUMPS], m: absolute height of each stump, NOWHERE for padding, which includes the last entry
    pitch: jax.Array  # [], m: from the left side of a stump to that of the next
    push: jax.Array  # [], N: horizontal force on the hull during the first step


class Window(struct.PyTreeNode):
    """The stumps around a walker: the only part of a level that a step reads."""

    tops: jax.Array  # [stumps, N], m
    first: jax.Array  # [N], int32: which stump of the level comes first
    pitch: jax.Array  # [N], m


class Columns(struct.PyTreeNode):
    """Boxes that stand in the ground, solid down to any depth; all three have one shape [..., N]."""

    left: jax.Array  # m
    right: jax.Array  # m
    top: jax.Array  # m


def stump_level(key: Key, task: jax.Array) -> Level:
    """The level of task (mean height [in steps of 14/30 m], spacing [m]).

    Each stump is one step wide and max(0.05, N(mean, 0.1^2)) steps high; max(0.01, spacing) metres separate it from the next.
    The push is uniform in [-5, 5] N. Source: Portelas et al. 2019, Stump Tracks.
    """
    key_heights, key_push = jax.random.split(key)
    heights = jnp.maximum(0.05, task[0] + 0.1 * jax.random.normal(key_heights, (NUM_STUMPS,)))
    pitch = STEP + jnp.maximum(MIN_GAP, task[1])
    exists = START + pitch * jnp.arange(NUM_STUMPS) < END
    return Level(
        tops=jnp.where(exists, GROUND + STEP * heights, NOWHERE),
        pitch=pitch,
        push=jax.random.uniform(key_push, (), minval=-MAX_PUSH, maxval=MAX_PUSH),
    )


def look_around(level: Level, start: jax.Array, width: float) -> Window:
    """The stumps that a stretch of `width` metres from x = start [N] touches.

    This indexes the level and nothing else does, so that XLA reads these few entries straight from a table of levels.
    """
    first = jnp.floor((start - START) / level.pitch).astype(jnp.int32)
    index = first[None] + np.arange(num_columns(width), dtype=np.int32)[:, None]
    known = jnp.where(index >= 0, jnp.minimum(index, NUM_STUMPS - 1), NUM_STUMPS - 1)
    return Window(tops=_pick(level.tops, known), first=first, pitch=level.pitch)


def columns(window: Window, x: jax.Array, num: int) -> Columns:
    """The `num` stumps from the one at or left of x [..., N] on, from left to right: [num, ..., N]. They must lie in the window."""
    steps = np.arange(num, dtype=np.int32).reshape(num, *([1] * x.ndim))
    pitch, first = (a.reshape(*([1] * (x.ndim - 1)), -1) for a in (window.pitch, window.first))
    index = jnp.floor((x - START) / pitch).astype(jnp.int32)[None] + steps
    within = jnp.clip(index - first[None], 0, window.tops.shape[0] - 1)
    left = START + index.astype(jnp.float32) * pitch[None]
    return Columns(left=left, right=left + STEP, top=_pick(window.tops, within))


def _pick(table: jax.Array, index: jax.Array) -> jax.Array:
    """Entries [..., N] of each walker's own column of `table` [rows, N]."""
    flat = index.reshape(-1, index.shape[-1])
    return jnp.take_along_axis(table, flat, axis=0, mode="promise_in_bounds").reshape(index.shape)


def num_columns(width: float) -> int:
    """How many stumps a stretch of `width` metres can touch, wherever it starts."""
    return int(np.floor(width / MIN_PITCH)) + 2
