"""Every rule of `jaxcurriculum.transfer`, replayed on a transfer matrix."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum import transfer
from jaxcurriculum.transfer import MbtlRule

NUM_ORDERS = 100  # of the random rule, averaged
MBTL = "MBTL"
PAPER = "MBTL as published"


def curves(key: jax.Array, matrix: jax.Array, num: int) -> dict[str, jax.Array]:
    """Coverage of 1 to `num` policies ([num]) by rule, on one matrix [contexts, contexts]."""
    num_contexts = matrix.shape[0]

    def in_random_order(key: jax.Array) -> jax.Array:
        return transfer.coverage(matrix, transfer.random(key, num_contexts, num))

    orders = {
        MBTL: transfer.mbtl(matrix, num),
        PAPER: transfer.mbtl(matrix, num, MbtlRule.paper(num_contexts)),
        "pseudo-greedy": transfer.pseudo_greedy(num_contexts, num),
        "sequential oracle": transfer.sequential_oracle(matrix, num),
    }
    keys = jax.random.split(key, NUM_ORDERS)
    each = [transfer.equidistant(num_contexts, k) for k in range(1, num + 1)]
    spread = [transfer.coverage(matrix, order)[-1] for order in each]
    return {
        **{name: transfer.coverage(matrix, order) for name, order in orders.items()},
        "random": jnp.mean(jax.vmap(in_random_order)(keys), axis=0),
        "equidistant": jnp.stack(spread),
    }
