"""Learners, one core: seeds side by side, one after another, and beside other people's.

Rounds of a loop without its evaluations, networks of 64-64. SAC on gymnasium's Pendulum: 8
environments, one update a step on 256 samples, 16,384 steps remembered. PPO on its CartPole: 64
environments of 64 steps, 4 epochs of 4 minibatches. "In turn" is the program of one seed, called
once for each; "in groups of 1" is one program that goes through the seeds, as `map_seeds` does by
default. The calls of all alternate. REJAX_PYTHON names a Python that has rejax 0.1.3, whose
learners and purejaxrl's recipe are given the same sizes.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess
from collections.abc import Callable
from typing import Any

from bench.measure import pin, shortest_in_turn

COLUMNS = ("what", "seeds", "steps/s", "times in turn", "times rejax", "times purejaxrl")


@dataclasses.dataclass(frozen=True)
class Job:
    """A learner's loop, how much of it a timed call is, and the programs of its rivals."""

    name: str  # that the rivals know, too
    make: Callable[[], Any]  # -> student
    num_rounds: int  # a call
    num_seeds: int  # side by side
    rivals: tuple[str, ...]


def measure(quick: bool) -> list[dict[str, Any]]:
    """Four rows a learner, and two of each rival."""
    return [row for job in JOBS for row in _rows(job, repeats=2 if quick else 6)]


def _rows(job: Job, repeats: int) -> list[dict[str, Any]]:
    num = job.num_seeds
    one, num_steps = training(job, 1)
    together, _ = training(job, num, group=num)
    grouped, _ = training(job, num, group=1)

    def in_turn():
        for _ in range(num):
            one()

    alone, *times = shortest_in_turn([one, in_turn, together, grouped], repeats)
    in_turn_speed, together_speed, grouped_speed = (num * num_steps / time for time in times)
    rivals = {rival: _rival(rival, job, repeats) for rival in job.rivals}
    kinds = [  # what, seeds, steps/s
        (job.name, 1, num_steps / alone),
        (job.name, num, together_speed),
        (f"{job.name}, in groups of 1", num, grouped_speed),
        (f"{job.name}, in turn", num, in_turn_speed),
    ]
    rows: list[dict[str, Any]] = [
        {"what": what, "seeds": seeds, "steps/s": speed, "times in turn": speed / in_turn_speed}
        | {f"times {rival}": speed / known[seeds] for rival, known in rivals.items() if known}
        for what, seeds, speed in kinds
    ]
    return rows + [
        {"what": f"{job.name}, {rival}", "seeds": seeds, "steps/s": speed}
        for rival, known in rivals.items()
        for seeds, speed in known.items()
    ]


def training(job: Job, num_seeds: int, group: int = 1) -> tuple[Callable[[], None], int]:
    """A call that trains `num_seeds` seeds for `num_rounds` more, and the steps of a seed in it."""
    import jax
    import jax.numpy as jnp

    from jaxcurriculum import make_loop, map_seeds, teachers

    student = job.make()
    tasks = jax.vmap(student.task_space.sample)(jax.random.split(jax.random.key(0), 1))
    loop = make_loop(teachers.random(student.task_space), student, tasks)

    def go_on(state, start):
        rounds = start + jnp.arange(job.num_rounds, dtype=jnp.int32)
        return jax.lax.scan(lambda state, r: (loop.round(state, r)[0], None), state, rounds)[0]

    run = map_seeds(go_on, num_seeds, group)
    keys = jax.random.split(jax.random.key(0), num_seeds)
    held = [jax.jit(jax.vmap(loop.init))(keys), jnp.int32(0)]

    def call():
        held[:] = run(*held), held[1] + job.num_rounds
        jax.block_until_ready(held)

    return call, job.num_rounds * student.steps_per_round


def _rival(rival: str, job: Job, repeats: int) -> dict[int, float]:
    """Steps/s of all seeds together by their number; nothing where there is no rejax."""
    python = os.environ.get("REJAX_PYTHON")
    program = pathlib.Path(__file__).with_name(PROGRAMS[rival])
    environment = {name: value for name, value in os.environ.items() if name != "XLA_FLAGS"}
    speeds = {}
    for seeds in (1, job.num_seeds) if python else ():
        command = [python, program, job.name, str(seeds), str(repeats)]
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


def _ppo() -> Any:
    from jaxcurriculum import envs, students
    from jaxcurriculum.rollout import RolloutConfig

    return students.ppo(
        envs.cart_pole({"gravity": (9.8, 9.8)}, observe_task=False),
        students.PpoConfig(num_epochs=4, minibatch_size=1024),
        RolloutConfig(num_envs=64, num_steps=64, pool_size=256),
    )


PROGRAMS = {"rejax": "rejax_learners.py", "purejaxrl": "purejaxrl_recipe.py"}
JOBS = (
    Job("sac", _sac, num_rounds=16, num_seeds=8, rivals=("rejax",)),
    Job("ppo", _ppo, num_rounds=8, num_seeds=64, rivals=("rejax", "purejaxrl")),
)

if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
