"""A gated recurrent unit (Cho et al. 2014, arXiv:1406.1078)."""

from __future__ import annotations

import flax.linen as nn
import jax
import jax.numpy as jnp

from jaxcurriculum.learners.networks.parts import kernel


class Gru(nn.Module):
    """A layer of gated recurrent units; what it remembers is what it puts out."""

    size: int

    @staticmethod
    def width(size: int) -> int:
        return size

    @nn.compact
    def __call__(self, memory: jax.Array, x: jax.Array, first: jax.Array):
        cells = nn.scan(_Cell, variable_broadcast="params", split_rngs={"params": False})
        _, memories = cells(self.size, name="steps")(memory, (x, first))
        return memories, memories


class _Cell(nn.Module):
    """One step, which forgets everything where an episode begins."""

    size: int

    @nn.compact
    def __call__(self, memory: jax.Array, inputs: tuple[jax.Array, jax.Array]):
        x, first = inputs
        memory = jnp.where(first[:, None], 0.0, memory)
        cell = nn.GRUCell(self.size, recurrent_kernel_init=kernel(1.0), name="cell")
        return cell(memory, x)
