"""The recurrent autoencoder of CLUTR, of mazes as sorted sequences of cells.

encoder   embedding, two highway layers, an LSTM in either direction; their last cells give mean and
          logarithm of the variance
decoder   two layers of LSTM, which see the point beside every token; in training some of what they
          see is dropped

Source: A. Azad et al., "CLUTR", ICML 2023, after S. Bowman et al., "Generating sentences from a
continuous space", CoNLL 2016.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import optax

from jaxcurriculum.configs import Config, field
from jaxcurriculum.envs.maze.latent.autoencoder import LevelVae, divergence, drawn, squashed
from jaxcurriculum.envs.maze.latent.tokens import PAD, Vocabulary, from_tokens, to_tokens
from jaxcurriculum.envs.maze.record import SIZE, WIDEST, Maze
from jaxcurriculum.fields import given
from jaxcurriculum.records import Key, PyTree

NUM_LAYERS = 2  # highway layers of the encoder, and of LSTM in the decoder


@dataclasses.dataclass(frozen=True, kw_only=True)
class SequenceVaeConfig(Config):
    """Sizes that two cores train in minutes; `paper()` are the published ones."""

    size: int = field(SIZE, low=2, high=WIDEST, help="cells a side of the mazes")
    latent_dims: int = field(32, low=1, high=1024, help="axes of the latent box")
    most_walls: int = field(50, low=0, high=WIDEST**2, help="walls in a sequence")
    embedding: int = field(64, low=1, help="numbers that stand for a cell")
    encoder: int = field(128, low=1, help="cells of the encoder's LSTM in either direction")
    decoder: int = field(192, low=1, help="cells of each layer of the decoder's LSTM")
    dropout: float = field(0.3, low=0, high=0.99, help="share of the decoder's input, in training")
    scale: float = field(79.0, low=0, help="factor of the mean cross-entropy of a token")

    @classmethod
    def paper(cls) -> SequenceVaeConfig:
        """The sizes published for mazes."""
        return cls(latent_dims=64, embedding=300, encoder=600, decoder=800)


def sequence_vae(config: SequenceVaeConfig | None = None) -> LevelVae:
    """An autoencoder that reads and writes a maze cell by cell.

    The maze is decoded greedily. See `tokens.py` for what a sequence is.

    Differs from the paper: the direction in which the agent looks is drawn at random, and a missing
    goal or agent is placed on a random free cell (their code would not end).

    >>> vae = sequence_vae(SequenceVaeConfig(latent_dims=4, embedding=4, encoder=4, decoder=4))
    >>> vae.space().dims
    4
    """
    config = given(config, SequenceVaeConfig)
    words = Vocabulary(config.size)
    encoder, step = _Encoder(config), _DecoderStep(config)
    steps = nn.scan(_DecoderStep, variable_broadcast="params", split_rngs={"params": False})(config)
    width = config.embedding + config.latent_dims
    length = config.most_walls + 3

    def start(points: jax.Array) -> PyTree:
        nothing = jnp.zeros((len(points), config.decoder))
        return points, ((nothing, nothing),) * NUM_LAYERS

    def init(key: Key) -> PyTree:
        key_encoder, key_decoder = jax.random.split(key)
        token = jnp.zeros((1,), jnp.int32)
        keep, point = jnp.ones((1, width)), jnp.zeros((1, config.latent_dims))
        return {
            "encoder": encoder.init(key_encoder, jnp.zeros((1, length), jnp.int32)),
            "decoder": step.init(key_decoder, start(point), (token, keep)),
        }

    def encoded(parameters: PyTree, tokens: jax.Array) -> tuple[jax.Array, jax.Array]:
        moments: Any = encoder.apply(parameters["encoder"], tokens)
        return moments

    def loss(key: Key, parameters: PyTree, mazes: Maze, weight: jax.Array):
        key_latent, key_drop = jax.random.split(key)
        tokens = jax.vmap(lambda maze: to_tokens(maze, config.most_walls))(mazes)
        mean, log_variance = encoded(parameters, tokens)
        points = squashed(drawn(key_latent, mean, log_variance))
        seen = jnp.pad(
            tokens[:, :-1], ((0, 0), (1, 0)), constant_values=words.go
        ).T  # [length, num]
        kept = jax.random.bernoulli(key_drop, 1 - config.dropout, (*seen.shape, width))
        keep = kept / (1 - config.dropout)
        after: Any = steps.apply(parameters["decoder"], start(points), (seen, keep))
        entropy = optax.softmax_cross_entropy_with_integer_labels(after[1], tokens.T)
        parts = {
            "reconstruction": config.scale * jnp.mean(entropy),
            "divergence": jnp.mean(divergence(mean, log_variance)),
        }
        return parts["reconstruction"] + weight * parts["divergence"], parts

    def encode(parameters: PyTree, maze: Maze) -> jax.Array:
        tokens = to_tokens(maze, config.most_walls)
        return squashed(encoded(parameters, tokens[None])[0][0])

    def decode(key: Key, parameters: PyTree, point: jax.Array) -> Maze:
        keep = jnp.ones((1, width))

        def write(carry: PyTree, _: None) -> tuple[PyTree, jax.Array]:
            memory, token = carry
            after: Any = step.apply(parameters["decoder"], memory, (token, keep))
            memory, logits = after
            token = jnp.argmax(logits, axis=-1).astype(jnp.int32)
            return (memory, token), token[0]

        first = jnp.full((1,), words.go, jnp.int32)
        _, tokens = jax.lax.scan(write, (start(point[None]), first), None, length)
        return from_tokens(key, tokens, config.size)

    return LevelVae(
        name="sequence-vae",
        size=config.size,
        latent_dims=config.latent_dims,
        init=init,
        loss=loss,
        encode=encode,
        decode=decode,
        config=config,
    )


class _Encoder(nn.Module):
    """Mean and logarithm of the variance, [num, latent_dims] each, of tokens [num, length]."""

    config: SequenceVaeConfig

    @nn.compact
    def __call__(self, tokens: jax.Array) -> tuple[jax.Array, jax.Array]:
        config = self.config
        words = Vocabulary(config.size)
        x = nn.Embed(words.num, config.embedding)(tokens)
        for _ in range(NUM_LAYERS):
            gate = nn.sigmoid(nn.Dense(config.embedding)(x))
            x = gate * nn.relu(nn.Dense(config.embedding)(x)) + (1 - gate) * x
        lengths = jnp.sum((tokens != PAD) & (tokens != words.end), axis=1)
        last = []
        for reverse in (False, True):
            cells = nn.RNN(nn.OptimizedLSTMCell(config.encoder), return_carry=True, reverse=reverse)
            (cell, _), _ = cells(x, seq_lengths=lengths)
            last.append(cell)
        both = jnp.concatenate(last, axis=-1)
        mean, log_variance = nn.Dense(config.latent_dims), nn.Dense(config.latent_dims)
        return mean(both), log_variance(both)


class _DecoderStep(nn.Module):
    """The logits of the next token, [num, tokens], from the last one."""

    config: SequenceVaeConfig

    @nn.compact
    def __call__(
        self, memory: PyTree, inputs: tuple[jax.Array, jax.Array]
    ) -> tuple[PyTree, jax.Array]:
        (point, layers), (token, keep) = memory, inputs
        num_tokens = Vocabulary(self.config.size).num
        x = nn.Embed(num_tokens, self.config.embedding)(token)
        x = jnp.concatenate([x, point], axis=-1) * keep
        after = []
        for layer in layers:
            layer, x = nn.OptimizedLSTMCell(self.config.decoder)(layer, x)
            after.append(layer)
        return (point, tuple(after)), nn.Dense(num_tokens)(x)
