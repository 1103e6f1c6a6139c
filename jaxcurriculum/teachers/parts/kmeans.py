"""Clusters to begin a mixture with: greedy k-means++ and Lloyd's iterations, compiled.

Source: D. Arthur and S. Vassilvitskii, "k-means++: the advantages of careful seeding", 2007.
Defaults are scikit-learn's.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.records import Key
from jaxcurriculum.teachers.parts.candidates import one_hot, run_candidates

MAX_KMEANS_STEPS = 50
# points tried for each k-means++ centre, 2 + log(10) as scikit-learn does for 10 components
SEEDING_TRIALS = 4


class KmeansJob(struct.PyTreeNode):
    """Lloyd's iterations of one candidate."""

    points: jax.Array  # [dims, num]
    used: jax.Array  # [components], bool: the components that the candidate has
    centres: jax.Array  # [components, dims]
    labels: jax.Array  # [num], int32
    num_steps: jax.Array  # [], int32


def kmeans(key: Key, data: jax.Array, candidates: tuple[int, ...], needed: jax.Array) -> jax.Array:
    """Clusters [candidates, num] int32 of the rows: greedy k-means++, then Lloyd's iterations.

    The seeds are one sequence of centres, of which a candidate takes the first: any beginning of a
    k-means++ sequence is one. A cluster that loses all its points keeps its centre.
    """
    points = (data - jnp.mean(data, axis=0, keepdims=True)).T  # [dims, num]
    seeds = _seed_centres(key, points, max(candidates))

    def start(used: jax.Array, points: jax.Array, seeds: jax.Array) -> KmeansJob:
        labels = _nearest_centre(points, seeds, used)
        return KmeansJob(points, used, centres=seeds, labels=labels, num_steps=jnp.int32(0))

    def step(job: KmeansJob) -> tuple[KmeansJob, jax.Array]:
        member = one_hot(job.labels, len(job.used))
        size = jnp.sum(member, axis=1)[:, None]
        means = member @ job.points.T / jnp.maximum(size, 1)
        centres = jnp.where(size > 0, means, job.centres)
        labels = _nearest_centre(job.points, centres, job.used)
        num_steps = job.num_steps + 1
        finished = jnp.all(labels == job.labels) | (num_steps == MAX_KMEANS_STEPS)
        return job.replace(centres=centres, labels=labels, num_steps=num_steps), finished

    def result(job: KmeansJob) -> jax.Array:
        return job.labels

    return run_candidates(candidates, needed, start, step, result, (points, seeds), ())


def _seed_centres(key: Key, points: jax.Array, num_centres: int) -> jax.Array:
    """Greedy k-means++, [num_centres, dims].

    Each next centre is, of a few points drawn ~ squared distance, the one that lowers the sum most.
    """
    num = points.shape[1]
    key_first, key_next = jax.random.split(key)
    first = points[:, jax.random.randint(key_first, (), 0, num)]

    def extend(distance: jax.Array, key: Key) -> tuple[jax.Array, jax.Array]:
        # the first to arrive is drawn ~ distance
        race = jax.random.exponential(key, (SEEDING_TRIALS, num)) / distance[None]
        tried = points[:, jnp.argmin(race, axis=1)].T  # [trials, dims]
        from_tried = jnp.sum(jnp.square(points[None] - tried[..., None]), axis=1)
        lowered = jnp.minimum(distance[None], from_tried)
        best = jnp.argmin(jnp.sum(lowered, axis=1))
        return lowered[best], tried[best]

    distance = jnp.sum(jnp.square(points - first[:, None]), axis=0)
    keys = jax.random.split(key_next, num_centres - 1)
    _, others = jax.lax.scan(extend, distance, keys)
    return jnp.concatenate([first[None], others])


def _nearest_centre(points: jax.Array, centres: jax.Array, used: jax.Array) -> jax.Array:
    """The nearest of the centres in use for every point, the first of several, [num] int32."""
    along_axes = [jnp.square(row[None] - at[:, None]) for row, at in zip(points, centres.T)]
    distance = jnp.where(used[:, None], sum(along_axes), jnp.inf)
    is_nearest = distance == jnp.min(distance, axis=0)[None]
    numbers = jnp.arange(len(used), dtype=jnp.int32)[:, None]
    return jnp.min(jnp.where(is_nearest, numbers, len(used)), axis=0)
