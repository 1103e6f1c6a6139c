"""Work that the seeds of one program share: common bounds, and one pool of lanes for jobs.

Under `vmap` a `while_loop` runs as long as the slowest seed, and a `cond` takes both branches. What
is here knows that it is mapped, so that work is done once where it is needed. None of it lets one
seed's numbers depend on another's.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.custom_batching import custom_vmap

from jaxcurriculum import tree
from jaxcurriculum.records import PyTree


@custom_vmap
def shared_max(bound: jax.Array) -> jax.Array:
    """`bound` itself for one seed; under `vmap` the largest of all seeds, and not mapped.

    As a trip count or a branch it keeps `while_loop` and `cond` what they are (no `select` over the
    state, no work that no seed needs). It may only bound work: a result that depended on it would
    depend on the other seeds.

    >>> jax.vmap(lambda n: shared_max(n) + 0 * n)(jnp.array([3, 1, 2]))
    Array([3, 3, 3], dtype=int32)
    """
    return bound


@shared_max.def_vmap
def _shared_max_batched(axis_size, in_batched, bound):
    return shared_max(jnp.max(bound, axis=0)), False


def all_seeds_at_once(function: Callable[..., PyTree]) -> Callable[..., PyTree]:
    """The one-seed version of `function`, whose arguments and results have a leading seed axis.

    Called plainly it sees one seed; under any number of `vmap`s it is called once, with all of them
    along that axis.

    >>> total = all_seeds_at_once(lambda x: jnp.full_like(x, jnp.sum(x)))
    >>> total(jnp.array(1)).item(), jax.vmap(total)(jnp.array([1, 2, 3])).tolist()
    (1, [6, 6, 6])
    """

    @custom_vmap
    def merged(*args):
        return function(*args)

    @merged.def_vmap
    def merged_batched(axis_size, in_batched, *args):
        def merge(x, is_batched):
            x = x if is_batched else jnp.broadcast_to(x, (axis_size, *x.shape))
            return x.reshape(axis_size * x.shape[1], *x.shape[2:])

        results = merged(*jax.tree.map(merge, args, tuple(in_batched)))
        split = jax.tree.map(lambda x: x.reshape(axis_size, -1, *x.shape[1:]), results)
        return split, jax.tree.map(lambda _: True, split)

    def one_seed(*args):
        results = merged(*jax.tree.map(lambda x: x[None], args))
        return jax.tree.map(lambda x: x[0], results)

    return one_seed


def run_jobs(
    start: Callable[[jax.Array], PyTree],
    step: Callable[[PyTree], tuple[PyTree, jax.Array]],
    result: Callable[[PyTree], PyTree],
    num_jobs: jax.Array,
    capacity: int,
    num_lanes: int,
) -> PyTree:
    """Iterate jobs 0 to `num_jobs` - 1, each until it is finished, `num_lanes` at a time.

    A lane that ends takes the next job.

    Args:
      start: (job [] int32) -> state of one job.
      step: (state) -> (state, finished [] bool).
      result: (state) -> what to keep of a finished job.
      num_jobs: [] int32, at most `capacity`.

    Returns:
      results, leading axis `capacity`; those from `num_jobs` on mean nothing.

    >>> start, step, result = lambda job: 3 * job, lambda n: (n - 1, n <= 1), lambda n: n
    >>> run_jobs(start, step, result, jnp.int32(4), capacity=4, num_lanes=2).tolist()
    [-1, 0, 0, 0]
    """
    num_lanes = min(num_lanes, capacity)

    def advance(carry):
        next_job, jobs, states, results = carry
        states, finished = jax.vmap(step)(states)
        carry = (next_job, jobs, states, results)
        return jax.lax.cond(jnp.any(finished), refill, lambda *same: same[:-1], *carry, finished)

    def refill(next_job, jobs, states, results, finished):
        written = jnp.where(finished, jobs, capacity)
        new = jax.vmap(result)(states)
        results = jax.tree.map(lambda x, y: x.at[written].set(y, mode="drop"), results, new)
        rank = jnp.cumsum(finished, dtype=jnp.int32) - 1
        jobs = jnp.where(finished, next_job + rank, jobs)
        fresh = jax.vmap(start)(jnp.minimum(jobs, capacity - 1))
        states = tree.where(finished, fresh, states)
        return next_job + jnp.sum(finished, dtype=jnp.int32), jobs, states, results

    jobs = jnp.arange(num_lanes, dtype=jnp.int32)
    states = jax.vmap(start)(jobs)
    shapes = jax.eval_shape(jax.vmap(result), states)
    results = jax.tree.map(lambda leaf: jnp.zeros((capacity, *leaf.shape[1:]), leaf.dtype), shapes)
    carry = (jnp.int32(num_lanes), jobs, states, results)
    return jax.lax.while_loop(lambda carry: jnp.any(carry[1] < num_jobs), advance, carry)[3]
