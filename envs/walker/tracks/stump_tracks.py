"""Stump Tracks: flat ground with stumps of one mean height at one spacing."""

from __future__ import annotations

import math
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.configs import Swept, SweptPair
from jaxcurriculum.envs.walker.bodies import AnyBody
from jaxcurriculum.envs.walker.engine.plane import rotate
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP, Columns, Polygons
from jaxcurriculum.envs.walker.engine.terrain import END, NOWHERE, PAD, Density
from jaxcurriculum.envs.walker.environment import (
    MOST_OBSTACLES,
    Scenery,
    Sizes,
    Track,
    walker_environment,
)
from jaxcurriculum.envs.walker.starts import MOST_ANGLE
from jaxcurriculum.fields import are_numbers, is_traced
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

# standard deviation of heights and widths [steps] and of rotations [rad] about their means
SPREAD = 0.1
LARGEST = 1000.0  # m, steps: of a bound
LEAST = 0.05  # steps: of a height or width
MOST_SPREAD = 5  # standard deviations from their mean to which heights and widths are cut
MIN_GAP = 0.01  # m
# steps: height of stumps that lean, so that the first ends 2.1 m ahead of where a walker begins
MOST_LEANING = 5.0
UNITS = {
    "stump_height": "steps",
    "obstacle_spacing": "m",
    "stump_width": "steps",
    "stump_rotation": "rad",
}


def stump_tracks(
    body: AnyBody = "default",
    min_stump_height: Swept = 0.0,
    max_stump_height: Swept = 3.0,
    min_obstacle_spacing: float = 0.0,
    max_obstacle_spacing: Swept = 6.0,
    stump_width: tuple[float, float] | None = None,
    stump_rotation: SweptPair | None = None,
    sizes: Sizes | None = None,
) -> Environment:
    """Stump Tracks: flat ground with stumps of one mean height at one spacing, to be crossed by a
    walker (`walker_environment`).

    Task (stump_height [steps of 14/30 m], obstacle_spacing [m]), then, where asked for, stump_width
    [steps], stump_rotation [rad] and factors of the body's sizes. A stump is max(0.05, N(mean,
    0.1^2)) steps high; max(0.01, spacing) metres separate it from the next.

    Args:
      body: "default", "short", "long" or "quadruped", or a `Body` of your own.
      min_stump_height, max_stump_height, min_obstacle_spacing, max_obstacle_spacing: bounds of the
        task space. Heights may be negative: such stumps are 0.05 steps high (TeachMyAgent's mostly
        trivial space).
      stump_width: bounds of the mean width; a width is max(0.05, N(mean, 0.1^2)) steps. Without,
          all are one step wide.
      stump_rotation: bounds of the mean rotation about the middle of a stump's foot; each turns by
        N(mean, 0.1^2) within [0, 2 pi]. The first may lean to 2.1 m ahead of where the walker
        begins, over a body that reaches as far.
      sizes: bounds of factors for sizes of the body, such as {"upper_length": (0.5, 1.5)}.

    Raises:
      ValueError: when there is no such body or size, bounds are not finite or the wrong way round,
        a spacing or width is negative, a rotation lies beyond [0, 2 pi], stumps that lean are
        higher than 5 steps, or more than 200 stumps would fit on a track; see also
        `walker_environment`.

    Source: Portelas et al. 2019, "Teacher algorithms for curriculum learning of Deep RL in
    continuously parameterized environments". Differs from the paper: contact flags are true contact
    (there a flag may flicker off), the first observation is the one after two steps of zero action,
    as Box2D's first poses are not joined, and heights, widths and rotations stay within five
    standard deviations of their mean.

    >>> env = stump_tracks()
    >>> level = env.generate(jax.random.key(0), jnp.array([1.0, 3.0]))
    >>> state, time_step = env.reset(jax.random.key(1), level)
    >>> state, time_step = env.step(jax.random.key(2), level, state, jnp.array([1.0, 0.0, -1.0,
    ...     0.0]))
    >>> time_step.obs.shape, bool(time_step.terminated)
    ((24,), False)
    """
    leaning = stump_rotation is not None
    axes = _axes(
        stump_height=(min_stump_height, max_stump_height),
        obstacle_spacing=(min_obstacle_spacing, max_obstacle_spacing),
        stump_width=stump_width,
        stump_rotation=stump_rotation,
    )
    low, high = zip(*axes.values())
    units = [UNITS[name] for name in axes]
    space = Box(names=list(axes), low=low, high=high, units=units)
    least_width = 1.0 if stump_width is None else max(stump_width[0], LEAST)
    gap = max(MIN_GAP, min_obstacle_spacing)
    num = math.ceil((END - PAD) / (least_width * STEP + gap))
    num += 0 if stump_width is None else 10
    if num > MOST_OBSTACLES:
        raise ValueError(
            f"a track holds {MOST_OBSTACLES} stumps, but {num} would fit with obstacle_spacing"
            f" {min_obstacle_spacing} m and stump_width {least_width} steps: raise one of them."
        )
    if stump_width is not None:
        least_width = max(LEAST, least_width - MOST_SPREAD * SPREAD)
    overhang = 0.0
    if leaning:
        highest = max(float(max_stump_height), LEAST)  # decides sizes, so it cannot be an array
        overhang = STEP * (highest + MOST_SPREAD * SPREAD)
    density = Density(gap=gap - 2 * overhang, width=STEP * least_width + 2 * overhang)

    def scenery(key: Key, task: jax.Array) -> Scenery:
        return None, _stumps(key, num + 1, **dict(zip(axes, task)))

    track = Track(name="stump-tracks", task_space=space, scenery=scenery, density=density)
    return walker_environment(track, body, sizes)


