"""Which levels are edited: the easiest or hardest ones of the latest that were replayed."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.teachers.parts import level_buffer
from jaxcurriculum.teachers.parts.level_buffer import LevelBuffer
from jaxcurriculum.teachers.parts.ring import valid_first
from jaxcurriculum.teachers.parts.visits import Visits


class Candidates(struct.PyTreeNode):
    """The latest replayed levels, a ring: number n, from the first ever, in slot n mod size."""

    tasks: PyTree  # [num_candidates, ...]
    ease: jax.Array  # [num_candidates], mean return minus score, at its latest replay
    num: jax.Array  # [], int32, ever written


def no_candidates(buffer: LevelBuffer, size: int) -> Candidates:
    """Room for `size` of the levels of `buffer`."""
    task = jax.tree.map(lambda leaf: leaf[0], buffer.tasks)
    ease = jnp.zeros((size,), jnp.float32)
    return Candidates(tasks=tree.blank(task, size), ease=ease, num=jnp.int32(0))


def collect(candidates: Candidates, buffer: LevelBuffer, visits: Visits) -> Candidates:
    """Add the replayed levels of `visits` still in their slot, with their present score."""
    slots = jnp.maximum(visits.origin, 0)
    holds = jax.vmap(level_buffer.holds, in_axes=(None, 0, 0, 0))
    held = holds(buffer, slots, visits.tasks, visits.seeds)
    order, num_replayed = valid_first(visits.valid & (visits.origin >= 0) & held)
    size = candidates.ease.shape[0]
    num = candidates.num + num_replayed
    # Each place asks for the latest level that belongs there: no scatters (`xla.write_row`).
    latest = num_replayed - 1 - (num - 1 - jnp.arange(size, dtype=jnp.int32)) % size
    visit = order[jnp.maximum(latest, 0)]

    def write(old: PyTree, new: PyTree) -> PyTree:
        return tree.where(latest >= 0, tree.take(new, visit), old)

    return Candidates(
        tasks=write(candidates.tasks, visits.tasks),
        ease=write(candidates.ease, visits.mean_return - buffer.scores[slots]),
        num=num,
    )


def parents_of(
    key: Key, candidates: Candidates, edited: jax.Array, num_parents: int, parents: str
) -> PyTree:
    """A parent's task for each place, [num, ...].

    For those `edited` ([num] bool) it is one of the `num_parents` "easiest" or "hardest" candidates
    after the other, from a random one on, so that no parent has two children more than another.
    """
    merit = candidates.ease if parents == "easiest" else -candidates.ease
    known = jnp.arange(merit.shape[0]) < candidates.num
    best_first = jnp.argsort(jnp.where(known, -merit, jnp.inf), stable=True)
    num_eligible = jnp.clip(candidates.num, 1, num_parents)
    begin = (jax.random.uniform(key) * num_eligible).astype(jnp.int32)
    place = (begin + jnp.cumsum(edited) - 1) % num_eligible
    return tree.take(candidates.tasks, best_first[place])
