"""Lifelong metrics of learners that practise two tasks in turn.

    python experiments/lifelong_study.py [--seeds 32] [--file results/lifelong.md]

A learner practises one of them for a block, then the other, six blocks in all; experts practise one
task alone. The learners are simulated. Two have one ability, for which task A is easy and task B
hard: one keeps what it can, the other is a beginner again half-way. The third has three skills, of
which A and B share the first to be learned, and forgets what it does not practise.
"""

from __future__ import annotations

import argparse
import dataclasses
import pathlib
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import LoopConfig, Student, Teacher, challenges, make_loop, teachers
from jaxcurriculum.challenges import ForgettingConfig
from jaxcurriculum.records import random_seeds
from jaxcurriculum.report import lifelong
from jaxcurriculum.report.statistics import bootstrap_interval
from jaxcurriculum.spaces import Box
from jaxcurriculum.students import simulated

EPISODES = 200  # of a block
PER_EVALUATION = 20
NUM_TESTS = 10  # of each task
NUM_ATTEMPTS = 20


@dataclasses.dataclass(frozen=True)
class World:
    """A learner, and the bounds of an axis between which each of the tasks lies."""

    student: Student
    axis: str
    tasks: tuple[tuple[float, float], ...]

    def teacher(self, task: int) -> Teacher:
        """Practises one task alone."""
        bounds = {self.axis: self.tasks[task]}
        return teachers.in_subspace(teachers.random, self.space, bounds)

    @property
    def space(self) -> Box:
        space = self.student.task_space
        assert isinstance(space, Box)
        return space

    def tests(self) -> np.ndarray:
        """NUM_TESTS of each task in turn, [tasks * NUM_TESTS, dims]."""
        places = (np.arange(NUM_TESTS) + 0.5) / NUM_TESTS
        rows = np.tile(np.array(self.space.low), (len(self.tasks) * NUM_TESTS, 1))
        along = [low + (high - low) * places for low, high in self.tasks]
        rows[:, self.space.names.index(self.axis)] = np.concatenate(along)
        return rows.astype(np.float32)


def scores(world: World, teacher: Teacher, num_blocks: int, num_seeds: int) -> np.ndarray:
    """Mean return on each task, of the beginner and after, [seeds, 1 + evaluations, tasks]."""
    config = LoopConfig(rounds_per_evaluation=PER_EVALUATION, num_test_episodes=NUM_ATTEMPTS)
    loop = make_loop(teacher, world.student, world.tests(), config)
    num_evaluations = num_blocks * EPISODES // PER_EVALUATION

    def by_task(returns: jax.Array) -> jax.Array:
        return returns.reshape(-1, len(world.tasks), NUM_TESTS * NUM_ATTEMPTS).mean(axis=2)

    def curriculum(key: jax.Array) -> jax.Array:
        key_init, key_seeds, key_test = jax.random.split(key, 3)
        state = loop.init(key_init)
        seeds = random_seeds(key_seeds, len(world.tests()))
        asked = (loop.test_tasks, seeds, NUM_ATTEMPTS, True)
        beginner = world.student.evaluate(key_test, state.student, *asked)
        _, reports = loop.run(state, jnp.int32(0), num_evaluations)
        later = by_task(reports.evaluation.returns)
        return jnp.concatenate([by_task(beginner.returns), later])

    keys = jax.random.split(jax.random.key(0), num_seeds)
    return np.asarray(jax.jit(jax.vmap(curriculum))(keys))


def metrics(world: World, order: Sequence[int], num_seeds: int) -> dict[str, np.ndarray]:
    """Every metric of each seed when the tasks are practised in `order`, a block each."""
    phases = [(world.teacher(task), EPISODES) for task in order]
    own = scores(world, teachers.schedule(phases), len(order), num_seeds)
    by_expert = []
    for task in range(len(world.tasks)):
        alone = scores(world, world.teacher(task), order.count(task), num_seeds)
        by_expert.append(alone[:, 1:, task])
    return lifelong.summary(own, practised(order, len(world.tasks)), np.stack(by_expert, axis=2))


def practised(order: Sequence[int], num_tasks: int) -> np.ndarray:
    """What was practised before each evaluation, [1 + evaluations, tasks]; the first: nothing."""
    blocks = np.repeat(np.eye(num_tasks, dtype=bool)[list(order)], EPISODES // PER_EVALUATION, 0)
    return np.concatenate([np.zeros((1, num_tasks), bool), blocks])


def worlds() -> dict[str, World]:
    """The learners by name."""
    keeps = simulated.abilities(simulated.AbilitiesConfig(num_abilities=1, growth=0.03))
    restart = ForgettingConfig(every=3 * EPISODES)
    grid = simulated.ToyGridConfig(dims=1, cells=3, start_cell=(1,), decay=0.05)
    easy_and_hard, overlapping = ((0.0, 2.0), (1.0, 3.0)), ((0.0, 0.66), (0.34, 1.0))
    return {
        "keeps all": World(keeps, "difficulty", easy_and_hard),
        "begins anew": World(challenges.forgetting(keeps, restart), "difficulty", easy_and_hard),
        "forgets": World(simulated.toy_grid(grid), "x0", overlapping),
    }


ORDERS = {"A B A B A B": (0, 1, 0, 1, 0, 1), "B A B A B A": (1, 0, 1, 0, 1, 0)}
COLUMNS = {
    "forward_transfer_contrast": "forward",
    "backward_transfer_contrast": "backward",
    "maintenance": "maintenance",
    "recovery": "recovery",
    "relative_performance": "relative performance",
    "sample_efficiency": "sample efficiency",
}


def table(num_seeds: int) -> str:
    """Mean and 95 % interval of each metric over seeds, as Markdown."""
    lines = [f"| learner | order | {' | '.join(COLUMNS.values())} |", "|---" * 8 + "|"]
    for name, world in worlds().items():
        for order, tasks in ORDERS.items():
            found = metrics(world, tasks, num_seeds)
            cells = [_cell(found[column]) for column in COLUMNS]
            lines.append(f"| {name} | {order} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def _cell(values: np.ndarray) -> str:
    low, high = bootstrap_interval(values)
    return f"{values.mean():.2f} ({low:.2f} to {high:.2f})"


def main() -> None:
    """Write the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    results = pathlib.Path(__file__).parent / "results"
    parser.add_argument("--seeds", type=int, default=32, help="of each learner and order")
    parser.add_argument("--file", type=pathlib.Path, default=results / "lifelong.md")
    options = parser.parse_args()
    options.file.write_text(table(options.seeds))
    print(options.file.read_text(), end="")


if __name__ == "__main__":
    main()
