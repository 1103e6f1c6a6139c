"""Gaussian mixtures fitted inside a compiled program: k-means start, full covariances, number of components by AIC.

All candidate numbers of components are fitted at once, as one batch with the unused components masked.

The covariance of a component is never formed while it is fitted. Gram-Schmidt on the centred data, in the inner product
weighted by the responsibilities, gives its Cholesky factor directly, and the residuals that it leaves are what the density
needs. A component that has fallen onto a few points has a condition number beyond float32 (1e10 with raw returns in the
hundreds); its square root is within.

Source: A. Dempster, N. Laird, D. Rubin, "Maximum likelihood from incomplete data via the EM algorithm", 1977; D. Arthur and
S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007. Defaults and stopping rule are scikit-learn's.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.teachers.batching import shared_max
from jaxcurriculum.types import Key

REGULARISATION = 1e-6  # added to the variance on every axis, in the square of the axis' own unit
TOLERANCE = 1e-3  # EM stops when the mean log-likelihood of a row changes by less
MAX_EM_STEPS = 100
MAX_KMEANS_STEPS = 50
SEEDING_TRIALS = 4  # points tried for each k-means++ centre, 2 + log(10) as scikit-learn does for 10 components
EMPTY = 1e-30  # stands for the weight of a component without any point


class Mixture(struct.PyTreeNode):
    """A mixture of Gaussians with full covariances; any leading axes."""

    weights: jax.Array  # [components], sum to 1
    means: jax.Array  # [components, dims]
    scales: jax.Array  # [components, dims, dims], lower triangular: covariance = scale @ scale.T
    valid: jax.Array  # [components], bool; the others hold nothing


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
    """The mixture of `data` ([num, dims]) with the lowest AIC among the `candidates` for the number of components.

        AIC = 2 (components (dims + 1) (dims + 2) / 2 - 1) - 2 log-likelihood

    Where `needed` ([] bool) is false the result means nothing, and no work is done if that holds for all mapped seeds.
    """
    labels = kmeans(key, data, candidates, needed)
    mixtures, log_likelihood = expectation_maximisation(data, labels, candidates, needed)
    best = jnp.argmin(aic(log_likelihood, candidates, *data.shape))
    return jax.tree.map(lambda leaf: leaf[best], mixtures)


def aic(log_likelihood: jax.Array, candidates: tuple[int, ...], num: int, dims: int) -> jax.Array:
    """Akaike's criterion of each candidate from its mean log-likelihood a row, [candidates]."""
    num_parameters = np.array(candidates) * (dims + 1) * (dims + 2) / 2 - 1
    return 2 * num_parameters.astype(np.float32) - 2 * num * log_likelihood


def kmeans(key: Key, data: jax.Array, candidates: tuple[int, ...], needed: jax.Array) -> jax.Array:
    """The cluster of every row for every candidate, [candidates, num] int32: greedy k-means++, then Lloyd's iterations.

    The seeds are one sequence of centres, of which a candidate takes the first: any beginning of a k-means++ sequence is one.
    A cluster that loses all its points keeps its centre.
    """
    points = (data - jnp.mean(data, axis=0, keepdims=True)).T  # [dims, num]
    used = _used(candidates)
    seeds = _seed_centres(key, points, max(candidates))
    centres = jnp.broadcast_to(seeds[None], (len(candidates), *seeds.shape))  # [candidates, components, dims]

    def nearest(centres: jax.Array) -> jax.Array:
        distance = jnp.sum(jnp.square(points[None, None] - centres[..., None]), axis=2)  # [candidates, components, num]
        return jnp.argmin(jnp.where(used[..., None], distance, jnp.inf), axis=1).astype(jnp.int32)

    def lloyd(carry):
        step, centres, labels, _ = carry
        member = _one_hot(labels, max(candidates))
        count = jnp.sum(member, axis=2)[..., None]
        moved = jnp.where(count > 0, jnp.einsum("ckn,dn->ckd", member, points) / jnp.maximum(count, 1), centres)
        new_labels = nearest(moved)
        return step + 1, moved, new_labels, needed & jnp.any(new_labels != labels)

    def unfinished(carry):
        return (carry[0] < MAX_KMEANS_STEPS) & shared_max(carry[3])

    return jax.lax.while_loop(unfinished, lloyd, (jnp.int32(0), centres, nearest(centres), needed))[2]


def expectation_maximisation(
    data: jax.Array, labels: jax.Array, candidates: tuple[int, ...], needed: jax.Array
) -> tuple[Mixture, jax.Array]:
    """EM from the clusters `labels` ([candidates, num]): the mixtures ([candidates, ...]) and their mean log-likelihood a row.

    A candidate stops one step after its log-likelihood changed by less than `TOLERANCE`, as in scikit-learn, and keeps still
    while the others go on.
    """
    centre = jnp.mean(data, axis=0)
    spread = jnp.sqrt(jnp.mean(jnp.square(data - centre[None]), axis=0) + REGULARISATION)
    points = ((data - centre[None]) / spread[None]).T  # [dims, num]
    floor = jnp.sqrt(REGULARISATION) / spread  # the regularisation as a standard deviation in scaled units
    used = jnp.array(_used(candidates))

    def step(carry):
        count, responsibilities, mixture, log_likelihood, settled, done = carry
        new_responsibilities, new_mixture, new_log_likelihood = em_step(points, responsibilities, floor, used)
        keep = lambda new, old: jnp.where(done.reshape(-1, *[1] * (new.ndim - 1)), old, new)  # noqa: E731
        new = (new_responsibilities, new_mixture, new_log_likelihood)
        responsibilities, mixture, kept_likelihood = jax.tree.map(keep, new, (responsibilities, mixture, log_likelihood))
        now_settled = jnp.abs(new_log_likelihood - log_likelihood) < TOLERANCE
        return count + 1, responsibilities, mixture, kept_likelihood, now_settled, done | settled

    def unfinished(carry):
        return (carry[0] <= MAX_EM_STEPS) & shared_max(jnp.any(~carry[-1]))

    num_candidates, num_components = used.shape
    start = jax.tree.map(lambda leaf: jnp.broadcast_to(leaf, (num_candidates, *leaf.shape)), empty(num_components, data.shape[1]))
    never = jnp.full((num_candidates,), -jnp.inf, jnp.float32)
    first = (jnp.int32(0), _one_hot(labels, num_components), start, never, jnp.zeros((num_candidates,), bool))
    *_, mixture, log_likelihood, _, _ = jax.lax.while_loop(unfinished, step, (*first, jnp.broadcast_to(~needed, (num_candidates,))))
    mixture = mixture.replace(
        means=centre[None, None] + mixture.means * spread[None, None], scales=spread[None, None, :, None] * mixture.scales, valid=used
    )
    return mixture, log_likelihood - jnp.sum(jnp.log(spread))


