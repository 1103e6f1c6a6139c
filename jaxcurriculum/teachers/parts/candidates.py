"""Fits of several numbers of components at once, those of all seeds in one pool of lanes."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.device.lanes import all_seeds_at_once, run_jobs

NUM_LANES = 16  # fits in progress at a time; so few stay in a core's cache


def run_candidates(candidates, needed, start, step, result, shared, own):
    """Iterate every candidate of every seed in need, as jobs of one pool.

    Results have a leading axis [candidates]. `start` gets the mask of the candidate's components,
    the arrays of its seed (`shared`) and its own of `own` ([candidates, ...]).
    """
    used = np.arange(max(candidates))[None] < np.array(candidates)[:, None]
    num_candidates = len(candidates)

    def run(needed, shared, own):
        num_seeds = len(needed)
        in_need_first = jnp.argsort(~needed, stable=True)

        def begin(job):
            seed = in_need_first[job // num_candidates]
            candidate = job % num_candidates
            mine = [x[seed, candidate] for x in own]
            return start(jnp.asarray(used)[candidate], *[x[seed] for x in shared], *mine)

        num_jobs = num_candidates * jnp.sum(needed, dtype=jnp.int32)
        results = run_jobs(begin, step, result, num_jobs, num_seeds * num_candidates, NUM_LANES)
        back = jnp.argsort(in_need_first)

        def by_seed(x):
            return x.reshape(num_seeds, num_candidates, *x.shape[1:])[back]

        return jax.tree.map(by_seed, results)

    return all_seeds_at_once(run)(needed, shared, own)


def one_hot(labels: jax.Array, num_components: int) -> jax.Array:
    """Membership of the rows, [components, num] float32, from their `labels` ([num] int32)."""
    components = jnp.arange(num_components, dtype=jnp.int32)
    return (labels[None] == components[:, None]).astype(jnp.float32)
