"""The five challenges of TeachMyAgent (2021) as studies, a folder of FOLDER each.

    python experiments/teach_my_agent_studies.py FOLDER [--plan] [--worker 0/2]
                                                 [--challenges rugged ...] [--seeds 5] [--steps 8e6]

What was begun goes on, and two workers share the work. `teach_my_agent.py` draws what came of it.
"""

from __future__ import annotations

import argparse
import dataclasses
import functools
import pathlib
from collections.abc import Mapping
from typing import Any

import jax
import jax.numpy as jnp
from rich.console import Console

import jaxcurriculum.envs as envs
from jaxcurriculum import (
    Environment,
    Loop,
    LoopConfig,
    Space,
    Student,
    challenges,
    make_loop,
    runs,
    use_cores,
)
from jaxcurriculum.cli.configure import scaled
from jaxcurriculum.cli.tables import TEACHERS
from jaxcurriculum.runs.training import keep_programs
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.study import Study, plan_study, run_study
from jaxcurriculum.study.workers import ALONE, Worker
from jaxcurriculum.teachers import informed

NAMES = ("random", "alp-gmm-tma", "riac-tma", "adr-tma", "self-paced", "goal-gan", "plr")
KNOWLEDGE = "low"  # bounds, and which returns are successes: without, ADR and GoalGAN cannot be
EVALUATE_EVERY = 500_000
SIZES = ("hull_length", "upper_length", "lower_length", "motor_torque")
FACTORS = (0.75, 1.25)  # of each size
LEARNING_RATES = (5e-4, 2e-3)


def studies(num_seeds: int, num_steps: int) -> dict[str, Study]:
    """The challenges that the command line can name."""

    def study(challenge: str = "none", **settings: Mapping[str, Any]) -> Study:
        return Study(
            teachers=NAMES,
            envs=("stump-tracks",),
            challenges=(challenge,),
            knowledge=(KNOWLEDGE,),
            seeds=num_seeds,
            steps=num_steps,
            evaluate_every=EVALUATE_EVERY,
            test_set="2021",
            settings={name.replace("_", "-"): values for name, values in settings.items()},
        )

    return {
        "mostly-unfeasible": study(stump_tracks={"max_stump_height": 9.0}),
        "mostly-trivial": study(stump_tracks={"min_stump_height": -3.0}),
        "forgetting": study("forgetting", forgetting={"every": 7 * num_steps // 20}),
        "rugged": study("rugged"),
    }


def diverse_students() -> Student:
    """PPO with another learning rate, in another body, for every seed; no teacher is told which."""

    def make(drawn: dict[str, jax.Array]) -> Student:
        return ppo(walker_of(drawn["sizes"]), PpoConfig(learning_rate=drawn["learning_rate"]))

    return challenges.diverse(make, draw_student)


def draw_student(key: jax.Array) -> dict[str, jax.Array]:
    """Factors of the body's sizes, [SIZES], and a learning rate."""
    key_sizes, key_rate = jax.random.split(key)
    low, high = FACTORS
    slow, fast = LEARNING_RATES
    share = jax.random.uniform(key_rate)
    return {
        "sizes": jax.random.uniform(key_sizes, (len(SIZES),), minval=low, maxval=high),
        "learning_rate": slow * (fast / slow) ** share,
    }


def walker_of(sizes: jax.Array) -> Environment:
    """Stump Tracks for a body of these `sizes`, of which its tasks do not speak."""
    walker, space = worlds()

    def generate(key: jax.Array, task: jax.Array) -> Any:
        return walker.generate(key, jnp.concatenate([task, sizes]))

    return dataclasses.replace(walker, task_space=space, generate=generate)


@functools.cache
def worlds() -> tuple[Environment, Space]:
    """Stump Tracks whose tasks choose sizes of the body, and the task space without these."""
    walker = envs.stump_tracks(sizes=dict.fromkeys(SIZES, FACTORS))
    return walker, envs.stump_tracks().task_space


def diverse_loop(name: str) -> Loop:
    """The teacher called `name` with a student of its own for every seed."""
    student, part = diverse_students(), TEACHERS[name]
    teacher = part.make(student.task_space, informed(scaled(part.config, student), KNOWLEDGE))
    rounds = round(EVALUATE_EVERY / student.steps_per_round)
    config = LoopConfig(rounds_per_evaluation=rounds)
    return make_loop(teacher, student, envs.stump_tasks_grid(), config)


def run_diverse(
    folder: pathlib.Path, num_seeds: int, num_steps: int, worker: Worker, console: Console
) -> None:
    """A run for each teacher, those of this worker alone."""
    for name in NAMES[worker.number :: worker.count]:
        length = {"num_seeds": num_seeds, "num_steps": num_steps, "group": 1}
        told = {"settings": {"teacher": name}, "console": console, "figures": False}
        runs.train(diverse_loop(name), folder / "runs" / name, **length, **told, resume=True)


def main() -> None:
    """Ask what to do, and do it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    names = [*studies(1, 20), "diverse"]
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--challenges", nargs="+", choices=names, default=names)
    parser.add_argument("--seeds", type=int, default=5, help="of every teacher and challenge")
    parser.add_argument("--steps", type=float, default=8e6, help="of every seed")
    parser.add_argument("--plan", action="store_true", help="only say what it takes")
    parser.add_argument("--worker", type=Worker.parse, default=ALONE, help="as in 0/2")
    options = parser.parse_args()
    use_cores(1)
    keep_programs()
    try:
        run(options, Console())
    except (runs.RunError, ValueError) as error:
        raise SystemExit(str(error)) from None


def run(options: argparse.Namespace, console: Console) -> None:
    """Run, or only plan, the challenges that are asked for."""
    length = (options.seeds, int(options.steps))
    for name, study in studies(*length).items():
        if name not in options.challenges:
            continue
        console.rule(name)
        if options.plan:
            plan_study(study, options.folder / name, console)
        elif run_study(study, options.folder / name, console, options.worker):
            return  # it was stopped
    if "diverse" in options.challenges and not options.plan:
        run_diverse(options.folder / "diverse", *length, options.worker, console)


if __name__ == "__main__":
    main()
