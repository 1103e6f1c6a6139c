"""Ray Tune with ASHA on a cluster of two workers: every trial is a batch of curricula."""

import pathlib

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import search_ray
from search_study import SPACE, UNITS, curve

NUM_SEEDS = 2


@pytest.fixture
def cluster():
    import ray

    own = {"num_cpus": 2, "include_dashboard": False, "object_store_memory": 100 * 2**20}
    programs = pathlib.Path(search_ray.__file__).parent
    path = {"env_vars": {"PYTHONPATH": str(programs)}}
    ray.init("local", runtime_env=path, log_to_driver=False, logging_level="ERROR", **own)
    yield
    ray.shutdown()


@pytest.mark.slow
def test_asha_stops_at_rungs_and_trains_a_setting_to_the_end(cluster, tmp_path):
    results = search_ray.search(2, NUM_SEEDS, tmp_path)
    assert not results.errors
    scores = [result.metrics_dataframe["score"].to_numpy() for result in results]
    best = results.get_best_result()
    assert {UNITS} <= {*map(len, scores)} <= {1, 3, 9, UNITS}
    assert best.metrics["score"] == max(each[-1] for each in scores)
    setting = jnp.float32([best.config[name] for name in SPACE.names])
    keys = jax.random.split(jax.random.key(best.config["seed"]), NUM_SEEDS)
    here = jax.jit(jax.vmap(curve, in_axes=(0, None)))(keys, setting)
    there = best.metrics_dataframe["score"]
    np.testing.assert_allclose(np.mean(here, 0)[: len(there)], there, rtol=1e-3)
