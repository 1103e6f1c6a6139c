"""Gaussian mixtures fitted in a compiled program: k-means start, full covariances, size by AIC.

All candidate numbers of components are fitted at once, as one batch with the unused components
masked.

The covariance of a component is never formed while it is fitted. Gram-Schmidt on the centred data,
in the inner product weighted by the responsibilities, gives its Cholesky factor directly, and the
residuals that it leaves are what the density needs. A component that has fallen onto a few points
has a condition number beyond float32 (1e10 with raw returns in the hundreds); its square root is
within.

Source: A. Dempster, N. Laird, D. Rubin, "Maximum likelihood from incomplete data via the EM
algorithm", 1977. Defaults and stopping rule are scikit-learn's.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.records import Key
from jaxcurriculum.teachers.parts.candidates import one_hot, run_candidates
from jaxcurriculum.teachers.parts.kmeans import kmeans

REGULARISATION = 1e-6  # added to the variance on every axis, in the square of the axis' own unit
TOLERANCE = 1e-3  # EM stops when the mean log-likelihood of a row changes by less
MAX_EM_STEPS = 100
EMPTY = 1e-30  # stands for the weight of a component without any point
MOST_WRITTEN_OUT = 8  # dims


class Mixture(struct.PyTreeNode):
    """A mixture of Gaussians with full covariances; any leading axes."""

    weights: jax.Array  # [components], sum to 1
    means: jax.Array  # [components, dims]
    scales: jax.Array  # [components, dims, dims], lower triangular: covariance = scale @ scale.T
    valid: jax.Array  # [components], bool; the others hold nothing


class EmJob(struct.PyTreeNode):
    """Expectation maximisation of one candidate, in scaled units."""

    points: jax.Array  # [dims, num]
    floor: jax.Array  # [dims], the regularisation as a standard deviation
    used: jax.Array  # [components], bool
    responsibilities: jax.Array  # [components, num]
    mixture: Mixture
    log_likelihood: jax.Array  # [], mean of a row
    # [], bool: the last step changed the log-likelihood by less than the tolerance
    settled: jax.Array
    num_steps: jax.Array  # [], int32


def empty(num_components: int, dims: int) -> Mixture:
    """A mixture without a valid component."""
    return Mixture(
        weights=jnp.zeros((num_components,), jnp.float32),
        means=jnp.zeros((num_components, dims), jnp.float32),
        scales=jnp.zeros((num_components, dims, dims), jnp.float32),
        valid=jnp.zeros((num_components,), bool),
    )


def covariances(mixture: Mixture) -> jax.Array:
    """The covariance matrices, [components, dims, dims]."""
    return jnp.einsum("...ij,...kj->...ik", mixture.scales, mixture.scales)


def sample(key: Key, mixture: Mixture, component: jax.Array) -> jax.Array:
    """One draw ([num, dims]) from each of the Gaussians `component` ([num] int32)."""
    noise = jax.random.normal(key, (component.shape[0], mixture.means.shape[-1]))
    return mixture.means[component] + jnp.einsum("nij,nj->ni", mixture.scales[component], noise)


def fit(key: Key, data: jax.Array, candidates: tuple[int, ...], needed: jax.Array) -> Mixture:
    """The mixture of `data` ([num, dims]) whose size, of `candidates`, has the lowest AIC.

        AIC = 2 (components (dims + 1) (dims + 2) / 2 - 1) - 2 log-likelihood

    Where `needed` ([] bool) is false the result means nothing, and costs nothing.
    """
    labels = kmeans(key, data, candidates, needed)
    mixtures, log_likelihood = expectation_maximisation(data, labels, candidates, needed)
    best = jnp.argmin(aic(log_likelihood, candidates, *data.shape))
    return jax.tree.map(lambda leaf: leaf[best], mixtures)


def aic(log_likelihood: jax.Array, candidates: tuple[int, ...], num: int, dims: int) -> jax.Array:
    """Akaike's criterion of each candidate from its mean log-likelihood a row, [candidates]."""
    num_parameters = np.array(candidates) * (dims + 1) * (dims + 2) / 2 - 1
    return jnp.asarray(2 * num_parameters.astype(np.float32) - 2 * num * log_likelihood)


def expectation_maximisation(
    data: jax.Array, labels: jax.Array, candidates: tuple[int, ...], needed: jax.Array
) -> tuple[Mixture, jax.Array]:
    """EM from the clusters `labels` ([candidates, num]): mixtures, mean log-likelihood a row.

    A candidate stops one step after its log-likelihood changed by less than `TOLERANCE`, as in
    scikit-learn.
    """
    centre = jnp.mean(data, axis=0)
    variance = jnp.mean(jnp.square(data - centre[None]), axis=0)
    spread = jnp.sqrt(variance + REGULARISATION)
    points = ((data - centre[None]) / spread[None]).T  # [dims, num]
    # the regularisation as a standard deviation in scaled units
    floor = math.sqrt(REGULARISATION) / spread

    def start(used: jax.Array, points: jax.Array, floor: jax.Array, labels: jax.Array) -> EmJob:
        return EmJob(
            points,
            floor,
            used,
            responsibilities=one_hot(labels, len(used)),
            mixture=empty(len(used), len(points)),
            log_likelihood=jnp.full((), -jnp.inf, jnp.float32),
            settled=jnp.zeros((), bool),
            num_steps=jnp.int32(0),
        )

    def step(job: EmJob) -> tuple[EmJob, jax.Array]:
        responsibilities, mixture, log_likelihood = em_step(
            job.points, job.responsibilities, job.floor, job.used
        )
        finished = job.settled | (job.num_steps == MAX_EM_STEPS)
        job = job.replace(
            responsibilities=responsibilities,
            mixture=mixture,
            log_likelihood=log_likelihood,
            settled=jnp.abs(log_likelihood - job.log_likelihood) < TOLERANCE,
            num_steps=job.num_steps + 1,
        )
        return job, finished

    def result(job: EmJob) -> tuple[Mixture, jax.Array]:
        return job.mixture, job.log_likelihood

    mixture, log_likelihood = run_candidates(
        candidates, needed, start, step, result, (points, floor), (labels,)
    )
    means = centre[None, None] + mixture.means * spread[None, None]
    scales = spread[None, None, :, None] * mixture.scales
    return mixture.replace(means=means, scales=scales), log_likelihood - jnp.sum(jnp.log(spread))


