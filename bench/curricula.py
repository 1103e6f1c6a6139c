"""Episodes a second of ALP-GMM on the toy grid, one core, beside the same loop in NumPy with scikit-learn's mixtures."""

from __future__ import annotations

import pathlib
import sys
import time
from typing import Any

from bench.measure import peak_megabytes, pin, seconds

COLUMNS = ("seeds", "episodes/s", "µs/episode", "times scikit-learn", "peak MB", "note")
ROUNDS = 1000


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a number of seeds, and one for the reference loop."""
    reference = reference_episodes_per_second(1000 if quick else 3000)
    rows = [{"seeds": 1, "episodes/s": reference, "µs/episode": 1e6 / reference, "note": "NumPy and scikit-learn"}]
    for seeds in (1, 256) if quick else (1, 16, 64, 256, 1024):
        rate = seeds * ROUNDS / seconds(study(seeds), repeats=1 if quick else 2)
        rows.append(
            {
                "seeds": seeds,
                "episodes/s": rate,
                "µs/episode": 1e6 / rate,
                "times scikit-learn": rate / reference,
                "peak MB": peak_megabytes(),
            }
        )
    return rows


def study(num_seeds: int):
    """A call that runs ROUNDS rounds of one episode for every seed, and goes on from where the last one stopped."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import LoopConfig, make_loop, map_seeds, teachers
    from jaxcurriculum.students import simulated

    config = simulated.ToyGridConfig()
    student = simulated.toy_grid(config)
    teacher = teachers.alp_gmm(student.task_space, teachers.AlpGmmConfig(return_range=None))
    loop = make_loop(teacher, student, simulated.toy_grid_test_tasks(config), LoopConfig(rounds_per_evaluation=ROUNDS))
    advance = map_seeds(lambda state, round: loop.advance(state, round)[0], num_seeds, group=num_seeds)
    held = [map_seeds(loop.init, num_seeds, group=num_seeds)(jax.random.split(jax.random.key(0), num_seeds)), 0]

    def go_on():
        held[0] = advance(held[0], jnp.int32(held[1]))
        held[1] += ROUNDS
        return held[0]

    return go_on


def reference_episodes_per_second(num_episodes: int) -> float:
    """The plain loop of tests/references: one student, scikit-learn's GaussianMixture for each number of components."""
    sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "tests"))
    from references.alp_gmm_numpy import AlpGmm
    from references.toy_grid_numpy import ToyGrid

    teacher, student = AlpGmm(low=[0, 0], high=[1, 1]), ToyGrid()
    start = time.perf_counter()
    for _ in range(num_episodes):
        task = teacher.sample()
        teacher.update(task, student.practise(task))
    return num_episodes / (time.perf_counter() - start)


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
