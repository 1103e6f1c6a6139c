"""Training an autoencoder of mazes: once, for all seeds and teachers that use it.

    weight of the divergence at step i:  divergence_weight (tanh(3.5 (i / warmup - 1)) + 1) / 2

so that mazes are read and written first, and the latent box is put in order while that is kept.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
import optax

from jaxcurriculum.configs import Config, field
from jaxcurriculum.envs.maze.latent.autoencoder import LevelVae
from jaxcurriculum.envs.maze.record import Maze
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Key, PyTree


@dataclasses.dataclass(frozen=True, kw_only=True)
class VaeTrainingConfig(Config):
    """A budget for two cores; `paper()` has the published one."""

    num_steps: int = field(20_000, low=1, help="steps of Adam")
    batch_size: int = field(64, low=1, help="mazes a step, new ones each")
    learning_rate: float = field(1e-3, low=0, help="at the start; it falls to 0 along a cosine")
    divergence_weight: float = field(1.0, low=0, help="of the divergence at the end")
    warmup: int = field(3_500, low=1, help="steps after which the divergence has half its weight")

    @classmethod
    def paper(cls) -> VaeTrainingConfig:
        """The steps and batches published for CLUTR (there the rate stays at 5e-5)."""
        return cls(num_steps=1_000_000, batch_size=32, learning_rate=5e-5)


def train_vae(
    key: Key,
    vae: LevelVae,
    sample: Callable[[Key], Maze],
    config: VaeTrainingConfig | None = None,
) -> tuple[PyTree, dict[str, jax.Array]]:
    """Train `vae` on mazes of `sample`; a pure function, to be compiled as a whole.

    CLUTR's have 0 to 50 walls, each number equally often: `Mazes(num_walls=51, walls="uniform")`.

    Returns:
      The parameters, and by name what the loss was made of at every step, [num_steps].

    Raises:
      ValueError: when the mazes are of another size.

    >>> from jaxcurriculum.envs import Mazes
    >>> from jaxcurriculum.envs.maze.latent import CellVaeConfig, cell_vae
    >>> vae = cell_vae(CellVaeConfig(latent_dims=4, hidden=(16,)))
    >>> config = VaeTrainingConfig(num_steps=2, batch_size=4)
    >>> _, losses = train_vae(jax.random.key(0), vae, Mazes().sample, config)
    >>> sorted(losses)
    ['divergence', 'reconstruction']
    """
    check_kind("train_vae.vae", vae, LevelVae)
    config = given(config, VaeTrainingConfig)
    shape = jax.eval_shape(sample, key).walls.shape
    if shape != (vae.size, vae.size):
        raise ValueError(
            f"train_vae.sample must make mazes of the autoencoder's {vae.size} by {vae.size} cells,"
            f" got {' by '.join(map(str, shape))}."
        )
    rate = optax.cosine_decay_schedule(config.learning_rate, config.num_steps)
    adam = optax.adam(rate)
    key_init, key_steps = jax.random.split(key)
    parameters = vae.init(key_init)

    def step(carry, number: jax.Array):
        parameters, moments = carry
        key_mazes, key_loss = jax.random.split(jax.random.fold_in(key_steps, number))
        mazes = jax.vmap(sample)(jax.random.split(key_mazes, config.batch_size))
        risen = 0.5 * (jnp.tanh(3.5 * (number / config.warmup - 1)) + 1)
        weight = config.divergence_weight * risen
        towards = jax.grad(lambda p: vae.loss(key_loss, p, mazes, weight), has_aux=True)
        gradient, parts = towards(parameters)
        change, moments = adam.update(gradient, moments)
        return (optax.apply_updates(parameters, change), moments), parts

    start = (parameters, adam.init(parameters))
    (parameters, _), losses = jax.lax.scan(step, start, jnp.arange(config.num_steps))
    return parameters, losses
