"""Tracks of known geometry and walkers on them, for the tests of the engine."""

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.walker.bodies import anatomy, get_body
from jaxcurriculum.envs.walker.engine.surfaces import GROUND, STEP, Columns, Polygons
from jaxcurriculum.envs.walker.engine.terrain import (
    NOWHERE,
    Density,
    Level,
    index_obstacles,
    window_at,
)
from jaxcurriculum.testing.compiling import quick_jit


def numbers(body):
    """The anatomy of a body as the engine has it, with a last axis of one."""
    return jax.tree.map(lambda x: x[..., None], anatomy(get_body(body)))


def batched(tree, num=1):
    """`tree` on a new last axis of `num`."""
    return jax.tree.map(
        lambda x: jnp.broadcast_to(jnp.asarray(x)[..., None], (*jnp.shape(x), num)), tree
    )


def stumps(heights, pitch=1.0, start=20 * STEP, width=STEP):
    """Boxes (left, right, top) of these heights [m] above the ground."""
    return [
        (start + i * pitch, start + i * pitch + width, GROUND + height)
        for i, height in enumerate(heights)
    ]


def level(boxes=(), polygons=None, ground=None, push=0.0):
    """A level with boxes (left, right, top), or with polygons [num, corners, 2], on flat ground
    or on heights [200].
    """
    obstacles = None
    if len(boxes):
        left, right, top = np.array([*sorted(boxes), (NOWHERE, NOWHERE + 1, 0.0)], np.float32).T
        obstacles = Columns(left=jnp.asarray(left), right=jnp.asarray(right), top=jnp.asarray(top))
    if polygons is not None:
        corners = np.asarray(polygons, np.float32)
        angle = 2 * np.pi * np.arange(corners.shape[1]) / corners.shape[1]
        nowhere = NOWHERE + 10 * np.stack([np.cos(angle), np.sin(angle)], 1)
        obstacles = Polygons(
            vertices=jnp.asarray(
                np.moveaxis(np.concatenate([corners, nowhere[None].astype(np.float32)]), -1, 0)
            )
        )
    return Level(
        push=jnp.float32(push),
        ground=None if ground is None else jnp.asarray(ground, jnp.float32),
        obstacles=obstacles,
        first=None if obstacles is None else index_obstacles(obstacles),
        walker=None,
        density=None
        if obstacles is None
        else Density(
            gap=0.0, width=1e6, group=max(len(boxes), 0 if polygons is None else len(polygons))
        ),
    )


def window(track, x=0.0, stretch=100.0):
    """What a batch of one sees of a level."""
    return _window_at(batched(track), jnp.array([x], jnp.float32), stretch)


_window_at = quick_jit(window_at, static_argnums=2)
