"""A gated recurrent unit (Cho et al. 2014, arXiv:1406.1078)."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxcurriculum.learners.networks.recurrence import State, projected, unrolled

GATES = ("reset", "update", "candidate")


class Gru(nn.Module):
    """A layer of gated recurrent units; what it remembers is what it puts out."""

    size: int

    @staticmethod
    def width(size: int) -> int:
        return size

    @nn.compact
    def __call__(self, memory: jax.Array, x: jax.Array, first: jax.Array):
        # the biases of the memory's part do for the gates; the candidate has one of each part
        inputs = tuple(projected(x, self.size, name, name == "candidate") for name in GATES)
        (memories,) = unrolled(self, cell, len(GATES), (memory,), inputs, first)
        return memories, memories


def cell(inputs: State, recurrent: State, state: State) -> State:
    """One step.

    r = sigmoid(x_r + h_r), z = sigmoid(x_z + h_z), n = tanh(x_n + r h_n), h' = (1 - z) n + z h
    """
    reset, update = (nn.sigmoid(x + h) for x, h in zip(inputs[:2], recurrent[:2]))
    candidate = jnp.tanh(inputs[2] + reset * recurrent[2])
    return ((1 - update) * candidate + update * state[0],)
