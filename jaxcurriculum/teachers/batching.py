"""Bounds on work that the seeds of one program share."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap


@custom_vmap
def shared_max(bound: jax.Array) -> jax.Array:
    """`bound` itself for one seed; under `vmap` the largest of all seeds, and not mapped.

    As a trip count or a branch it keeps `while_loop` and `cond` what they are (no `select` over the state, no work that no seed
    needs). It may only bound work: a result that depended on it would depend on the other seeds.

    >>> jax.vmap(lambda n: shared_max(n) + 0 * n)(jnp.array([3, 1, 2]))
    Array([3, 3, 3], dtype=int32)
    """
    return bound


@shared_max.def_vmap
def _shared_max_batched(axis_size, in_batched, bound):
    return shared_max(jnp.max(bound, axis=0)), False
