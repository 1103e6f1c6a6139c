"""Rough tracks: ground of straight pieces with pits, stumps and stairs, after gymnasium's
BipedalWalker, and its 8-D family.

Both generators walk along the track step by step and alternate runs of rough ground with one
obstacle.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.bodies import PIXEL, Body
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP, Columns
from jaxcurriculum.envs.walker.engine.terrain import NOWHERE, NUM_CELLS, Density
from jaxcurriculum.envs.walker.environment import Scenery, Sizes, Track, walk_on
from jaxcurriculum.fields import check_flags
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

ROUGH, STUMP, STAIRS, PIT = range(4)
START_PAD = 20  # steps
RUN = (5, 10)  # steps of rough ground between obstacles: at least, and fewer than
PIT_DEPTH = 4  # steps
STAIR_WIDTH = 4  # steps
NUM_DRAWS = 5  # uniform numbers that each step of a track is made of
MOST_BOXES = 50  # on a track: pits one step wide give two in eight steps
DENSITY = Density(gap=0.0, width=STEP)
HARDCORE_EPISODE = 2000  # steps


class Obstacle(NamedTuple):
    """One obstacle as drawn, in steps of 14/30 m."""

    length: jax.Array  # int32: steps of the track that it takes
    pit: jax.Array  # width of the hole
    stump: jax.Array  # [2]: width and height
    rise: jax.Array  # of each stair, negative where stairs go down


Draw = Callable[
    [jax.Array, jax.Array, jax.Array, jax.Array], Obstacle
]  # (task, kind, uniforms [3], length of a run) -> obstacle


def bipedal_walker(
    body: str | Body = "default",
    hardcore: bool = False,
    sizes: Sizes | None = None,
    contact_flag: str = "true",
) -> Environment:
    """gymnasium's BipedalWalker-v3 ground, or with `hardcore` its stumps, stairs and pits, to be
    crossed by a walker (`tracks.walk_on`).

    Task: roughness, always 1 (an axis without width), so that every seed is another track of one
    task. Episodes end after 1,600 steps, with `hardcore` after 2,000. gymnasium calls it solved at
    a mean return of 300; here an episode is, above 230.

    Args:
      body: "default", "short", "long" or "quadruped", or a `Body` of your own.
      sizes: bounds of factors for sizes of the body, such as {"upper_length": (0.5, 1.5)}.
      contact_flag: "true", or "box2d" for flags that flicker as gymnasium's do (`contact_flags`).

    Raises:
      ValueError: when there is no such body, size or contact flag, or a flag is not True or False;
          see also `tracks.walk_on`.

    Source: gymnasium 1.2, `bipedal_walker.py`. Differs from it: see `stump_tracks`.

    >>> bipedal_walker().max_episode_steps
    1600
    """
    check_flags(hardcore=hardcore)
    kinds = np.array([hardcore] * 3)
    space = Box(names=("roughness",), low=(1.0,), high=(1.0,))

    def scenery(key: Key, task: jax.Array) -> Scenery:
        ground, boxes = rough_ground(
            jax.random.uniform(key, (NUM_CELLS, NUM_DRAWS)),
            task,
            task[0],
            kinds,
            _draw_hardcore,
            ramp=True,
        )
        return ground, boxes if hardcore else None

    return walk_on(
        Track(
            name="bipedal-walker-hardcore" if hardcore else "bipedal-walker",
            task_space=space,
            scenery=scenery,
            density=DENSITY if hardcore else None,
            max_episode_steps=HARDCORE_EPISODE if hardcore else 1600,
            contact_flag=contact_flag,
        ),
        body,
        sizes,
    )


def obstacle_tracks(
    body: str | Body = "default",
    stairs: bool = True,
    easy: bool = False,
    sizes: Sizes | None = None,
    contact_flag: str = "true",
) -> Environment:
    """The 8-D tracks of POET, PLR and ACCEL: rough ground with pits, stumps and stairs, to be
    crossed by a walker (`tracks.walk_on`).

    Task: roughness; then two ends, in either order, of the range of pit widths, of stump heights
    and of stair heights [all in steps of 14/30 m]; then a number of stairs, of which a flight has
    fewer. A kind of obstacle is left out where its upper end is below 0.2 steps (pits: 0.8).

    Args:
      body: "default", "short", "long" or "quadruped", or a `Body` of your own.
      stairs: without, the 5-D tracks of POET.
      easy: the small box in which ACCEL begins.
      sizes: bounds of factors for sizes of the body, such as {"upper_length": (0.5, 1.5)}.
      contact_flag: "true", or "box2d" for flags that flicker as gymnasium's do (`contact_flags`).

    Raises:
      ValueError: when there is no such body, size or contact flag, or a flag is not True or False;
          see also `tracks.walk_on`.

    Source: Wang et al. 2019, "POET"; Parker-Holder et al. 2022, "Evolving curricula with
    regret-based environment design" (ranges). Differs from the papers: the right wall of a pit
    reaches to the next whole step, behind which the ground is as high; see also `stump_tracks`.

    >>> obstacle_tracks().task_space.dims, obstacle_tracks(stairs=False).task_space.dims
    (8, 5)
    """
    check_flags(stairs=stairs, easy=easy)
    names = [
        "roughness",
        "pit_width_1",
        "pit_width_2",
        "stump_height_1",
        "stump_height_2",
        "stair_height_1",
        "stair_height_2",
        "num_stairs",
    ]
    units = ["", *["steps"] * 6, ""]
    low = [0.0, 0.0, 0.8, 0.0, 0.4, 0.0, 0.4, 1.0] if easy else [0.0] * 7 + [1.0]
    high = (
        [0.6, 0.0, 0.8, 0.0, 0.4, 0.0, 0.4, 1.0]
        if easy
        else [10.0, 10.0, 10.0, 5.0, 5.0, 5.0, 5.0, 9.0]
    )
    dims = 8 if stairs else 5
    space = Box(names=names[:dims], low=low[:dims], high=high[:dims], units=units[:dims])

    def scenery(key: Key, task: jax.Array) -> Scenery:
        task = jnp.concatenate([task, jnp.zeros((8 - dims,))])
        kinds = jnp.stack([task[3:5].max() >= 0.2, task[5:7].max() >= 0.2, task[1:3].max() >= 0.8])
        return rough_ground(
            jax.random.uniform(key, (NUM_CELLS, NUM_DRAWS)),
            task,
            task[0],
            kinds,
            _draw_ranges,
            ramp=False,
        )

    track = Track(
        name="obstacle-tracks",
        task_space=space,
        scenery=scenery,
        density=DENSITY,
        contact_flag=contact_flag,
    )
    return walk_on(track, body, sizes)


def _draw_hardcore(
    task: jax.Array, kind: jax.Array, uniforms: jax.Array, run: jax.Array
) -> Obstacle:
    """gymnasium's obstacles: pits of 3 or 4 steps, square stumps of 1 or 2, flights of 3 or 4
    stairs one step high.
    """
    first, second, _ = uniforms
    size = jnp.where(kind == STUMP, 1.0, 3.0) + jnp.floor(2 * second)
    length = jnp.where(
        kind == PIT, size + 2, jnp.where(kind == STUMP, size, STAIR_WIDTH * size)
    ).astype(jnp.int32)
    return Obstacle(
        length=length,
        pit=size,
        stump=jnp.stack([size, size]),
        rise=jnp.where(first > 0.5, 1.0, -1.0),
    )


def _draw_ranges(task: jax.Array, kind: jax.Array, uniforms: jax.Array, run: jax.Array) -> Obstacle:
    """POET's obstacles: sizes uniform in the task's ranges; a stump is one step wide and the
    run goes on behind it.
    """
    first, second, third = uniforms
    pit, stump, rise = (
        task[i : i + 2].min() + (task[i : i + 2].max() - task[i : i + 2].min()) * second
        for i in (1, 3, 5)
    )
    stairs = jnp.floor(jnp.round(task[7]) * third)
    length = jnp.where(
        kind == PIT, jnp.ceil(1 + pit) + 2, jnp.where(kind == STAIRS, STAIR_WIDTH * stairs + 1, run)
    ).astype(jnp.int32)
    slope = jnp.where(first > 0.5, 1.0, -1.0)
    return Obstacle(
        length=length,
        pit=1 + pit,
        stump=jnp.stack([jnp.ones_like(stump), stump]),
        rise=slope * rise,
    )


class _Walk(NamedTuple):
    """Where the generator is."""

    kind: jax.Array  # int32
    begins: jax.Array  # bool: this step is the first of its kind
    left: jax.Array  # int32: steps to go, this one included
    done: jax.Array  # int32: steps since the kind began
    height: jax.Array  # m
    slope: jax.Array  # m a step
    base: jax.Array  # m: height where the last obstacle began
    obstacle: Obstacle


def rough_ground(
    uniforms: jax.Array,
    task: jax.Array,
    roughness: jax.Array,
    kinds: jax.Array | np.ndarray,
    draw: Draw,
    ramp: bool,
) -> tuple[jax.Array, Columns]:
    """Heights of the ground, [NUM_CELLS], and boxes, from uniform numbers [NUM_CELLS, NUM_DRAWS].

    The first number of a step bends rough ground, the second sets the length of the next run, the
    third the kind of the next obstacle; the first, fourth and fifth draw an obstacle that begins
    there. `kinds` [3] bool: whether there are stumps, stairs, pits. With `ramp` the ground below
    stairs is a slope, as in gymnasium, else it has steps itself.
    """
    kinds = jnp.asarray(kinds)

    def step(walk: _Walk, inputs: tuple[jax.Array, jax.Array]):
        number, numbers = inputs
        fresh = walk.begins & (walk.kind != ROUGH)
        drawn = draw(task, walk.kind, numbers[np.array([0, 3, 4])], walk.left)
        walk = walk._replace(
            obstacle=jax.tree.map(
                lambda new, old: jnp.where(fresh, new, old), drawn, walk.obstacle
            ),
            left=jnp.where(fresh, drawn.length, walk.left),
            done=jnp.where(walk.begins, 0, walk.done + 1),
            base=jnp.where(fresh, walk.height, walk.base),
        )
        bend = jnp.where(number > START_PAD, (2 * numbers[0] - 1) * PIXEL, 0.0)
        walk = _follow_ground(walk, roughness, bend, ramp)
        return _go_on(walk, numbers[1], numbers[2], kinds), (walk.height, _box(walk, STEP * number))

    zero, none = jnp.zeros(()), jnp.zeros((), jnp.int32)
    start = _Walk(
        kind=none,
        begins=jnp.zeros((), bool),
        left=jnp.full((), START_PAD, jnp.int32),
        done=none,
        height=jnp.full((), GROUND, jnp.float32),
        slope=zero,
        base=zero,
        obstacle=Obstacle(length=none, pit=zero, stump=jnp.zeros((2,)), rise=zero),
    )
    _, (heights, (exists, boxes)) = jax.lax.scan(step, start, (jnp.arange(NUM_CELLS), uniforms))
    row = jnp.where(exists, jnp.cumsum(exists) - 1, MOST_BOXES + 1)
    none = jnp.array([NOWHERE, NOWHERE + 1.0, GROUND])
    table = jnp.tile(none, (MOST_BOXES + 1, 1)).at[row].set(boxes, mode="drop")
    return heights, Columns(left=table[:, 0], right=table[:, 1], top=table[:, 2])


def _follow_ground(walk: _Walk, roughness: jax.Array, bend: jax.Array, ramp: bool) -> _Walk:
    """The height of the ground at this step."""
    rolls = (walk.kind == ROUGH) & ~walk.begins
    slope = jnp.where(
        rolls, 0.8 * walk.slope + 0.01 * jnp.sign(GROUND - walk.height) + bend, walk.slope
    )
    rolled = walk.height + jnp.where(rolls, roughness * slope, 0.0)
    hole = walk.base - jnp.where(walk.left > 1, PIT_DEPTH * STEP, 0.0)
    rise = walk.obstacle.rise
    stairs = (
        (walk.done - jnp.sign(rise)) / STAIR_WIDTH * rise
        if ramp
        else (walk.done - 1) // STAIR_WIDTH * rise + jnp.minimum(rise, 0.0)
    )
    within = jnp.where(
        walk.kind == PIT, hole, jnp.where(walk.kind == STAIRS, walk.base + STEP * stairs, rolled)
    )
    return walk._replace(slope=slope, height=jnp.where(walk.begins, walk.height, within))


def _box(walk: _Walk, x: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Whether a box begins at this step, and its left side, right side and top [3], m."""
    obstacle, begins, flight = walk.obstacle, walk.begins, walk.done // STAIR_WIDTH
    far_wall = ~begins & (walk.done == jnp.ceil(obstacle.pit).astype(jnp.int32))
    is_stair = (walk.done % STAIR_WIDTH == 0) & (walk.left > 1)
    exists = jnp.stack([jnp.zeros((), bool), begins, is_stair, begins | far_wall])[walk.kind]
    offset = jnp.where((walk.kind == PIT) & far_wall, obstacle.pit - jnp.ceil(obstacle.pit), 0.0)
    width = jnp.stack(
        [jnp.ones(()), obstacle.stump[0], jnp.full((), float(STAIR_WIDTH)), jnp.ones(())]
    )[walk.kind]
    above = jnp.stack([jnp.zeros(()), obstacle.stump[1], flight * obstacle.rise, jnp.zeros(())])[
        walk.kind
    ]
    return exists, jnp.stack([x + STEP * offset, x + STEP * width, walk.base + STEP * above])


def _go_on(walk: _Walk, length: jax.Array, choice: jax.Array, kinds: jax.Array) -> _Walk:
    """The next step: of the same kind, or the first of an obstacle after a rough run, or of a
    rough run after an obstacle.
    """
    over, among = walk.left == 1, jnp.cumsum(kinds)
    chosen = 1 + jnp.argmax(among > jnp.floor(choice * among[-1])).astype(jnp.int32)
    following = jnp.where((walk.kind == ROUGH) & kinds.any(), chosen, ROUGH)
    run = RUN[0] + jnp.floor((RUN[1] - RUN[0]) * length).astype(jnp.int32)
    return walk._replace(
        kind=jnp.where(over, following, walk.kind),
        begins=over,
        left=jnp.where(over, run, walk.left - 1),
    )
