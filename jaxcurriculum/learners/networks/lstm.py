"""Long short-term memory (Hochreiter and Schmidhuber 1997)."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxcurriculum.learners.networks.recurrence import State, projected, unrolled

GATES = ("input", "forget", "candidate", "output")


class Lstm(nn.Module):
    """A layer of LSTM cells; it remembers each cell and what it has put out."""

    size: int

    @staticmethod
    def width(size: int) -> int:
        return 2 * size

    @nn.compact
    def __call__(self, memory: jax.Array, x: jax.Array, first: jax.Array):
        state = tuple(jnp.split(memory, 2, axis=-1))
        inputs = tuple(projected(x, self.size, name, use_bias=False) for name in GATES)
        cells, outputs = unrolled(self, cell, len(GATES), state, inputs, first)
        return jnp.concatenate([cells, outputs], axis=-1), outputs


def cell(inputs: State, recurrent: State, state: State) -> State:
    """One step.

    i, f, o = sigmoid(x + h) of each, g = tanh(x_g + h_g), c' = f c + i g, h' = o tanh(c')
    """
    let_in, keep, new, let_out = (x + h for x, h in zip(inputs, recurrent))
    memory = nn.sigmoid(keep) * state[0] + nn.sigmoid(let_in) * jnp.tanh(new)
    return memory, nn.sigmoid(let_out) * jnp.tanh(memory)
