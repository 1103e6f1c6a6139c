"""The pool of lanes and the common bounds give every seed what it would get alone."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.device.lanes import all_seeds_at_once, run_jobs, shared_max
from jaxcurriculum.testing.compiling import quick_jit


@pytest.mark.parametrize("num_lanes", [1, 3, 50])
@pytest.mark.parametrize("num_jobs", [0, 1, 20])
def test_every_job_runs_to_its_own_end(num_lanes, num_jobs):
    lengths = jnp.array(np.random.default_rng(0).integers(1, 30, 20), jnp.int32)
    start = lambda job: (lengths[job], jnp.int32(0), jnp.float32(1))
    step = lambda job: ((job[0], job[1] + 1, job[2] * 1.01), job[1] + 1 == job[0])
    count, value = run_jobs(start, step, lambda job: job[1:], jnp.int32(num_jobs), 20, num_lanes)
    np.testing.assert_array_equal(count[:num_jobs], lengths[:num_jobs])
    np.testing.assert_allclose(
        value[:num_jobs], 1.01 ** np.asarray(lengths[:num_jobs], float), rtol=1e-5
    )


def test_seeds_of_nested_maps_arrive_along_one_axis():
    seen = []

    def function(x, y):
        seen.append((x.shape, y.shape))
        return {"sum": x + y}

    one = all_seeds_at_once(function)
    x, y = jnp.arange(6.0).reshape(2, 3), jnp.arange(3.0)
    result = quick_jit(jax.vmap(jax.vmap(one), in_axes=(0, None)))(x, y)
    np.testing.assert_array_equal(result["sum"], x + y[None])
    assert seen[-1] == ((6,), (6,))


def test_shared_bound_is_not_mapped():
    bound = jax.vmap(jax.vmap(shared_max), out_axes=None)
    np.testing.assert_array_equal(
        jax.vmap(jax.vmap(shared_max, out_axes=None), out_axes=None)(jnp.arange(6).reshape(2, 3)), 5
    )
    with pytest.raises(ValueError):
        bound(jnp.arange(6.0))  # only one axis to map
