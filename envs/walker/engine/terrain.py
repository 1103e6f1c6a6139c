"""A track as the physics reads it: its ground, its obstacles from left to right, and the few of
them around a walker.
"""

from __future__ import annotations

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.engine.ground import Chain, Flat
from jaxcurriculum.envs.walker.engine.surfaces import STEP, Columns, Polygons, Surface

NUM_CELLS = 200  # steps of a track
PAD = 20 * STEP  # m: no obstacle stands before, though rotated ones lean over it
END = NUM_CELLS * STEP  # m: nothing begins here or beyond
FINISH = (NUM_CELLS - 10) * STEP  # m
START_X = 10 * STEP  # m: where the walker is created
MAX_PUSH = 5.0  # N
FRICTION = 2.5
NOWHERE = 1e6  # m: where obstacles stand that do not exist


@dataclasses.dataclass(frozen=True, kw_only=True)
class Density:
    """How closely obstacles may stand: groups of at most `group`, at least `width` m wide, with at
    least `gap` m between them.
    """

    gap: float
    width: float
    group: int = 1

    def most(self, stretch: float) -> int:
        """How many a stretch of so many metres can touch, wherever it lies."""
        pitch = self.gap + self.width
        with_ends = stretch + self.gap + 2 * self.width
        num_groups = math.floor(with_ends / pitch + 1e-9)
        return self.group * num_groups


class Level(struct.PyTreeNode):
    """One track. The step reads it through `window_at` alone, so that a table of levels is never
    copied.
    """

    push: jax.Array  # [], N: horizontal force on the hull during the first step
    # [NUM_CELLS], m: height of the ground at each step; None where it is flat
    ground: jax.Array | None
    # [obstacles, ...] from left to right; those that do not exist are `NOWHERE`, at the end
    obstacles: Columns | Polygons | None
    # [NUM_CELLS], int32: which obstacle is the first that reaches into each step
    first: jax.Array | None
    walker: Anatomy | None  # the body, where a task chooses it
    density: Density | None = struct.field(pytree_node=False)


class Window(struct.PyTreeNode):
    """What stands around a walker: the only part of a level that a step reads."""

    ground_left: jax.Array | None  # [N], m
    heights: jax.Array | None  # [pieces + 1, N], m
    obstacles: Columns | Polygons | None  # [obstacles, ..., N]
    density: Density | None = struct.field(pytree_node=False)

    def near(self, x: jax.Array, stretch: float) -> list[Surface]:
        """The surfaces on `stretch` metres from x [..., N] on, which must lie in the window."""
        surfaces = [self._ground(x, stretch)]
        if self.obstacles is not None:
            surfaces.append(self._obstacles(x, stretch))
        return surfaces

    def _ground(self, x: jax.Array, stretch: float) -> Surface:
        if self.heights is None or self.ground_left is None:
            return Flat()
        small_axes = [1] * (x.ndim - 1)
        left = self.ground_left.reshape(*small_axes, -1)
        last = self.heights.shape[0] - 1
        piece = jnp.floor((x - left) / STEP)
        piece = jnp.clip(piece, 0, last - 1).astype(jnp.int32)
        number = np.arange(_pieces(stretch) + 1)
        number = number.reshape(-1, *[1] * x.ndim)
        index = jnp.minimum(piece[None] + number, last)
        heights = _pick(self.heights, index)
        return Chain(left=left + STEP * piece, heights=heights)

    def _obstacles(self, x: jax.Array, stretch: float) -> Surface:
        assert self.obstacles is not None and self.density is not None
        small_axes = [1] * (x.ndim - 1)
        right = right_ends(self.obstacles)
        in_window = right.shape[0]
        wanted = self.density.most(stretch)

        def with_small_axes(table):
            *own_axes, num = table.shape
            return table.reshape(*own_axes, *small_axes, num)

        if in_window <= wanted:
            return jax.tree.map(with_small_axes, self.obstacles)
        number = np.arange(in_window, dtype=np.int32)
        number = number.reshape(-1, *[1] * x.ndim)
        right = with_small_axes(right)
        last = in_window - wanted
        first = jnp.where(right >= x[None], number, last).min(0)
        index = jnp.minimum(first, last)[None] + number[:wanted]
        return take(self.obstacles, index)


def window_at(level: Level, start: jax.Array, stretch: float) -> Window:
    """What stands on `stretch` metres from x = start [N] on.

    This indexes the level and nothing else does, so that XLA reads these few entries straight from
    a table of levels.
    """
    cell = jnp.floor(start / STEP).astype(jnp.int32)
    cell = jnp.clip(cell, 0, NUM_CELLS - 2)
    heights = left = obstacles = None
    if level.ground is not None:
        number = np.arange(_pieces(stretch) + 1, dtype=np.int32)[:, None]
        index = jnp.minimum(cell[None] + number, NUM_CELLS - 1)
        left = STEP * cell
        heights = _pick(level.ground, index)
    if level.obstacles is not None and level.first is not None and level.density is not None:
        number = np.arange(level.density.most(stretch), dtype=np.int32)[:, None]
        last = right_ends(level.obstacles).shape[0] - 1
        first = _pick(level.first, cell[None])
        index = jnp.minimum(first + number, last)
        obstacles = take(level.obstacles, index)
    return Window(ground_left=left, heights=heights, obstacles=obstacles, density=level.density)


def index_obstacles(obstacles: Columns | Polygons) -> jax.Array:
    """Which obstacle is the first that reaches into each step, [NUM_CELLS] int32, of obstacles
    [obstacles, ...] without a batch.
    """
    right = right_ends(obstacles)
    number = jnp.arange(right.shape[0], dtype=jnp.int32)
    # the last step that each reaches into
    last = jnp.clip(jnp.floor(right / STEP), 0, NUM_CELLS - 1)
    last = last.astype(jnp.int32)
    none = jnp.full((NUM_CELLS,), len(right) - 1, jnp.int32)
    first = none.at[last].min(number)
    return jax.lax.cummin(first, reverse=True)


def right_ends(obstacles: Columns | Polygons) -> jax.Array:
    """Where each obstacle ends, [obstacles, ...], m."""
    if isinstance(obstacles, Columns):
        return obstacles.right
    x, _ = obstacles.vertices
    return x.max(1)


def take(obstacles: Columns | Polygons, index: jax.Array) -> Columns | Polygons:
    """The obstacles index [num, ..., N] of each walker's own [obstacles, ..., N]."""
    if isinstance(obstacles, Columns):
        return jax.tree.map(lambda table: _pick(table, index), obstacles)
    vertices = obstacles.vertices

    def coordinates(axis):
        corners = range(vertices.shape[2])
        picked = [_pick(vertices[axis, :, corner], index) for corner in corners]
        return jnp.stack(picked, axis=1)

    return Polygons(vertices=jnp.stack([coordinates(0), coordinates(1)]))


def _pieces(stretch: float) -> int:
    """How many pieces of the ground a stretch can touch."""
    return math.floor(stretch / STEP) + 2


def _pick(table: jax.Array, index: jax.Array) -> jax.Array:
    """Entries [..., N] of each walker's own column of `table` [rows, N]."""
    flat = index.reshape(-1, index.shape[-1])
    picked = jnp.take_along_axis(table, flat, axis=0, mode="promise_in_bounds")
    return picked.reshape(index.shape)
