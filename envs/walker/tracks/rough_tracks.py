"""Rough tracks: gymnasium's BipedalWalker, and the 8-D family of POET, PLR and ACCEL."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.bodies import AnyBody
from jaxcurriculum.envs.walker.engine.terrain import NUM_CELLS
from jaxcurriculum.envs.walker.environment import Scenery, Sizes, Track, walker_environment
from jaxcurriculum.envs.walker.tracks.rough_ground import (
    DENSITY,
    NUM_DRAWS,
    PIT,
    STAIR_WIDTH,
    STAIRS,
    STUMP,
    Obstacle,
    Obstacles,
    rough_ground,
)
from jaxcurriculum.fields import check_flags
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

EPISODE, HARDCORE_EPISODE = 1600, 2000  # steps
LEAST_HEIGHT, LEAST_PIT = 0.2, 0.8  # steps: a kind whose sizes all lie below is left out
# POET's axes: name, unit, bounds, ACCEL's bounds where it begins
AXES = (
    ("roughness", "", (0.0, 10.0), (0.0, 0.6)),
    ("pit_width_1", "steps", (0.0, 10.0), (0.0, 0.0)),
    ("pit_width_2", "steps", (0.0, 10.0), (0.8, 0.8)),
    ("stump_height_1", "steps", (0.0, 5.0), (0.0, 0.0)),
    ("stump_height_2", "steps", (0.0, 5.0), (0.4, 0.4)),
    ("stair_height_1", "steps", (0.0, 5.0), (0.0, 0.0)),
    ("stair_height_2", "steps", (0.0, 5.0), (0.4, 0.4)),
    ("num_stairs", "", (1.0, 9.0), (1.0, 1.0)),
)


def bipedal_walker(
    body: AnyBody = "default",
    hardcore: bool = False,
    sizes: Sizes | None = None,
    contact_flag: str = "true",
) -> Environment:
    """gymnasium's BipedalWalker-v3 ground, or with `hardcore` its stumps, stairs and pits, to be
    crossed by a walker (`walker_environment`).

    Task: roughness, always 1 (an axis without width), so that every seed is another track of one
    task. Episodes end after 1,600 steps, with `hardcore` after 2,000. gymnasium calls it solved at
    a mean return of 300; here an episode is, above 230.

    Args:
      body: "default", "short", "long" or "quadruped", or a `Body` of your own.
      sizes: bounds of factors for sizes of the body, such as {"upper_length": (0.5, 1.5)}.
      contact_flag: "true", or "box2d" for flags that flicker as gymnasium's do (`senses`).

    Raises:
      ValueError: when there is no such body, size or contact flag, or a flag is not True or False;
          see also `walker_environment`.

    Source: gymnasium 1.2, `bipedal_walker.py`. Differs from it: see `stump_tracks`.

    >>> bipedal_walker().max_episode_steps
    1600
    """
    check_flags(hardcore=hardcore)
    obstacles = Obstacles(np.array([hardcore] * 3), _draw_hardcore, ramp=True)

    def scenery(key: Key, task: jax.Array) -> Scenery:
        uniforms = jax.random.uniform(key, (NUM_CELLS, NUM_DRAWS))
        ground, boxes = rough_ground(uniforms, task, obstacles)
        return ground, boxes if hardcore else None

    track = Track(
        name="bipedal-walker-hardcore" if hardcore else "bipedal-walker",
        task_space=Box(names=("roughness",), low=(1.0,), high=(1.0,)),
        scenery=scenery,
        density=DENSITY if hardcore else None,
        max_episode_steps=HARDCORE_EPISODE if hardcore else EPISODE,
        contact_flag=contact_flag,
    )
    return walker_environment(track, body, sizes)


def _draw_hardcore(
    task: jax.Array, kind: jax.Array, uniforms: jax.Array, run: jax.Array
) -> Obstacle:
    """gymnasium's obstacles: pits of 3 or 4 steps, square stumps of 1 or 2, flights of 3 or 4
    stairs one step high.
    """
    first, second, _ = uniforms
    least = jnp.where(kind == STUMP, 1.0, 3.0)
    size = least + jnp.floor(2 * second)
    length = jnp.where(kind == STUMP, size, STAIR_WIDTH * size)
    length = jnp.where(kind == PIT, size + 2, length)
    return Obstacle(
        length=length.astype(jnp.int32),
        pit=size,
        stump=jnp.stack([size, size]),
        rise=jnp.where(first > 0.5, 1.0, -1.0),
    )


def obstacle_tracks(
    body: AnyBody = "default",
    stairs: bool = True,
    easy: bool = False,
    sizes: Sizes | None = None,
    contact_flag: str = "true",
) -> Environment:
    """The 8-D tracks of POET, PLR and ACCEL: rough ground with pits, stumps and stairs, to be
    crossed by a walker (`walker_environment`).

    Task: roughness; then two ends, in either order, of the range of pit widths, of stump heights
    and of stair heights [all in steps of 14/30 m]; then a number of stairs, of which a flight has
    fewer. A kind of obstacle is left out where its upper end is below 0.2 steps (pits: 0.8).

    Args:
      body: "default", "short", "long" or "quadruped", or a `Body` of your own.
      stairs: without, the 5-D tracks of POET.
      easy: the small box in which ACCEL begins.
      sizes: bounds of factors for sizes of the body, such as {"upper_length": (0.5, 1.5)}.
      contact_flag: "true", or "box2d" for flags that flicker as gymnasium's do (`senses`).

    Raises:
      ValueError: when there is no such body, size or contact flag, or a flag is not True or False;
          see also `walker_environment`.

    Source: Wang et al. 2019, "POET"; Parker-Holder et al. 2022, "Evolving curricula with
    regret-based environment design" (ranges). Differs from the papers: the right wall of a pit
    reaches to the next whole step, behind which the ground is as high; see also `stump_tracks`.

    >>> obstacle_tracks().task_space.dims, obstacle_tracks(stairs=False).task_space.dims
    (8, 5)
    """
    check_flags(stairs=stairs, easy=easy)
    axes = AXES if stairs else AXES[:5]
    names, units, bounds, easy_bounds = zip(*axes)
    low, high = zip(*(easy_bounds if easy else bounds))
    space = Box(names=names, low=low, high=high, units=units)

    def scenery(key: Key, task: jax.Array) -> Scenery:
        no_stairs = jnp.zeros((len(AXES) - space.dims,))
        task = jnp.concatenate([task, no_stairs])
        uniforms = jax.random.uniform(key, (NUM_CELLS, NUM_DRAWS))
        obstacles = Obstacles(_kinds(task), _draw_ranges, ramp=False)
        return rough_ground(uniforms, task, obstacles)

    track = Track(
        name="obstacle-tracks",
        task_space=space,
        scenery=scenery,
        density=DENSITY,
        contact_flag=contact_flag,
    )
    return walker_environment(track, body, sizes)


def _kinds(task: jax.Array) -> jax.Array:
    """Whether there are stumps, stairs, pits, [3] bool."""
    stumps = task[3:5].max() >= LEAST_HEIGHT
    stairs = task[5:7].max() >= LEAST_HEIGHT
    pits = task[1:3].max() >= LEAST_PIT
    return jnp.stack([stumps, stairs, pits])


def _draw_ranges(task: jax.Array, kind: jax.Array, uniforms: jax.Array, run: jax.Array) -> Obstacle:
    """POET's obstacles: sizes uniform in the task's ranges; a stump is one step wide and the
    run goes on behind it.
    """
    first, second, third = uniforms

    def in_range(ends):
        least, most = ends.min(), ends.max()
        return least + (most - least) * second

    pit = in_range(task[1:3])
    stump = in_range(task[3:5])
    rise = in_range(task[5:7])
    stairs = jnp.floor(jnp.round(task[7]) * third)
    length = jnp.where(kind == STAIRS, STAIR_WIDTH * stairs + 1, run)
    pit_length = jnp.ceil(1 + pit) + 2
    length = jnp.where(kind == PIT, pit_length, length)
    direction = jnp.where(first > 0.5, 1.0, -1.0)
    return Obstacle(
        length=length.astype(jnp.int32),
        pit=1 + pit,
        stump=jnp.stack([jnp.ones_like(stump), stump]),
        rise=direction * rise,
    )
