"""Long short-term memory (Hochreiter and Schmidhuber 1997)."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxcurriculum.learners.networks.parts import kernel


class Lstm(nn.Module):
    """A layer of LSTM cells; it remembers each cell and what it has put out."""

    size: int

    @staticmethod
    def width(size: int) -> int:
        return 2 * size

    @nn.compact
    def __call__(self, memory: jax.Array, x: jax.Array, first: jax.Array):
        cells = nn.scan(_Cell, variable_broadcast="params", split_rngs={"params": False})
        cell, outputs = jnp.split(memory, 2, axis=-1)
        _, (cell, outputs) = cells(self.size, name="steps")((cell, outputs), (x, first))
        return jnp.concatenate([cell, outputs], axis=-1), outputs


class _Cell(nn.Module):
    """One step, which forgets everything where an episode begins."""

    size: int

    @nn.compact
    def __call__(self, memory: tuple[jax.Array, jax.Array], inputs: tuple[jax.Array, jax.Array]):
        x, first = inputs
        memory = jax.tree.map(lambda leaf: jnp.where(first[:, None], 0.0, leaf), memory)
        cell = nn.OptimizedLSTMCell(self.size, recurrent_kernel_init=kernel(1.0), name="cell")
        memory, _ = cell(memory, x)
        return memory, memory
