"""What each teacher costs on the toy grid, 256 seeds on one core, one episode a round, the whole loop included.

Three of them stand beside the same loop in NumPy and scikit-learn. The cost of the random teacher is that of the loop itself.
"""

from __future__ import annotations

import pathlib
import sys
import time
from typing import Any
from unittest import mock

from bench.measure import pin, seconds

COLUMNS = ("teacher", "µs/round", "state, kB a seed", "NumPy, µs/episode", "times NumPy", "compile, s")
NUM_SEEDS = 256
ROUNDS = 1000  # a call
WARM_CALLS = 1  # before those that count: fits and cuts are rare at first


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a teacher of the command line's table."""
    from jaxcurriculum.experiments.catalogue import TEACHERS

    names = ("random", "riac", "covar-gmm", "alp-gmm") if quick else TEACHERS
    reference = {name: 1e6 / episodes_per_second(name, 1000 if quick else 4000) for name in ("riac", "covar-gmm", "alp-gmm")}
    return [_row(name, reference.get(name)) for name in names] + _split()


def _row(name: str, reference: float | None) -> dict[str, Any]:
    row = {"teacher": name, **_cost(name)}
    return row | ({"NumPy, µs/episode": reference, "times NumPy": reference / row["µs/round"]} if reference else {})


def _split() -> list[dict[str, Any]]:
    """What the parts of ALP-GMM's round cost, each the difference between two loops, of which one leaves the part out."""
    from jaxcurriculum.teachers import gmm

    no_fit = mock.patch.object(gmm, "fit", lambda key, data, candidates, needed: gmm.empty(max(candidates), data.shape[1]))
    no_search = mock.patch.object(sys.modules["jaxcurriculum.teachers.alp_gmm"], "nearest_before", lambda points, numbers, history: numbers)
    loops = [_cost("random")["µs/round"]]
    with no_fit:
        with no_search:
            loops.append(_cost("alp-gmm")["µs/round"])
        loops.append(_cost("alp-gmm")["µs/round"])
    loops.append(_cost("alp-gmm")["µs/round"])
    parts = ("loop and student", "sampling and bookkeeping", "neighbours", "fits")
    return [{"teacher": f"alp-gmm: {part}", "µs/round": more - less} for part, less, more in zip(parts, [0.0, *loops], loops)]


def _cost(name: str) -> dict[str, float]:
    start = time.perf_counter()
    go_on, state_bytes = study(name)
    go_on()
    compiling = time.perf_counter() - start
    for _ in range(WARM_CALLS):
        go_on()
    cost = 1e6 * seconds(go_on, repeats=2) / (NUM_SEEDS * ROUNDS)
    return {"µs/round": cost, "state, kB a seed": state_bytes / 1e3, "compile, s": compiling}


def study(name: str, num_seeds: int = NUM_SEEDS):
    """A call that runs ROUNDS rounds for each seed, from where the last one stopped, and the bytes of a teacher's state."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import map_seeds
    from jaxcurriculum.experiments.experiment import build
    from jaxcurriculum.experiments.settings import Settings

    loop = build(Settings(student="toy-grid", teacher=name, seeds=num_seeds, evaluate_every=ROUNDS)).loop
    advance = map_seeds(lambda state, round: loop.advance(state, round)[0], num_seeds, group=num_seeds)
    held = [map_seeds(loop.init, num_seeds, group=num_seeds)(jax.random.split(jax.random.key(0), num_seeds)), 0]
    state_bytes = sum(leaf.nbytes for leaf in jax.tree.leaves(held[0].teacher)) / num_seeds

    def go_on():
        held[0] = advance(held[0], jnp.int32(held[1]))
        held[1] += ROUNDS
        return held[0]

    return go_on, state_bytes


def episodes_per_second(name: str, num_episodes: int) -> float:
    """The plain loop of tests/references: one student, one teacher, an episode at a time."""
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests"))
    from references.alp_gmm_numpy import AlpGmm
    from references.covar_gmm_numpy import CovarGmm
    from references.riac_numpy import Riac
    from references.toy_grid_numpy import ToyGrid

    make = {"alp-gmm": AlpGmm, "covar-gmm": CovarGmm, "riac": Riac}[name]
    teacher, student = make(low=[0, 0], high=[1, 1]), ToyGrid()
    start = time.perf_counter()
    for _ in range(num_episodes):
        task = teacher.sample()
        teacher.update(task, student.practise(task))
    return num_episodes / (time.perf_counter() - start)


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
