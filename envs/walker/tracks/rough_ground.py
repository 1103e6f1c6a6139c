"""Ground of straight pieces with pits, stumps and stairs, after gymnasium's BipedalWalker.

A generator goes along the track step by step and alternates runs of rough ground with one obstacle
each.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.bodies import PIXEL
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP, Columns
from jaxcurriculum.envs.walker.engine.terrain import NOWHERE, NUM_CELLS, Density

ROUGH, STUMP, STAIRS, PIT = range(4)
START_PAD = 20  # steps
RUN = (5, 10)  # steps of rough ground between obstacles: at least, and fewer than
PIT_DEPTH = 4  # steps
STAIR_WIDTH = 4  # steps
NUM_DRAWS = 5  # uniform numbers that each step of a track is made of
MOST_BOXES = 50  # on a track: pits one step wide give two in eight steps
DENSITY = Density(gap=0.0, width=STEP)


class Obstacle(NamedTuple):
    """One obstacle as drawn, in steps of 14/30 m."""

    length: jax.Array  # int32: steps of the track that it takes
    pit: jax.Array  # width of the hole
    stump: jax.Array  # [2]: width and height
    rise: jax.Array  # of each stair, negative where stairs go down


# (task, kind, uniforms [3], length of a run) -> obstacle
Draw = Callable[[jax.Array, jax.Array, jax.Array, jax.Array], Obstacle]


class Obstacles(NamedTuple):
    """What may stand on rough ground."""

    kinds: jax.Array | np.ndarray  # [3] bool: whether there are stumps, stairs, pits
    draw: Draw
    ramp: bool  # the ground below stairs is a slope, as in gymnasium, else it has steps itself


class _Cursor(NamedTuple):
    """Where the generator is."""

    kind: jax.Array  # int32
    begins: jax.Array  # bool: this step is the first of its kind
    remaining: jax.Array  # int32: steps to go, this one included
    elapsed: jax.Array  # int32: steps since the kind began
    height: jax.Array  # m
    slope: jax.Array  # m a step
    base: jax.Array  # m: height where the last obstacle began
    obstacle: Obstacle


def rough_ground(
    uniforms: jax.Array, task: jax.Array, obstacles: Obstacles
) -> tuple[jax.Array, Columns]:
    """Heights of the ground, [NUM_CELLS], and boxes.

    Args:
      uniforms: [NUM_CELLS, NUM_DRAWS]. The first number of a step bends rough ground, the second
        sets the length of the next run, the third the kind of the next obstacle; the first, fourth
        and fifth draw an obstacle that begins there.
      task: how rough the ground is comes first, the rest is for drawing obstacles.
    """
    roughness = task[0]
    kinds = jnp.asarray(obstacles.kinds)

    def step(cursor: _Cursor, inputs: tuple[jax.Array, jax.Array]):
        number, numbers = inputs
        is_new = cursor.begins & (cursor.kind != ROUGH)
        of_obstacle = numbers[np.array([0, 3, 4])]
        drawn = obstacles.draw(task, cursor.kind, of_obstacle, cursor.remaining)
        cursor = _with_obstacle(cursor, is_new, drawn)
        bend = (2 * numbers[0] - 1) * PIXEL
        bend = jnp.where(number > START_PAD, bend, 0.0)
        cursor = _follow_ground(cursor, roughness, bend, obstacles.ramp)
        outputs = cursor.height, _box(cursor, STEP * number)
        return _advance(cursor, numbers[1], numbers[2], kinds), outputs

    inputs = jnp.arange(NUM_CELLS), uniforms
    _, (heights, boxes) = jax.lax.scan(step, _start(), inputs)
    return heights, _table(*boxes)


def _start() -> _Cursor:
    zero = jnp.zeros(())
    none = jnp.zeros((), jnp.int32)
    return _Cursor(
        kind=none,
        begins=jnp.zeros((), bool),
        remaining=jnp.full((), START_PAD, jnp.int32),
        elapsed=none,
        height=jnp.full((), GROUND, jnp.float32),
        slope=zero,
        base=zero,
        obstacle=Obstacle(length=none, pit=zero, stump=jnp.zeros((2,)), rise=zero),
    )


def _table(exists: jax.Array, boxes: jax.Array) -> Columns:
    """Those of the boxes [NUM_CELLS, 3 (left, right, top)] that exist, from left to right."""
    number = jnp.cumsum(exists) - 1
    row = jnp.where(exists, number, MOST_BOXES + 1)
    none = jnp.array([NOWHERE, NOWHERE + 1.0, GROUND])
    table = jnp.tile(none, (MOST_BOXES + 1, 1))
    table = table.at[row].set(boxes, mode="drop")
    left, right, top = table.T
    return Columns(left, right, top)


def _with_obstacle(cursor: _Cursor, is_new: jax.Array, drawn: Obstacle) -> _Cursor:
    """The obstacle that was drawn, where one begins here."""

    def where_new(new, old):
        return jnp.where(is_new, new, old)

    return cursor._replace(
        obstacle=jax.tree.map(where_new, drawn, cursor.obstacle),
        remaining=where_new(drawn.length, cursor.remaining),
        elapsed=jnp.where(cursor.begins, 0, cursor.elapsed + 1),
        base=where_new(cursor.height, cursor.base),
    )


def _follow_ground(cursor: _Cursor, roughness: jax.Array, bend: jax.Array, ramp: bool) -> _Cursor:
    """The height of the ground at this step."""
    rolls = (cursor.kind == ROUGH) & ~cursor.begins
    to_middle = jnp.sign(GROUND - cursor.height)
    bent = 0.8 * cursor.slope + 0.01 * to_middle + bend
    slope = jnp.where(rolls, bent, cursor.slope)
    rolled = cursor.height + jnp.where(rolls, roughness * slope, 0.0)
    depth = jnp.where(cursor.remaining > 1, PIT_DEPTH * STEP, 0.0)
    hole = cursor.base - depth
    stairs = cursor.base + STEP * _below_stairs(cursor, ramp)
    height = jnp.where(cursor.kind == STAIRS, stairs, rolled)
    height = jnp.where(cursor.kind == PIT, hole, height)
    height = jnp.where(cursor.begins, cursor.height, height)
    return cursor._replace(slope=slope, height=height)


def _below_stairs(cursor: _Cursor, ramp: bool) -> jax.Array:
    """Height of the ground below stairs, in steps from where they begin."""
    rise = cursor.obstacle.rise
    if ramp:
        return (cursor.elapsed - jnp.sign(rise)) / STAIR_WIDTH * rise
    stair = (cursor.elapsed - 1) // STAIR_WIDTH
    return stair * rise + jnp.minimum(rise, 0.0)


def _box(cursor: _Cursor, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Whether a box begins at this step, and its left side, right side and top [3], m."""
    kind, obstacle, begins = cursor.kind, cursor.obstacle, cursor.begins
    never = jnp.zeros((), bool)
    zero, one = jnp.zeros(()), jnp.ones(())
    stair = cursor.elapsed // STAIR_WIDTH
    is_stair = (cursor.elapsed % STAIR_WIDTH == 0) & (cursor.remaining > 1)
    pit_end = jnp.ceil(obstacle.pit)
    is_far_wall = ~begins & (cursor.elapsed == pit_end.astype(jnp.int32))
    is_wall = begins | is_far_wall
    # by kind
    exists = jnp.stack([never, begins, is_stair, is_wall])
    stump_width, stump_height = obstacle.stump
    stair_width = jnp.full((), float(STAIR_WIDTH))
    width = jnp.stack([one, stump_width, stair_width, one])
    above = jnp.stack([zero, stump_height, stair * obstacle.rise, zero])

    ends_pit = (kind == PIT) & is_far_wall
    offset = jnp.where(ends_pit, obstacle.pit - pit_end, 0.0)
    left = x + STEP * offset
    right = x + STEP * width[kind]
    top = cursor.base + STEP * above[kind]
    return exists[kind], jnp.stack([left, right, top])


def _advance(cursor: _Cursor, length: jax.Array, choice: jax.Array, kinds: jax.Array) -> _Cursor:
    """The next step: of the same kind, or the first of an obstacle after a rough run, or of a
    rough run after an obstacle.
    """
    is_over = cursor.remaining == 1
    until_kind = jnp.cumsum(kinds)
    place = jnp.floor(choice * until_kind[-1])
    chosen = 1 + jnp.argmax(until_kind > place).astype(jnp.int32)
    is_obstacle_next = (cursor.kind == ROUGH) & kinds.any()
    following = jnp.where(is_obstacle_next, chosen, ROUGH)
    least, most = RUN
    more = jnp.floor((most - least) * length)
    run = least + more.astype(jnp.int32)
    return cursor._replace(
        kind=jnp.where(is_over, following, cursor.kind),
        begins=is_over,
        remaining=jnp.where(is_over, run, cursor.remaining - 1),
    )
