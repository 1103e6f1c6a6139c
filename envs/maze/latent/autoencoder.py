"""What variational autoencoders of mazes have in common.

    z ~ N(mean(maze), deviation(maze)^2),   point = BOUND tanh(z),   maze ~ decoder(point)
    loss = - log p(maze | point) + weight KL(N(mean, deviation^2) | N(0, 1))

Source: D. Kingma, M. Welling, "Auto-encoding variational Bayes", ICLR 2014; the squashed point: A.
Azad, I. Gur, J. Emhoff, N. Alexis, A. Faust, P. Abbeel, I. Stoica, "CLUTR: Curriculum learning via
unsupervised task representation learning", ICML 2023.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.maze.levels import Mazes
from jaxcurriculum.envs.maze.record import Maze
from jaxcurriculum.fields import check_kind
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.spaces import Box

BOUND = 4.0  # of every axis of the latent box


@dataclasses.dataclass(frozen=True, kw_only=True)
class LevelVae:
    """An autoencoder of mazes as pure functions of its parameters.

        init(key)                             -> parameters
        loss(key, parameters, mazes, weight)  -> (loss, {"reconstruction": [], "divergence": []})
        encode(parameters, maze)              -> point [latent_dims], without noise
        decode(key, parameters, point)        -> maze; the key is for what the point leaves open

    `mazes` are a batch [num, ...]; `weight` is that of the divergence.
    """

    name: str
    size: int  # of its mazes, cells a side
    latent_dims: int
    init: Callable[[Key], PyTree]
    loss: Callable[[Key, PyTree, Maze, jax.Array], tuple[jax.Array, dict[str, jax.Array]]]
    encode: Callable[[PyTree, Maze], jax.Array]
    decode: Callable[[Key, PyTree, jax.Array], Maze]
    config: Any = None

    def space(self) -> Box:
        """The box of its points, [-BOUND, BOUND] on every axis."""
        return Box(
            names=tuple(f"z{axis}" for axis in range(self.latent_dims)),
            low=(-BOUND,) * self.latent_dims,
            high=(BOUND,) * self.latent_dims,
        )

    def decoder(self, parameters: PyTree, mazes: Mazes) -> Callable[[Key, jax.Array], Maze]:
        """(key, point) -> one of `mazes`, with their time limit; see `teachers.in_latent_space`.

        Raises:
          ValueError: when they are of another size.
        """
        check_kind("LevelVae.decoder.mazes", mazes, Mazes)
        if mazes.size != self.size:
            raise ValueError(
                f"Mazes.size must be that of the autoencoder, which is for {self.size} by"
                f" {self.size} cells, got {mazes.size}."
            )

        def decode(key: Key, point: jax.Array) -> Maze:
            time_limit = jnp.int32(mazes.time_limit)
            return self.decode(key, parameters, point).replace(time_limit=time_limit)

        return decode


def squashed(latent: jax.Array) -> jax.Array:
    """A point of the box, from a latent of the autoencoder."""
    return BOUND * jnp.tanh(latent)


def drawn(key: Key, mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """Latents of N(mean, exp(log_variance))."""
    return mean + jnp.exp(0.5 * log_variance) * jax.random.normal(key, mean.shape)


def divergence(mean: jax.Array, log_variance: jax.Array) -> jax.Array:
    """KL(N(mean, exp(log_variance)) | N(0, 1)), summed over the last axis.

    >>> float(divergence(jnp.array([1.0, 0.0]), jnp.zeros(2)))
    0.5
    """
    terms = jnp.exp(log_variance) + mean**2 - 1 - log_variance
    return 0.5 * jnp.sum(terms, axis=-1)
