"""What a round tells of each level: its episodes of one level are one visit."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.records import CriticScores, Episodes, PyTree
from jaxcurriculum.teachers.parts.ring import usable


class Visits(struct.PyTreeNode):
    """Levels and how a round's episodes went on each, [num], in the order of their first ones.

    Where `valid` is false a slot holds nothing. A mean is of the numbers that are finite, nan where
    there is none.
    """

    tasks: PyTree  # [num, ...]
    seeds: jax.Array  # [num], uint32
    origin: jax.Array  # [num], int32, of the first episode
    valid: jax.Array  # [num], bool
    mean_return: jax.Array  # [num]
    best_return: jax.Array  # [num]
    success_rate: jax.Array  # [num], share of the episodes that solve it
    optimal_return: jax.Array  # [num], the highest that is possible; nan where it is not known
    critic: CriticScores | None  # means; None: the student has no critic


def visits_of(episodes: Episodes) -> Visits:
    """The visits that the usable `episodes` (see `ring.usable`) make; equal levels are one.

    >>> from jaxcurriculum.records import attempts
    >>> played = attempts(jnp.array([[1.0], [2.0]]), jnp.array([7, 8], jnp.uint32), 2)
    >>> episodes = Episodes.of(played, jnp.array([0.0, 1.0, 3.0, 3.0]), jnp.zeros(4, bool))
    >>> visits = visits_of(episodes)
    >>> visits.seeds[visits.valid].tolist(), visits.mean_return[visits.valid].tolist()
    ([7, 8], [0.5, 3.0])
    """
    counts = usable(episodes)
    first = _first_alike(episodes, counts)
    means = _means(first, counts, (episodes.returns, episodes.solved, episodes.critic))
    mean_return, success_rate, critic = means
    returns = jnp.where(counts, episodes.returns, -jnp.inf)
    num = counts.shape[0]
    return Visits(
        tasks=episodes.tasks,
        seeds=episodes.seeds,
        origin=episodes.origin,
        valid=counts & (first == jnp.arange(num)),
        mean_return=mean_return,
        best_return=jnp.full(num, -jnp.inf).at[first].max(returns),
        success_rate=success_rate,
        optimal_return=jnp.full(num, jnp.nan),
        critic=critic,
    )


def _first_alike(episodes: Episodes, counts: jax.Array) -> jax.Array:
    """The first episode that counts on the same level, [num] int32, of each one that `counts`.

    Equal levels lie beside each other once they are sorted by seed and fingerprint of the task.
    """
    marks = jax.vmap(tree.fingerprint)(episodes.tasks)
    order = jnp.lexsort((marks, episodes.seeds, ~counts))  # stable
    sorted_by = jnp.stack([marks, episodes.seeds, counts.astype(jnp.uint32)])[:, order]
    differs = jnp.any(sorted_by[:, 1:] != sorted_by[:, :-1], axis=0)
    place = jnp.arange(order.shape[0], dtype=jnp.int32)
    begins = jnp.where(jnp.pad(differs, (1, 0)), place, 0)
    first = order[jax.lax.cummax(begins)].astype(jnp.int32)
    return jnp.zeros_like(first).at[order].set(first)


def _means(first: jax.Array, counts: jax.Array, values: PyTree) -> PyTree:
    """The mean of each leaf ([num]) over the episodes with the same `first`, in its place."""
    leaves, structure = jax.tree.flatten(values)
    columns = jnp.stack([leaf.astype(jnp.float32) for leaf in leaves], axis=1)
    known = counts[:, None] & jnp.isfinite(columns)
    both = jnp.stack([jnp.where(known, columns, 0.0), known.astype(jnp.float32)])
    total, num = jnp.zeros_like(both).at[:, first].add(both)
    means = jnp.where(num > 0, total / jnp.maximum(num, 1), jnp.nan)
    return jax.tree.unflatten(structure, list(means.T))
