"""Compile time of the main job at the first and at the second start, and memory above the imports.

The peak includes what the compiler takes; a second start shows what the program takes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from typing import Any

from bench.measure import peak_megabytes, pin, resident_megabytes

COLUMNS = ("what", "compile s", "MB running", "MB peak")


def measure(quick: bool) -> list[dict[str, Any]]:
    """Two starts of the main job that share an empty compilation cache, then walkers alone."""
    with tempfile.TemporaryDirectory() as cache:
        starts = [_in_a_process("job", cache) for _ in range(2)]
        walkers = [_in_a_process("walkers", cache) for _ in range(2)]
    return [
        {"what": "main job, first start", **starts[0]},
        {"what": "main job, second start (persistent cache)", **starts[1]},
        {"what": "1,024 walkers, random actions, first start", **walkers[0]},
        {"what": "1,024 walkers, random actions, second start", **walkers[1]},
    ]


def _in_a_process(what: str, cache: str) -> dict[str, float]:
    command = [sys.executable, "-m", "bench.start", what]
    result = subprocess.run(
        command,
        env={**os.environ, "JAX_COMPILATION_CACHE_DIR": cache},
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(result.stdout.splitlines()[-1])


def job() -> Callable[[], Any]:
    """The main job up to its first evaluation."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import map_seeds
    from jaxcurriculum.cli.build import build
    from jaxcurriculum.cli.settings import Settings
    from jaxcurriculum.runs.host import initial_states

    jax.config.update("jax_persistent_cache_min_compile_time_secs", 0.2)
    experiment = build(Settings())
    advance = map_seeds(experiment.loop.advance, experiment.num_seeds, experiment.group)
    return lambda: advance(initial_states(experiment), jnp.int32(0))


def walkers() -> Callable[[], Any]:
    """1,024 walkers with random actions."""
    from bench.walkers import rollout

    return rollout("default", 1024, pool=True)


def measured(make: Callable[[], Callable[[], Any]]) -> dict[str, float]:
    """Compile time (first call less a second) and memory above a process that began JAX."""
    import jax
    import jax.numpy as jnp

    import jaxcurriculum.cli.build  # noqa: F401

    jax.block_until_ready(jax.jit(lambda x: x + 1)(jnp.ones(1)))
    before, start = resident_megabytes(), time.perf_counter()
    call = make()
    jax.block_until_ready(call())
    first, start = time.perf_counter() - start, time.perf_counter()
    jax.block_until_ready(call())
    compiling = first - (time.perf_counter() - start)
    return {
        "compile s": compiling,
        "MB running": resident_megabytes() - before,
        "MB peak": peak_megabytes() - before,
    }


if __name__ == "__main__":
    pin(2)
    if sys.argv[1:2] in (["job"], ["walkers"]):
        print(json.dumps(measured({"job": job, "walkers": walkers}[sys.argv[1]])))
    else:
        from bench.report import main

        main(measure)
