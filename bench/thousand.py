"""A thousand curricula of ALP-GMM on the toy grid, 20,000 episodes each, on two cores.

Compilation is included. A quarter of them before, to see what a seed adds (both peaks include some
1.5 GB that compiling takes).
"""

from __future__ import annotations

import time
from typing import Any

from bench.measure import peak_megabytes, pin

COLUMNS = ("seeds", "episodes", "cores", "seconds", "episodes/s", "% mastered", "peak MB")
NUM_SEEDS, NUM_EPISODES, ROUNDS = (250, 1000), 20_000, 1000


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a number of seeds, the smaller first, as a peak stays."""
    return [
        _row(num, 2000 if quick else NUM_EPISODES) for num in ((25, 100) if quick else NUM_SEEDS)
    ]


def _row(num_seeds: int, num_episodes: int) -> dict[str, Any]:
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import map_seeds
    from jaxcurriculum.cli.build import build
    from jaxcurriculum.cli.settings import Settings

    start = time.perf_counter()
    experiment = build(
        Settings(student="toy-grid", teacher="alp-gmm", seeds=num_seeds, evaluate_every=ROUNDS)
    )
    loop, group = experiment.loop, experiment.group

    def advance(state, round):
        state, report = loop.advance(state, round)
        return state, 100 * jnp.mean(report.evaluation.solved)

    advance = map_seeds(advance, num_seeds, group=group)
    state = map_seeds(loop.init, num_seeds, group=group)(
        jax.random.split(jax.random.key(0), num_seeds)
    )
    for round in range(0, num_episodes, ROUNDS):
        state, mastered = jax.block_until_ready(advance(state, jnp.int32(round)))
    seconds = time.perf_counter() - start
    return {
        "seeds": num_seeds,
        "episodes": num_episodes,
        "cores": len(jax.devices()),
        "seconds": seconds,
        "episodes/s": num_seeds * num_episodes / seconds,
        "% mastered": float(mastered.mean()),
        "peak MB": peak_megabytes(),
    }


if __name__ == "__main__":
    from bench.report import main

    pin(2)
    main(measure)
