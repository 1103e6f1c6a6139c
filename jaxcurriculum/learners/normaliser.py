"""Running mean and variance of a stream of batches (Chan, Golub and LeVeque 1979)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.records import PyTree


class Moments(struct.PyTreeNode):
    """Mean and variance of everything seen so far; 0 and 1 before anything was."""

    count: jax.Array  # [], float32
    mean: jax.Array  # [dims]
    variance: jax.Array  # [dims]


def init_moments(shape: tuple[int, ...]) -> Moments:
    """Moments of nothing, for samples of `shape`."""
    return Moments(
        count=jnp.zeros((), jnp.float32),
        mean=jnp.zeros(shape, jnp.float32),
        variance=jnp.ones(shape, jnp.float32),
    )


def update_moments(moments: Moments, batch: jax.Array) -> Moments:
    """Add `batch` [n, dims]:  n = n1 + n2,  mean = m1 + d n2/n,  var = (v1 n1 + v2 n2 + d^2 n1
    n2/n) / n  with d = m2 - m1.

    >>> float(update_moments(init_moments(()), jnp.array([1.0, 3.0])).variance)
    1.0
    """
    num = jnp.float32(batch.shape[0])
    total = moments.count + num
    batch_mean, batch_variance = jnp.mean(batch, 0), jnp.var(batch, 0)
    delta = batch_mean - moments.mean
    share = num / total
    return Moments(
        count=total,
        mean=moments.mean + delta * share,
        variance=moments.variance * (1 - share)
        + batch_variance * share
        + delta**2 * share * (1 - share),
    )


def standardise(moments: Moments, x: jax.Array, limit: float = 10.0) -> jax.Array:
    """(x - mean) / sd, clipped to +-limit; x is [..., dims]."""
    shape = (1,) * (x.ndim - moments.mean.ndim) + moments.mean.shape
    mean, inverse = (
        moments.mean.reshape(shape),
        jax.lax.rsqrt(moments.variance + 1e-8).reshape(shape),
    )
    return jnp.clip((x - mean) * inverse, -limit, limit)


def init_obs_moments(obs: PyTree, wanted: bool = True) -> list[Moments | None]:
    """Moments of nothing for every leaf of an observation.

    None for what is left as it is: images (of three axes and more) and whole numbers, or, unless
    they are `wanted`, everything.
    """
    return [
        init_moments(leaf.shape)
        if wanted and leaf.ndim < 3 and jnp.issubdtype(leaf.dtype, jnp.floating)
        else None
        for leaf in jax.tree.leaves(obs)
    ]


def standardise_obs(moments: list[Moments | None], obs: PyTree) -> PyTree:
    """`standardise` of every leaf that has moments."""
    leaves, structure = jax.tree.flatten(obs)
    scaled = [x if known is None else standardise(known, x) for known, x in zip(moments, leaves)]
    return jax.tree.unflatten(structure, scaled)


def update_obs_moments(moments: list[Moments | None], obs: PyTree) -> list[Moments | None]:
    """Add a round of observations, [num_steps, num, ...]."""
    return [
        None if known is None else update_moments(known, x.reshape(-1, *x.shape[2:]))
        for known, x in zip(moments, jax.tree.leaves(obs))
    ]
