"""Gaussians, and a natural-gradient step within a bounded divergence.

Source: J. Schulman, S. Levine, P. Moritz, M. Jordan, P. Abbeel, "Trust region policy optimization",
ICML 2015.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct
from jax.flatten_util import ravel_pytree
from jax.scipy.linalg import solve_triangular
from jax.scipy.sparse.linalg import cg

CG_ITERATIONS = 10
CG_RESIDUAL = 1e-5  # norm of what is left, at which the solution counts as found
DAMPING = 1e-2
MAX_HALVINGS = 10
AIM = 0.999  # fraction of max_kl that a step aims at, so that rounding does not put it beyond
LIMIT = 0.9999  # fraction of max_kl that a step may reach, as computed
MOST_WRITTEN_OUT = 8  # dims
# steps tried, whether the last one is accepted, where it leads or else the start
Search = tuple[jax.Array, jax.Array, jax.Array]


class Gaussian(struct.PyTreeNode):
    """N(mean, L L^T) with the lower triangular factor L, by the numbers that an update moves."""

    mean: jax.Array  # [dims]
    log_diagonal: jax.Array  # [dims], logarithm of L's diagonal
    below: jax.Array  # [dims (dims - 1) / 2], what stands below it, row after row


def factor(gaussian: Gaussian) -> jax.Array:
    """The lower triangular L of the covariance L L^T, [dims, dims]."""
    dims = gaussian.mean.shape[0]
    place = np.zeros((dims, dims), np.int32)
    place[np.diag_indices(dims)] = np.arange(dims)
    place[np.tril_indices(dims, -1)] = dims + np.arange(gaussian.below.shape[0])
    entries = jnp.concatenate([jnp.exp(gaussian.log_diagonal), gaussian.below])
    return jnp.where(np.tri(dims, dtype=bool), entries[place], 0.0)


def kl(p: Gaussian, q: Gaussian) -> jax.Array:
    """KL(p || q) in nats, [], accurate where p and q are near each other too.

    (|M|^2 - dims + |L_q^-1 (m_p - m_q)|^2) / 2 - log det M,   M = L_q^-1 L_p

    distrax's cancels: where the parameters of both differ by 1e-3 it is wrong by up to 4 %, this by
    0.005 %.
    """
    log_ratio = p.log_diagonal - q.log_diagonal  # of the diagonal of M
    below = jnp.sum(jnp.tril(_solve(q, factor(p)), -1) ** 2)
    shift = _solve(q, (p.mean - q.mean)[:, None])
    others = below + jnp.sum(shift**2)
    return 0.5 * (jnp.sum(jnp.expm1(2 * log_ratio) - 2 * log_ratio) + others)


def log_density(gaussian: Gaussian, points: jax.Array) -> jax.Array:
    """Log density at `points` ([dims, num]) up to a constant that all Gaussians share, [num]."""
    whitened = _solve(gaussian, points - gaussian.mean[:, None])
    return -0.5 * jnp.sum(whitened**2, axis=0) - jnp.sum(gaussian.log_diagonal)


def trust_region_step(
    old: Gaussian, objective: Callable[[Gaussian], jax.Array], max_kl: float | jax.Array
) -> Gaussian:
    """`old` moved along the natural gradient, as far as KL(old || new) <= max_kl.

        step = sqrt(2 max_kl / (s^T F s)) s,   F s = gradient,
        F: Hessian of KL(old || .) at old, damped

    The whole step is tried, then its halves: the first within the bound that does not make the
    objective worse is taken. Where there is none `old` is left as it is.
    """
    start, unravel = ravel_pytree(old)

    def distance(x: jax.Array) -> jax.Array:
        return kl(old, unravel(x))

    def fisher(v: jax.Array) -> jax.Array:
        return jax.jvp(jax.grad(distance), (start,), (v,))[1] + DAMPING * v

    gradient = jax.grad(lambda x: objective(unravel(x)))(start)
    # its size does not matter, but could overflow
    gradient = gradient / jnp.maximum(jnp.max(jnp.abs(gradient)), 1e-30)
    direction, _ = cg(fisher, gradient, tol=0.0, atol=CG_RESIDUAL, maxiter=CG_ITERATIONS)
    curvature = jnp.maximum(direction @ fisher(direction), 1e-30)
    whole = jnp.sqrt(2 * AIM * max_kl / curvature) * direction
    least = objective(old)

    def searches(carry: Search) -> jax.Array:
        return (carry[0] <= MAX_HALVINGS) & ~carry[1]

    def halve(carry: Search) -> Search:
        num_tried, _, _ = carry
        x = start + whole * 0.5 ** num_tried.astype(jnp.float32)
        accepted = (distance(x) <= LIMIT * max_kl) & (objective(unravel(x)) >= least)  # nan is not
        return num_tried + 1, accepted, jnp.where(accepted, x, start)

    # The verdict is carried: a condition that computed it again could round otherwise than the body
    # does, and never end.
    nothing_tried = (jnp.int32(0), jnp.asarray(False), start)
    return unravel(jax.lax.while_loop(searches, halve, nothing_tried)[2])


def _solve(gaussian: Gaussian, right: jax.Array) -> jax.Array:
    """L^-1 right, for `right` [dims, num].

    Row by row for few dims, which is quicker under vmap than LAPACK matrix by matrix. As it is
    written out, it would be compiled for minutes for many.
    """
    lower, rows = factor(gaussian), []
    if right.shape[0] > MOST_WRITTEN_OUT:
        return solve_triangular(lower, right, lower=True)
    for axis in range(right.shape[0]):
        products = (lower[axis, other] * rows[other] for other in range(axis))
        known = sum(products, jnp.zeros_like(right[axis]))
        rows.append((right[axis] - known) / lower[axis, axis])
    return jnp.stack(rows)
