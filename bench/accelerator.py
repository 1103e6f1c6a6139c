"""On a GPU or TPU: walkers' steps, training and curricula by the number of walkers and seeds.

Programs are compiled side by side first ("compile, s" is what each waited for), then timed one
after another.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.measure import seconds
from bench.teachers import ROUNDS, study
from bench.training import advancing
from bench.walkers import NUM_STEPS, STUMPS, rollout

Make = Callable[[], tuple[Callable[[], Any], int]]  # a call that runs some steps, and how many
COLUMNS = ("what", "number", "steps/s", "ns/step", "compile, s")
WALKERS = (1024, 4096, 16_384, 65_536, 262_144)
OTHERS = (("quadruped", STUMPS), ("default", "hexagon_tracks"), ("default", "obstacle_tracks"))
TRAINING = (1, 16, 128)  # seeds
CURRICULA = (("riac", 4096), ("alp-gmm", 4096), ("plr", 4096))


def measure(quick: bool) -> list[dict[str, Any]]:
    """Rows: numbers of walkers, bodies, tracks, seeds in training, teachers on the toy grid."""
    cases = _cases(quick)
    with ThreadPoolExecutor(16) as pool:
        waiting = [pool.submit(_compiled, *case) for case in cases]
    rows = []
    for compiled in waiting:
        row, steps, call, took = compiled.result()
        duration = seconds(call, repeats=1 if quick else 3)
        row |= {"steps/s": steps / duration, "ns/step": 1e9 * duration / steps}
        rows.append(row | {"compile, s": took})
        print(json.dumps(rows[-1]), file=sys.stderr, flush=True)
    return rows


def _cases(quick: bool) -> list[tuple[dict[str, Any], Make]]:
    walkers = [("default", STUMPS, num) for num in WALKERS]
    walkers += [(body, track, WALKERS[3]) for body, track in OTHERS]
    if quick:
        return [_walking(*walkers[0]), _training(TRAINING[0]), _teaching(*CURRICULA[0])]
    cases = [_walking(*walk) for walk in walkers]
    cases += [_training(num) for num in TRAINING]
    return cases + [_teaching(*pair) for pair in CURRICULA]


def _walking(body: str, track: str, num: int) -> tuple[dict[str, Any], Make]:
    def make():
        return rollout(body, num, pool=True, track=track), num * NUM_STEPS

    return {"what": f"{body}, {track}", "number": num}, make


def _training(num_seeds: int) -> tuple[dict[str, Any], Make]:
    return {"what": "training, seeds", "number": num_seeds}, lambda: advancing(num_seeds)


def _teaching(name: str, num_seeds: int) -> tuple[dict[str, Any], Make]:
    def make():
        return study(name, num_seeds)[1], num_seeds * ROUNDS

    return {"what": f"toy grid, {name}, seeds", "number": num_seeds}, make


def _compiled(
    row: dict[str, Any], make: Make
) -> tuple[dict[str, Any], int, Callable[[], Any], float]:
    import jax

    start = time.perf_counter()
    call, steps = make()
    jax.block_until_ready(call())
    return row, steps, call, time.perf_counter() - start


if __name__ == "__main__":
    from bench.report import main
    from jaxcurriculum import use_cores

    use_cores(1)
    main(measure)
