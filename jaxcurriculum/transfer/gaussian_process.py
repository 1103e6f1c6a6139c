"""Regression by a Gaussian process, with room for observations that are yet to come.

    $k(x, x') = sigma^2 exp(-|x - x'|^2 / (2 l^2))$    $K = k(X, X) + noise^2 I = L L^T$
    $mean(x) = m + k(x, X) K^{-1} (y - m)$
    $sd(x)^2 = sigma^2 - |L^{-1} k(X, x)|^2$

Observations fill the first rows of arrays of a fixed size. A row without one has a 1 on the
diagonal of $K$ and nothing beside it, and so changes neither the factor of the others nor any sum.

Source: C. E. Rasmussen and C. K. I. Williams, "Gaussian processes for machine learning", 2006.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct
from jax.scipy.linalg import solve_triangular


class Kernel(struct.PyTreeNode):
    """A squared exponential, and the noise on top of it; all []."""

    length: jax.Array  # in the units of the points
    deviation: jax.Array  # sigma, in the units of the values
    noise: jax.Array  # standard deviation of an observation about the function


class Observed(struct.PyTreeNode):
    """Values at points, of which those where `known` is false are not there."""

    points: jax.Array  # [most, dims]
    values: jax.Array  # [most], without the mean of the process
    known: jax.Array  # [most], bool


def posterior(kernel: Kernel, observed: Observed, points: jax.Array) -> tuple[jax.Array, jax.Array]:
    """Mean and standard deviation of the function, without noise, at `points` [num, dims]."""
    whitener = _whitener(kernel, observed)
    across = _covariance(kernel, observed.points, points) * observed.known[:, None]
    whitened = whitener @ across
    mean = whitened.T @ (whitener @ _values(observed))
    variance = kernel.deviation**2 - jnp.sum(whitened**2, axis=0)
    return mean, jnp.sqrt(jnp.maximum(variance, 0.0))


def log_marginal_likelihood(kernel: Kernel, observed: Observed) -> jax.Array:
    """Log density of the observed values, [] in nats.

    -(|L^-1 y|^2 + n log(2 pi)) / 2 - sum_i log L_ii
    """
    whitener = _whitener(kernel, observed)
    misfit = jnp.sum((whitener @ _values(observed)) ** 2)
    constant = jnp.sum(observed.known) * jnp.log(2 * jnp.pi)
    return -0.5 * (misfit + constant) + jnp.sum(jnp.log(jnp.diagonal(whitener)))


def _covariance(kernel: Kernel, a: jax.Array, b: jax.Array) -> jax.Array:
    squares = jnp.sum((a[:, None] - b[None]) ** 2, axis=-1)
    return kernel.deviation**2 * jnp.exp(-0.5 * squares / kernel.length**2)


def _whitener(kernel: Kernel, observed: Observed) -> jax.Array:
    """L^-1, [most, most]: for few observations quicker than to solve for each point."""
    both = observed.known[:, None] & observed.known[None]
    covariance = jnp.where(both, _covariance(kernel, observed.points, observed.points), 0.0)
    diagonal = jnp.where(observed.known, kernel.noise**2, 1.0)
    lower = jnp.linalg.cholesky(covariance + jnp.diag(diagonal))
    return solve_triangular(lower, jnp.eye(len(lower)), lower=True)


def _values(observed: Observed) -> jax.Array:
    return jnp.where(observed.known, observed.values, 0.0)