def em_step(points: jax.Array, responsibilities: jax.Array, floor: jax.Array, used: jax.Array) -> tuple[jax.Array, Mixture, jax.Array]:
    """One M step, and the E step with what it found.

    Args:
      points: [dims, num], scaled rows.
      responsibilities: [candidates, components, num], sum to 1 over components.
      floor: [dims], the standard deviation that regularises each axis.
      used: [candidates, components], which components the candidate has.

    Returns:
      the new responsibilities, the mixtures in scaled units, and their mean log-likelihood a row, [candidates].
    """
    num = points.shape[1]
    mass = jnp.maximum(jnp.sum(responsibilities, axis=-1), EMPTY)  # [candidates, components]
    share = responsibilities / mass[..., None]
    means = jnp.einsum("ckn,dn->ckd", share, points)
    residuals, scales, deviations = _whiten(points, means, share, floor)
    log_density = -0.5 * residuals - jnp.sum(jnp.log(deviations), axis=-1)[..., None] - 0.5 * points.shape[0] * math.log(2 * math.pi)
    log_joint = jnp.where(used[..., None], log_density + jnp.log(mass / num)[..., None], -jnp.inf)
    log_total = jax.nn.logsumexp(log_joint, axis=1)  # [candidates, num]
    mixture = Mixture(weights=mass / num, means=means, scales=scales, valid=used)
    return jnp.exp(log_joint - log_total[:, None]), mixture, jnp.mean(log_total, axis=-1)


def _whiten(points: jax.Array, means: jax.Array, share: jax.Array, floor: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Squared Mahalanobis distances [..., num], Cholesky factors [..., dims, dims] and their diagonals [..., dims].

    Gram-Schmidt over the axes. The regularisation enters as one more row an axis, `floor` on that axis and 0 elsewhere.
    """
    dims = points.shape[0]
    rows = [points[d][None, None] - means[..., d, None] for d in range(dims)]
    extra = [jnp.broadcast_to(jnp.zeros((dims,)).at[d].set(floor[d]), (*means.shape[:-1], dims)) for d in range(dims)]
    scales = [[jnp.zeros(means.shape[:-1])] * dims for _ in range(dims)]
    mahalanobis = jnp.zeros_like(share)
    for d in range(dims):
        weighted = share * rows[d]
        deviation = jnp.sqrt(jnp.sum(weighted * rows[d], axis=-1) + jnp.sum(extra[d] * extra[d], axis=-1))
        scales[d][d] = deviation
        unit_row, unit_extra = rows[d] / deviation[..., None], extra[d] / deviation[..., None]
        for later in range(d + 1, dims):
            scale = (jnp.sum(weighted * rows[later], axis=-1) + jnp.sum(extra[d] * extra[later], axis=-1)) / deviation
            rows[later] = rows[later] - scale[..., None] * unit_row
            extra[later] = extra[later] - scale[..., None] * unit_extra
            scales[later][d] = scale
        mahalanobis = mahalanobis + jnp.square(unit_row)
    factor = jnp.stack([jnp.stack(row, axis=-1) for row in scales], axis=-2)
    return mahalanobis, factor, jnp.diagonal(factor, axis1=-2, axis2=-1)


def _seed_centres(key: Key, points: jax.Array, num_centres: int) -> jax.Array:
    """Greedy k-means++: each next centre is, of a few points drawn ~ squared distance, the one that lowers the sum most."""
    num = points.shape[1]
    key_first, key_next = jax.random.split(key)
    first = points[:, jax.random.randint(key_first, (), 0, num)]

    def extend(distance: jax.Array, key: Key) -> tuple[jax.Array, jax.Array]:
        race = jax.random.exponential(key, (SEEDING_TRIALS, num)) / distance[None]  # the first to arrive is drawn ~ distance
        tried = points[:, jnp.argmin(race, axis=1)].T  # [trials, dims]
        lowered = jnp.minimum(distance[None], jnp.sum(jnp.square(points[None] - tried[..., None]), axis=1))
        best = jnp.argmin(jnp.sum(lowered, axis=1))
        return lowered[best], tried[best]

    distance = jnp.sum(jnp.square(points - first[:, None]), axis=0)
    _, others = jax.lax.scan(extend, distance, jax.random.split(key_next, num_centres - 1))
    return jnp.concatenate([first[None], others])


def _one_hot(labels: jax.Array, num_components: int) -> jax.Array:
    return (labels[:, None] == jnp.arange(num_components, dtype=jnp.int32)[None, :, None]).astype(jnp.float32)


def _used(candidates: tuple[int, ...]) -> np.ndarray:
    return np.arange(max(candidates))[None] < np.array(candidates)[:, None]
