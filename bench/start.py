"""Compile time of the main job at the first and at the second start, and memory above the imports."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from typing import Any

from bench.measure import peak_megabytes, pin

COLUMNS = ("what", "seconds", "MB above imports")


def measure(quick: bool) -> list[dict[str, Any]]:
    """Two starts of the main job that share an empty compilation cache, then walkers alone."""
    with tempfile.TemporaryDirectory() as cache:
        starts = [_in_a_process("job", cache) for _ in range(2)]
    return [
        {"what": "main job, first start: compile", **starts[0]},
        {"what": "main job, second start: compile (persistent cache)", **starts[1]},
        {"what": "1,024 walkers, random actions: compile", **_in_a_process("walkers", "")},
    ]


def _in_a_process(what: str, cache: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.start", what]
    result = subprocess.run(command, env={**os.environ, "JAX_COMPILATION_CACHE_DIR": cache}, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


def job() -> dict[str, float]:
    """Build and compile the main job's two programs, and run them up to the first evaluation."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import map_seeds
    from jaxcurriculum.experiments.experiment import build
    from jaxcurriculum.experiments.settings import Settings
    from jaxcurriculum.experiments.train import initial_states

    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    jax.block_until_ready(jax.jit(lambda x: x + 1)(jnp.ones(1)))
    before, start = peak_megabytes(), time.perf_counter()
    experiment = build(Settings())
    states = initial_states(experiment)
    advance = map_seeds(experiment.loop.advance, experiment.num_seeds, experiment.group)
    jax.block_until_ready(advance(states, jnp.int32(0)))
    first, start = time.perf_counter() - start, time.perf_counter()
    jax.block_until_ready(advance(states, jnp.int32(0)))
    return {"seconds": first - (time.perf_counter() - start), "MB above imports": peak_megabytes() - before}


def walkers() -> dict[str, float]:
    """Compile and step 1,024 walkers."""
    import jax
    import jax.numpy as jnp

    from bench.walkers import rollout

    jax.block_until_ready(jax.jit(lambda x: x + 1)(jnp.ones(1)))
    before = peak_megabytes()
    call = rollout("default", 1024, pool=True)
    start = time.perf_counter()
    jax.block_until_ready(call())
    first, start = time.perf_counter() - start, time.perf_counter()
    jax.block_until_ready(call())
    return {"seconds": first - (time.perf_counter() - start), "MB above imports": peak_megabytes() - before}


if __name__ == "__main__":
    pin(2)
    if sys.argv[1:2] in (["job"], ["walkers"]):
        print(json.dumps({"job": job, "walkers": walkers}[sys.argv[1]]()))
    else:
        from bench.report import main

        main(measure)
