"""An autoencoder of a maze as a set: which cells are walls, which the goal, which the agent.

    log p(maze | point) = sum of the log-probabilities of every cell, the goal and the agent

No order has to be learned, so it is the fairer baseline for an autoencoder of sequences.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from jaxcurriculum.configs import Config, field
from jaxcurriculum.envs.maze.cells import cell_of, place_of
from jaxcurriculum.envs.maze.latent.autoencoder import LevelVae, divergence, drawn, squashed
from jaxcurriculum.envs.maze.record import NUM_DIRECTIONS, SIZE, WIDEST, Maze
from jaxcurriculum.fields import given
from jaxcurriculum.records import Key, PyTree

PARTS = 3  # walls, goal, agent: a number each for every cell


@dataclasses.dataclass(frozen=True, kw_only=True)
class CellVaeConfig(Config):
    """Two layers in either direction."""

    size: int = field(SIZE, low=2, high=WIDEST, help="cells a side of the mazes")
    latent_dims: int = field(32, low=1, high=1024, help="axes of the latent box")
    hidden: tuple[int, ...] = field((512, 512), low=1, help="units of each hidden layer")


def cell_vae(config: CellVaeConfig | None = None) -> LevelVae:
    """An autoencoder that reads and writes all cells of a maze at once.

    Decoded are the most likely goal, the most likely agent elsewhere, and every wall that is more
    likely than not on the other cells. The direction in which the agent looks is drawn at random.

    >>> cell_vae(CellVaeConfig(latent_dims=4, hidden=(8,))).space().dims
    4
    """
    config = given(config, CellVaeConfig)
    size, num_cells = config.size, config.size**2
    encoder = _Layers(config.hidden, 2 * config.latent_dims)
    decoder = _Layers(config.hidden[::-1], PARTS * num_cells)

    def encoded(parameters: PyTree, maze: Maze) -> tuple[jax.Array, jax.Array]:
        goal, agent = (
            jax.nn.one_hot(cell_of(place, size), num_cells) for place in (maze.goal, maze.agent)
        )
        seen = jnp.concatenate([maze.walls.reshape(-1).astype(jnp.float32), goal, agent])
        numbers: Any = encoder.apply(parameters["encoder"], seen)
        mean, log_variance = jnp.split(numbers, 2)
        return mean, log_variance

    def logits(parameters: PyTree, point: jax.Array) -> jax.Array:
        numbers: Any = decoder.apply(parameters["decoder"], point)
        return numbers.reshape(PARTS, num_cells)

    def init(key: Key) -> PyTree:
        key_encoder, key_decoder = jax.random.split(key)
        return {
            "encoder": encoder.init(key_encoder, jnp.zeros((PARTS * num_cells,))),
            "decoder": decoder.init(key_decoder, jnp.zeros((config.latent_dims,))),
        }

    def one_loss(key: Key, parameters: PyTree, maze: Maze) -> dict[str, jax.Array]:
        mean, log_variance = encoded(parameters, maze)
        walls, goal, agent = logits(parameters, squashed(drawn(key, mean, log_variance)))
        of_walls = optax.sigmoid_binary_cross_entropy(walls, maze.walls.reshape(-1))
        choice = optax.softmax_cross_entropy_with_integer_labels
        of_goal = choice(goal, cell_of(maze.goal, size))
        of_agent = choice(agent, cell_of(maze.agent, size))
        reconstruction = jnp.sum(of_walls) + of_goal + of_agent
        return {
            "reconstruction": reconstruction,
            "divergence": divergence(mean, log_variance),
        }

    def loss(key: Key, parameters: PyTree, mazes: Maze, weight: jax.Array):
        keys = jax.random.split(key, mazes.direction.shape[0])
        each = jax.vmap(one_loss, in_axes=(0, None, 0))(keys, parameters, mazes)
        parts = {name: jnp.mean(values) for name, values in each.items()}
        return parts["reconstruction"] + weight * parts["divergence"], parts

    def encode(parameters: PyTree, maze: Maze) -> jax.Array:
        return squashed(encoded(parameters, maze)[0])

    def decode(key: Key, parameters: PyTree, point: jax.Array) -> Maze:
        walls, at_goal, at_agent = logits(parameters, point)
        goal = jnp.argmax(at_goal)
        agent = jnp.argmax(at_agent.at[goal].set(-jnp.inf))
        walls = (walls > 0).at[goal].set(False).at[agent].set(False)
        return Maze(
            walls=walls.reshape(size, size),
            goal=place_of(goal, size),
            agent=place_of(agent, size),
            direction=jax.random.randint(key, (), 0, NUM_DIRECTIONS),
        )

    return LevelVae(
        name="cell-vae",
        size=size,
        latent_dims=config.latent_dims,
        init=init,
        loss=loss,
        encode=encode,
        decode=decode,
        config=config,
    )


class _Layers(nn.Module):
    """Dense layers with relu between them."""

    hidden: tuple[int, ...]
    num_outputs: int

    @nn.compact
    def __call__(self, x: jax.Array) -> jax.Array:
        for width in self.hidden:
            x = nn.relu(nn.Dense(width)(x))
        return nn.Dense(self.num_outputs)(x)
