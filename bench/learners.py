"""Learners on gymnasium's Pendulum, one core: seeds side by side, one after another, and rejax.

Rounds of a loop without its evaluations. SAC: networks of 64-64, 8 environments, one update a step
on 256 samples, 16,384 steps remembered. "8 in turn" is the program of one seed, called 8 times;
the calls of both alternate. REJAX_PYTHON names a Python that has rejax 0.1.3, which is given the
same sizes.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

from bench.measure import pin, shortest_in_turn

COLUMNS = ("what", "seeds", "steps/s", "times in turn", "times rejax")
NUM_SEEDS = 8


@dataclasses.dataclass(frozen=True)
class Job:
    """A learner's loop, and how much of it a timed call is."""

    name: str  # in rejax_learners.py too
    make: Callable[[], Any]  # -> student
    num_rounds: int  # a call


def measure(quick: bool) -> list[dict[str, Any]]:
    """Three rows a learner, and two of rejax's."""
    return [row for job in JOBS for row in _rows(job, repeats=2 if quick else 6)]


def _rows(job: Job, repeats: int) -> list[dict[str, Any]]:
    one, num_steps = training(job, 1)
    together, _ = training(job, NUM_SEEDS)

    def in_turn():
        for _ in range(NUM_SEEDS):
            one()

    alone, turns, side_by_side = shortest_in_turn([one, in_turn, together], repeats)
    speeds = {1: num_steps / alone, NUM_SEEDS: NUM_SEEDS * num_steps / side_by_side}
    in_turn_speed = NUM_SEEDS * num_steps / turns
    rejax = _rejax(job.name, repeats)
    rows = [
        {
            "what": job.name,
            "seeds": seeds,
            "steps/s": speed,
            "times in turn": speed / in_turn_speed,
            "times rejax": None if rejax is None else speed / rejax[seeds],
        }
        for seeds, speed in speeds.items()
    ]
    rows.append({"what": f"{job.name}, in turn", "seeds": NUM_SEEDS, "steps/s": in_turn_speed})
    return rows + [
        {"what": f"{job.name}, rejax", "seeds": seeds, "steps/s": speed}
        for seeds, speed in (rejax or {}).items()
    ]


def training(job: Job, num_seeds: int) -> tuple[Callable[[], None], int]:
    """A call that trains `num_seeds` seeds for `num_rounds` more, and the steps of a seed in it."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import make_loop, teachers

    student = job.make()
    tasks = jax.vmap(student.task_space.sample)(jax.random.split(jax.random.key(0), 1))
    loop = make_loop(teachers.random(student.task_space), student, tasks)

    def go_on(state, start):
        rounds = start + jnp.arange(job.num_rounds, dtype=jnp.int32)
        return jax.lax.scan(lambda state, r: (loop.round(state, r)[0], None), state, rounds)[0]

    run = jax.jit(jax.vmap(go_on, in_axes=(0, None)), donate_argnums=0)
    keys = jax.random.split(jax.random.key(0), num_seeds)
    held = [jax.jit(jax.vmap(loop.init))(keys), jnp.int32(0)]

    def call():
        held[:] = run(*held), held[1] + job.num_rounds
        jax.block_until_ready(held)

    return call, job.num_rounds * student.steps_per_round


def _rejax(name: str, repeats: int) -> dict[int, float] | None:
    """Steps/s of rejax by the number of seeds, all seeds together; None where there is no rejax."""
    python = os.environ.get("REJAX_PYTHON")
    if python is None:
        return None
    program = pathlib.Path(__file__).with_name("rejax_learners.py")
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    speeds = {}
    for seeds in (1, NUM_SEEDS):
        command = [python, program, name, str(seeds), str(repeats)]
        result = subprocess.run(command, env=environment, capture_output=True, text=True)
        result.check_returncode()
        speeds[seeds] = float(result.stdout.split()[-1])
    return speeds


def _pendulum() -> Any:
    from jaxcurriculum import envs

    return envs.pendulum({"mass": (1.0, 1.0)}, observe_task=False)


def _sac() -> Any:
    from jaxcurriculum import students
    from jaxcurriculum.learners import SacConfig
    from jaxcurriculum.rollout import ReplayConfig, RolloutConfig

    return students.sac(
        _pendulum(),
        SacConfig(hidden=(64, 64)),
        RolloutConfig(num_envs=8, num_steps=8, pool_size=8),
        ReplayConfig(capacity=16_384, num_updates=64, random_steps=64),
    )


JOBS = (Job(name="sac", make=_sac, num_rounds=16),)

if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