def _axes(**bounds: Any) -> dict[str, tuple[float, float]]:
    """The axes that have bounds, checked."""
    axes = {name: pair for name, pair in bounds.items() if pair is not None}
    leaning = "stump_rotation" in axes
    limits = {
        "stump_height": (-LARGEST, MOST_LEANING if leaning else LARGEST),
        "stump_rotation": (0.0, MOST_ANGLE),
    }
    for name, pair in axes.items():
        if is_traced(pair):
            continue
        least, most = limits.get(name, (0.0, LARGEST))
        if not (are_numbers(pair, least, most) and len(pair) == 2 and pair[0] <= pair[1]):
            where = " where stumps lean" if leaning and name == "stump_height" else ""
            raise ValueError(
                f"bounds of {name} must be two numbers, the first not above the second, at least"
                f" {least:g} and at most {most:g}{where}, got {pair!r}."
            )
    return axes


def _stumps(
    key: Key,
    num: int,
    stump_height: jax.Array,
    obstacle_spacing: jax.Array,
    stump_width: jax.Array | None = None,
    stump_rotation: jax.Array | None = None,
) -> Columns | Polygons:
    """`num` stumps, of which those beyond the track's end, and always the last, do not exist."""
    key_heights, key_widths, key_rotations = jax.random.split(key, 3)

    def noise(key):
        normal = jax.random.normal(key, (num,))
        return SPREAD * jnp.clip(normal, -MOST_SPREAD, MOST_SPREAD)

    heights = STEP * jnp.maximum(LEAST, stump_height + noise(key_heights))
    widths = jnp.full((num,), STEP)
    if stump_width is not None:
        widths = STEP * jnp.maximum(LEAST, stump_width + noise(key_widths))
    pitch = widths + jnp.maximum(MIN_GAP, obstacle_spacing)
    left = PAD + jnp.cumsum(pitch) - pitch
    exists = (left < END) & (jnp.arange(num) < num - 1)
    left = jnp.where(exists, left, NOWHERE)
    if stump_rotation is None:
        return Columns(left=left, right=left + widths, top=GROUND + heights)
    angles = jnp.clip(stump_rotation + noise(key_rotations), 0.0, 2 * jnp.pi)
    return _leaning(left, widths, heights, angles)


def _leaning(left: jax.Array, widths: jax.Array, heights: jax.Array, angles: jax.Array) -> Polygons:
    """Boxes rotated about the middle of their feet."""
    none = jnp.zeros_like(heights)
    x = jnp.stack([-widths, widths, widths, -widths]) / 2
    y = jnp.stack([none, none, heights, heights])
    corners = rotate(jnp.stack([x, y]), angles)
    foot = jnp.stack([left + widths / 2, jnp.full(left.shape, GROUND)])
    return Polygons(vertices=(foot[:, None] + corners).swapaxes(1, 2))
