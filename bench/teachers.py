"""What each teacher costs on the toy grid over a default run of 20,000 episodes, one core.

One episode a round, the whole loop included. Three of them stand beside the same loop in NumPy and
scikit-learn, over as many episodes. The cost of the random teacher is that of the loop itself.
"end/start" is the cost of the last 3,000 episodes over that of episodes 1,000 to 4,000; ALP-GMM,
which looks for neighbours in a history of at most 20,000 episodes, has a row for when that is full,
21,000 to 24,000 beside the last 3,000 of 60,000. States are those of the 2-D grid.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from typing import Any
from unittest import mock

from bench.measure import pin

COLUMNS = (
    "teacher",
    "seeds",
    "µs/episode",
    "end/start",
    "state, kB a seed",
    "NumPy, µs/episode",
    "times NumPy",
    "compile, s",
)
# of those beside NumPy; of the others a quarter, as seeds run in groups of 64 anyway
NUM_SEEDS = 256
ROUNDS = 1000  # a call
CALLS = 20  # a run


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a teacher of the command line's table."""
    from jaxcurriculum.cli.tables import TEACHERS

    calls = 5 if quick else CALLS
    names = ("random", "riac", "covar-gmm", "alp-gmm") if quick else TEACHERS
    reference = {
        name: 1e6 / episodes_per_second(name, calls * ROUNDS)
        for name in ("riac", "covar-gmm", "alp-gmm")
    }
    rows = [_row(name, reference.get(name), calls) for name in names]
    full = _cost("alp-gmm", NUM_SEEDS // 4, 3 * calls, skip=calls + 1)
    return [*rows, {"teacher": "alp-gmm: its history full", **full}, *_split(calls)]


def _row(name: str, reference: float | None, calls: int) -> dict[str, Any]:
    row = {"teacher": name, **_cost(name, NUM_SEEDS if reference else NUM_SEEDS // 4, calls)}
    if reference is None:
        return row
    ratio = reference / row["µs/episode"]
    return row | {"NumPy, µs/episode": reference, "times NumPy": ratio}


def _split(calls: int) -> list[dict[str, Any]]:
    """What the parts of ALP-GMM's round cost, each as the difference between two loops."""
    from jaxcurriculum.teachers.parts import gmm

    def fit_nothing(key, data, candidates, needed):
        return gmm.empty(max(candidates), data.shape[1])

    def search_nothing(points, numbers, history):
        return numbers

    alp_gmm = sys.modules["jaxcurriculum.teachers.alp_gmm"]
    no_fit = mock.patch.object(gmm, "fit", fit_nothing)
    no_search = mock.patch.object(alp_gmm, "nearest_before", search_nothing)

    def cost(name: str) -> float:
        return _cost(name, NUM_SEEDS, calls)["µs/episode"]

    loops = [cost("random")]
    with no_fit:
        with no_search:
            loops.append(cost("alp-gmm"))
        loops.append(cost("alp-gmm"))
    loops.append(cost("alp-gmm"))
    parts = ("loop and student", "sampling and bookkeeping", "neighbours", "fits")
    return [
        {"teacher": f"alp-gmm: {part}", "µs/episode": more - less}
        for part, less, more in zip(parts, [0.0, *loops], loops)
    ]


def _cost(name: str, num_seeds: int, calls: int, skip: int = 1) -> dict[str, float]:
    start = time.perf_counter()
    begin, go_on, state_bytes = study(name, num_seeds)
    go_on()
    compiling = time.perf_counter() - start
    begin()
    costs = []
    for _ in range(calls):
        start = time.perf_counter()
        go_on()
        costs.append(1e6 * (time.perf_counter() - start) / (num_seeds * ROUNDS))
    return {
        "seeds": num_seeds,
        "µs/episode": sum(costs[skip - 1 :]) / len(costs[skip - 1 :]),
        "end/start": sum(costs[-3:]) / sum(costs[skip : skip + 3]),
        "state, kB a seed": state_bytes / 1e3,
        "compile, s": compiling,
    }


def study(name: str, num_seeds: int) -> tuple[Callable[[], None], Callable[[], Any], float]:
    """Calls that begin anew, and that run ROUNDS rounds more for each seed and wait for them,
    and the bytes of a teacher's state.
    """
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import map_seeds
    from jaxcurriculum.cli.build import build
    from jaxcurriculum.cli.settings import Settings

    experiment = build(
        Settings(student="toy-grid", teacher=name, seeds=num_seeds, evaluate_every=ROUNDS)
    )
    loop, group = experiment.loop, experiment.group
    advance = map_seeds(lambda state, round: loop.advance(state, round)[0], num_seeds, group)
    init = map_seeds(loop.init, num_seeds, group)
    held: list[Any] = []

    def begin():
        held[:] = [init(jax.random.split(jax.random.key(0), num_seeds)), 0]

    def go_on():
        held[:] = [jax.block_until_ready(advance(held[0], jnp.int32(held[1]))), held[1] + ROUNDS]
        return held[0]

    begin()
    return begin, go_on, sum(leaf.nbytes for leaf in jax.tree.leaves(held[0].teacher)) / num_seeds


def episodes_per_second(name: str, num_episodes: int) -> float:
    """The plain loop of references: one student, one teacher, an episode at a time."""
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
