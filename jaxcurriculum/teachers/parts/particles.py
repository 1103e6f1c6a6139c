"""A distribution of tasks that is a set of points: how it begins and how tasks are drawn."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from jaxcurriculum.configs import Swept, field
from jaxcurriculum.records import Key
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts.sampling import easy_tasks, free_axes, from_free
from jaxcurriculum.teachers.parts.target import TargetConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class ParticlesConfig(TargetConfig):
    """Particles that begin somewhere and are to end at a target."""

    num_particles: int = field(100, low=2, high=1000, help="tasks that the distribution is made of")
    initial_mean: tuple[float, ...] | None = field(
        None,
        help="an easy task, in the axes' units, about which they begin; None: all over the space",
    )
    initial_std: Swept = field(
        0.1,
        low=0,
        help="of the particles about it at the beginning, fraction of each axis' range",
    )
    noise: Swept = field(
        1e-3,
        low=0,
        help="a proposal differs from its particle by up to so much, fraction of each axis' range",
    )


def initial_particles(key: Key, space: Box, config: ParticlesConfig) -> jax.Array:
    """The particles with which a curriculum begins, [num_particles, axes] in the unit cube."""
    tasks = easy_tasks(key, space, config.initial_mean, config.initial_std, config.num_particles)
    return jax.vmap(space.to_unit)(tasks)[:, free_axes(space)]


def drawn_tasks(
    key: Key, particles: jax.Array, num: int, space: Box, config: ParticlesConfig
) -> jax.Array:
    """`num` tasks [num, dims], each a random particle with a little uniform noise."""
    key_pick, key_noise = jax.random.split(key)
    picked = particles[jax.random.randint(key_pick, (num,), 0, particles.shape[0])]
    noise = jax.random.uniform(key_noise, picked.shape, minval=-1.0, maxval=1.0)
    points = jnp.clip(picked + config.noise * noise, 0.0, 1.0)
    return jax.vmap(lambda point: from_free(space, point))(points)
