"""A conditional normalising flow on the unit cube: points whose density is known exactly.

    x <- x * scale(kept, f) + shift(kept, f)   of the coordinates that a coupling moves,
                                               given those that it keeps (RealNVP)
    g  = sigmoid(x)
    log p(g | f) = log N(z; 0, 1) - sum log scale - sum log g (1 - g)

Source: L. Dinh, J. Sohl-Dickstein, S. Bengio, "Density estimation using Real NVP", ICLR 2017;
highway layers: R. Srivastava, K. Greff, J. Schmidhuber, 2015.
"""

from __future__ import annotations

import math
from typing import Any

import flax.linen as nn
import jax
import jax.numpy as jnp
import numpy as np

LEAST_SCALE = 0.01
# softplus of it and LEAST_SCALE make a scale of 1
UNIT_SCALE = math.log(math.expm1(1.0 - LEAST_SCALE))
NUM_HIGHWAYS = 3


class Coupling(nn.Module):
    """Moves the axes not `kept`, by an affine map of the others and of the condition."""

    kept: tuple[bool, ...]
    hidden: int

    @nn.compact
    def __call__(self, x: jax.Array, condition: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Shift and log scale for x [dims] given `condition` [], 0 where coordinates are kept."""
        kept = np.array(self.kept)
        hidden = nn.Dense(self.hidden)(jnp.append(jnp.where(kept, x, 0.0), condition))
        for _ in range(NUM_HIGHWAYS):
            carry = nn.sigmoid(nn.Dense(self.hidden)(hidden))
            hidden = carry * hidden + (1.0 - carry) * nn.relu(nn.Dense(self.hidden)(hidden))
        last = nn.Dense(2 * len(kept), kernel_init=nn.initializers.normal(0.01))
        shift, scale = jnp.split(last(hidden), 2)
        log_scale = jnp.log(LEAST_SCALE + nn.softplus(scale + UNIT_SCALE))
        return jnp.where(kept, 0.0, shift), jnp.where(kept, 0.0, log_scale)


class Flow(nn.Module):
    """`num_blocks` times three couplings: given the left half, the right half, every other axis.

    It is about one point; `jax.vmap` makes more. Couplings that would keep what the one before
    keeps are left out: their product is one affine map (in 2-D the third of each block). With a
    single coordinate all depend on the condition alone, and there is one.
    """

    dims: int
    hidden: int
    num_blocks: int = 3

    def setup(self):
        patterns = _patterns(self.dims, self.num_blocks)
        self.couplings = [Coupling(kept, self.hidden) for kept in patterns]

    def __call__(self, noise: jax.Array, condition: jax.Array) -> tuple[jax.Array, jax.Array]:
        """A point [dims] from standard normal `noise` [dims], and its log density []."""
        point, log_stretch = self._map(condition).forward_and_log_det(noise)
        return point, _log_normal(noise) - log_stretch

    def inverse(self, point: jax.Array, condition: jax.Array) -> tuple[jax.Array, jax.Array]:
        """The noise [dims] that `point` [dims] comes from, and the point's log density []."""
        noise, log_stretch = self._map(condition).inverse_and_log_det(point)
        return noise, _log_normal(noise) + log_stretch

    def _map(self, condition: jax.Array) -> Any:
        """The bijector from noise to points."""
        import distrax  # a quarter of the time that importing this package would take

        def moved(coupling: Any) -> distrax.Bijector:
            return distrax.MaskedCoupling(
                mask=jnp.array(coupling.kept),
                conditioner=lambda x: coupling(x, condition),
                bijector=lambda by: distrax.ScalarAffine(shift=by[0], log_scale=by[1]),
            )

        onto_cube = distrax.Block(distrax.Sigmoid(), 1)
        return distrax.Chain([onto_cube, *map(moved, reversed(self.couplings))])


def _patterns(dims: int, num_blocks: int) -> list[tuple[bool, ...]]:
    """Which coordinates each coupling keeps."""
    place = np.arange(dims)
    block = [place < dims // 2, place >= (dims + 1) // 2, place % 2 == 1]
    patterns = [tuple(bool(x) for x in kept) for kept in block * num_blocks]
    return [kept for before, kept in zip([None, *patterns], patterns) if kept != before]


def _log_normal(x: jax.Array) -> jax.Array:
    import distrax

    return jnp.sum(distrax.Normal(0.0, 1.0).log_prob(x))
