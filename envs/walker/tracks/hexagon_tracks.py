"""Hexagon Tracks: flat ground with hexagons of one shape, each a little different."""

from __future__ import annotations

from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.bodies import AnyBody
from jaxcurriculum.envs.walker.engine.plane import cross, dot
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP, Polygons
from jaxcurriculum.envs.walker.engine.terrain import END, NOWHERE, PAD, Density
from jaxcurriculum.envs.walker.environment import Scenery, Sizes, Track, walker_environment
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

# steps: corners before the task moves them
BASE_X = (-0.5, -0.5, -0.25, 0.25, 0.5, 0.5)
BASE_Y = (0.0, 0.25, 0.5, 0.5, 0.25, 0.0)
# which of their heights the task moves
MOVES_Y = (0, 1, 1, 1, 1, 0)
# m: offsets of a hexagon that does not exist
ELSEWHERE_X = (0.0, 1.0, 1.0, 0.0, 0.0, 0.0)
ELSEWHERE_Y = (0.0, 0.0, 1.0, 1.0, 1.0, 1.0)
SPREAD = 0.1  # steps: standard deviation of each coordinate
MOST_SPREAD = 5  # standard deviations
PITCH = 1.0 + 8.0  # m from one hexagon to the next
MAX_OFFSET = 4.0  # steps
NUM = int(np.ceil((END - PAD) / PITCH))


def hexagon_tracks(body: AnyBody = "default", sizes: Sizes | None = None) -> Environment:
    """Hexagon Tracks: flat ground with a hexagon every 9 m, to be crossed by a walker
    (`walker_environment`).

    Task: offsets (dx, dy) of six corners, each in [0, 4] steps of 14/30 m and moved by N(0, 0.1^2)
    steps in each hexagon. The obstacle is the convex hull of the corners. The first and last
    corners stand on the ground: their dy do nothing.

    Args:
      body: "default", "short", "long" or "quadruped", or a `Body` of your own.
      sizes: bounds of factors for sizes of the body, such as {"upper_length": (0.5, 1.5)}.

    Raises:
      ValueError: when there is no such body or size; see also `walker_environment`.

    Source: Portelas et al. 2019 (see `stump_tracks`, also for the differences).

    >>> env = hexagon_tracks("quadruped")
    >>> env.task_space.dims, env.action_space.dims
    (12, 8)
    """
    names = [f"{axis}_{corner}" for corner in range(1, 7) for axis in ("dx", "dy")]
    dims = len(names)
    space = Box(names=names, low=[0.0] * dims, high=[MAX_OFFSET] * dims, units=["steps"] * dims)
    widest = STEP * (1.0 + MAX_OFFSET + 2 * MOST_SPREAD * SPREAD)
    density = Density(gap=PITCH - widest, width=0.0)
    track = Track(name="hexagon-tracks", task_space=space, scenery=_hexagons, density=density)
    return walker_environment(track, body, sizes)


def _hexagons(key: Key, task: jax.Array) -> Scenery:
    normal = jax.random.normal(key, (NUM, 6, 2))
    noise = jnp.clip(normal, -MOST_SPREAD, MOST_SPREAD)
    offsets = task.reshape(1, 6, 2) + SPREAD * noise
    offsets = offsets * _points([1] * 6, MOVES_Y)
    x = PAD + PITCH * jnp.arange(NUM)
    places = jnp.stack([x, jnp.full((NUM,), GROUND)], axis=1)
    corners = STEP * (_points(BASE_X, BASE_Y) + offsets) + places[:, None]
    nowhere = NOWHERE + _points(ELSEWHERE_X, ELSEWHERE_Y)
    hulls = jax.vmap(convex_hull)(corners)
    hulls = jnp.concatenate([hulls, nowhere])
    return None, Polygons(vertices=jnp.moveaxis(hulls, -1, 0))


def _points(x: Sequence[float], y: Sequence[float]) -> jax.Array:
    """Points with these coordinates, [1, points, 2]."""
    points = np.stack([x, y], axis=1)
    return jnp.asarray(points[None], jnp.float32)


def convex_hull(points: jax.Array) -> jax.Array:
    """The convex hull of points [num, 2], counter-clockwise, [num, 2]; the lowest corner fills the
    rest.

    The side from a corner goes to the point that has all others on its left, and of several to the
    farthest.

    >>> convex_hull(jnp.array([[0.0, 0.0], [1.0, 0.0], [0.5, 0.2], [1.0, 1.0]])).tolist()
    [[0.0, 0.0], [1.0, 0.0], [1.0, 1.0], [0.0, 0.0]]
    """
    x, y = points.T
    way = points.T[:, None] - points.T[:, :, None]  # [2, from, to]
    left = cross(way[:, :, :, None], way[:, :, None])  # [from, to, other]
    length = dot(way, way)
    is_side = (left >= -1e-6).all(2) & (length > 0)
    following = jnp.where(is_side, length, -1.0).argmax(1)
    start = jnp.argmin(y + 1e-6 * x)

    def next_corner(carry, _):
        corner, is_closed = carry
        after = jnp.where(is_closed, start, following[corner])
        return (after, is_closed | (after == start)), points[corner]

    first = start, jnp.zeros((), bool)
    _, corners = jax.lax.scan(next_corner, first, length=len(points))
    return corners
