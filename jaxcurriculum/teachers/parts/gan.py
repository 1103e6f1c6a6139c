"""A least-squares GAN that learns the points labelled good, and to avoid those labelled bad.

    discriminator: min  E_data[(D(x) - y)^2] + E_z[(D(G(z)) + 1)^2]
                        y = 1 for a good point, -1 for a bad one
    generator:     min  E_z[D(G(z))^2]
                        z ~ N(0, 1), as many axes as x

Points lie in the cube [-1, 1]^dims, which is exactly the range of the generator's tanh.

Source: X. Mao, Q. Li, H. Xie, R. Lau, Z. Wang, S. Smolley, "Least squares generative adversarial
networks", ICCV 2017, with labels as in C. Florensa, D. Held, X. Geng, P. Abbeel, "Automatic goal
generation for reinforcement learning agents", ICML 2018.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax
from flax import struct

from jaxcurriculum.records import Key, PyTree


class Generator(nn.Module):
    """Latent noise [..., dims] to points [..., dims] in [-1, 1]."""

    hidden: tuple[int, ...]
    dims: int

    @nn.compact
    def __call__(self, latent: jax.Array) -> jax.Array:
        return nn.tanh(_network(latent, self.hidden, self.dims, nn.relu))


class Discriminator(nn.Module):
    """Points [..., dims] to scores [...], trained towards 1 for good points and -1 for others."""

    hidden: tuple[int, ...]

    @nn.compact
    def __call__(self, point: jax.Array) -> jax.Array:
        return _network(point, self.hidden, 1, lambda x: nn.leaky_relu(x, 0.1))[..., 0]


class GanState(struct.PyTreeNode):
    """The parameters of both networks and their optimisers' mean squared gradients."""

    generator: PyTree
    discriminator: PyTree
    generator_moments: PyTree
    discriminator_moments: PyTree


@dataclasses.dataclass(frozen=True, kw_only=True)
class Gan:
    """Two networks and how they are trained, as pure functions of a GanState."""

    dims: int
    generator_hidden: tuple[int, ...]
    discriminator_hidden: tuple[int, ...]
    batch_size: int  # points of either kind in one iteration

    def init(self, key: Key) -> GanState:
        """Fresh networks (Xavier)."""
        key_generator, key_discriminator = jax.random.split(key)
        point = jnp.zeros((1, self.dims))
        generator = self._generator().init(key_generator, point)
        discriminator = self._discriminator().init(key_discriminator, point)
        moments = optax.rmsprop(1.0).init
        return GanState(
            generator=generator,
            discriminator=discriminator,
            generator_moments=moments(generator),
            discriminator_moments=moments(discriminator),
        )

    def sample(self, key: Key, state: GanState, num: int) -> jax.Array:
        """`num` points of the generator, [num, dims] in [-1, 1]."""
        latent = jax.random.normal(key, (num, self.dims))
        return self._generate(state.generator, latent)

    def train(
        self,
        key: Key,
        state: GanState,
        points: jax.Array,
        good: jax.Array,
        num_iterations: int,
        learning_rate: jax.Array,
    ) -> GanState:
        """`num_iterations` steps of discriminator and generator in turn, on batches of `points`.

        Args:
          points: [num, dims] in [-1, 1].
          good: [num] bool, their labels.
          learning_rate: [], of RMSProp.
        """
        step = optax.rmsprop(learning_rate).update
        targets = jnp.where(good, 1.0, -1.0)

        def iterate(state: GanState, key: Key) -> tuple[GanState, None]:
            key_rows, key_first, key_second = jax.random.split(key, 3)
            rows = jax.random.randint(key_rows, (self.batch_size,), 0, points.shape[0])
            latent = jax.random.normal(key_first, (self.batch_size, self.dims))
            second_latent = jax.random.normal(key_second, (self.batch_size, self.dims))

            fake = self._generate(state.generator, latent)
            towards = jax.grad(self._discriminator_loss)
            gradient = towards(state.discriminator, points[rows], targets[rows], fake)
            change, discriminator_moments = step(gradient, state.discriminator_moments)
            discriminator = optax.apply_updates(state.discriminator, change)

            gradient = jax.grad(self._generator_loss)(state.generator, discriminator, second_latent)
            change, generator_moments = step(gradient, state.generator_moments)
            generator = optax.apply_updates(state.generator, change)
            state = GanState(
                generator=generator,
                discriminator=discriminator,
                generator_moments=generator_moments,
                discriminator_moments=discriminator_moments,
            )
            return state, None

        return jax.lax.scan(iterate, state, jax.random.split(key, num_iterations))[0]

    def _discriminator_loss(
        self, discriminator: PyTree, points: jax.Array, targets: jax.Array, fake: jax.Array
    ) -> jax.Array:
        real_scores = self._score(discriminator, points)
        fake_scores = self._score(discriminator, fake)
        return jnp.mean((real_scores - targets) ** 2) + jnp.mean((fake_scores + 1) ** 2)

    def _generator_loss(
        self, generator: PyTree, discriminator: PyTree, latent: jax.Array
    ) -> jax.Array:
        return jnp.mean(self._score(discriminator, self._generate(generator, latent)) ** 2)

    def _generate(self, parameters: PyTree, latent: jax.Array) -> jax.Array:
        return jnp.asarray(self._generator().apply(parameters, latent))

    def _score(self, parameters: PyTree, points: jax.Array) -> jax.Array:
        return jnp.asarray(self._discriminator().apply(parameters, points))

    def _generator(self) -> Generator:
        return Generator(self.generator_hidden, self.dims)

    def _discriminator(self) -> Discriminator:
        return Discriminator(self.discriminator_hidden)


def _network(
    x: jax.Array,
    hidden: tuple[int, ...],
    num_outputs: int,
    activation: Callable[[jax.Array], jax.Array],
) -> jax.Array:
    for width in hidden:
        x = activation(nn.Dense(width, kernel_init=nn.initializers.xavier_uniform())(x))
    return nn.Dense(num_outputs, kernel_init=nn.initializers.xavier_uniform())(x)