def em_step(
    points: jax.Array, responsibilities: jax.Array, floor: jax.Array, used: jax.Array
) -> tuple[jax.Array, Mixture, jax.Array]:
    """One M step, and the E step with what it found.

    Args:
      points: [dims, num], scaled rows.
      responsibilities: [components, num], sum to 1 over components.
      floor: [dims], the standard deviation that regularises each axis.
      used: [components] bool, which components there are.

    Returns:
      the new responsibilities, the mixture in scaled units, and its mean log-likelihood a row.
    """
    dims, num = points.shape
    mass = jnp.maximum(jnp.sum(responsibilities, axis=1), EMPTY)
    share = responsibilities / mass[:, None]
    along_axes = [jnp.sum(share * row[None], axis=1) for row in points]
    means = jnp.stack(along_axes, axis=1)
    whiten = _whiten_axis_by_axis if dims > MOST_WRITTEN_OUT else _whiten
    mahalanobis, scales = whiten(points, means, share, floor)
    diagonal = jnp.diagonal(scales, axis1=1, axis2=2)
    log_determinant = jnp.sum(jnp.log(diagonal), axis=1)
    log_scale = log_determinant + 0.5 * dims * math.log(2 * math.pi)
    log_weight = jnp.where(used, jnp.log(mass / num) - log_scale, -jnp.inf)
    log_joint = log_weight[:, None] - 0.5 * mahalanobis
    highest = jnp.max(log_joint, axis=0)
    joint = jnp.exp(log_joint - highest[None])
    total = jnp.sum(joint, axis=0)
    mixture = Mixture(weights=mass / num, means=means, scales=scales, valid=used)
    return joint / total[None], mixture, jnp.mean(highest + jnp.log(total))


def _whiten(
    points: jax.Array, means: jax.Array, share: jax.Array, floor: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Squared Mahalanobis distances [components, num], Cholesky factors [components, dims, dims].

    Gram-Schmidt over the axes. The regularisation enters as one more row an axis, `floor` on that
    axis and 0 elsewhere.
    """
    dims = len(points)
    rows = [points[d][None] - means[:, d, None] for d in range(dims)]
    extra = [jnp.zeros_like(means).at[:, d].set(floor[d]) for d in range(dims)]
    scales = jnp.zeros((*means.shape, dims), means.dtype)
    mahalanobis = jnp.zeros_like(share)
    for d in range(dims):
        weighted = share * rows[d]
        of_rows = jnp.sum(weighted * rows[d], axis=1)
        variance = of_rows + jnp.sum(extra[d] * extra[d], axis=1)
        deviation = jnp.sqrt(variance)
        scales = scales.at[:, d, d].set(deviation)
        for later in range(d + 1, dims):
            by_rows = jnp.sum(weighted * rows[later], axis=1)
            slope = (by_rows + jnp.sum(extra[d] * extra[later], axis=1)) / variance
            rows[later] = rows[later] - slope[:, None] * rows[d]
            extra[later] = extra[later] - slope[:, None] * extra[d]
            scales = scales.at[:, later, d].set(slope * deviation)
        mahalanobis = mahalanobis + jnp.square(rows[d]) / variance[:, None]
    return mahalanobis, scales


def _whiten_axis_by_axis(
    points: jax.Array, means: jax.Array, share: jax.Array, floor: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """The same for many dims: written out, its program would be compiled for minutes."""
    components, dims = means.shape
    axes = jnp.arange(dims)
    rows = points[:, None] - means.T[:, :, None]  # [dims, components, num]
    extra = jnp.broadcast_to(jnp.diag(floor)[:, None], (dims, components, dims))

    def whiten(d: jax.Array, carry):
        rows, extra, scales, mahalanobis = carry
        row, extra_row = rows[d], extra[d]
        weighted = share * row
        products = jnp.sum(weighted[None] * rows, axis=2)
        products = products + jnp.sum(extra_row[None] * extra, axis=2)  # [dims, components]
        variance = products[d]
        below = jnp.where(axes[:, None] >= d, products / jnp.sqrt(variance)[None], 0)
        slopes = jnp.where(axes[:, None] > d, products / variance[None], 0)[..., None]
        scales = scales.at[:, :, d].set(below.T)
        mahalanobis = mahalanobis + jnp.square(row) / variance[:, None]
        return rows - slopes * row[None], extra - slopes * extra_row[None], scales, mahalanobis

    scales = jnp.zeros((*means.shape, dims), means.dtype)
    start = rows, extra, scales, jnp.zeros_like(share)
    _, _, scales, mahalanobis = jax.lax.fori_loop(0, dims, whiten, start)
    return mahalanobis, scales
