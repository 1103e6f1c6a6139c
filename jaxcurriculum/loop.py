"""The compiled loop: a teacher proposes, a student practises, the teacher learns from how it went.

`init`, `round`, `advance` and `run` are pure and un-jitted: write
`jax.jit(jax.vmap(loop.advance, in_axes=(0, None)))`, or use `map_seeds` to spread seeds over
devices. The round counter is an argument, not mapped over seeds, so that a branch on it stays a
branch.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.checks import check_roles, checked_test_tasks
from jaxcurriculum.configs import Config, field
from jaxcurriculum.records import Episodes, Key, PyTree, random_seeds, strong
from jaxcurriculum.roles import Context, Student, Teacher
from jaxcurriculum.spaces import Space


@dataclasses.dataclass(frozen=True, kw_only=True)
class LoopConfig(Config):
    """When and how the student is tested."""

    rounds_per_evaluation: int = field(1, low=1, help="rounds of training between two evaluations")
    num_test_episodes: int = field(1, low=1, help="attempts at each test task")
    deterministic: bool = field(True, help="test the mean action (False: sampled actions)")
    redraw_test_levels: bool = field(
        False,
        help="draw new test levels at each evaluation (False: frozen, so that they compare)",
    )


class Counters(struct.PyTreeNode):
    """What went wrong or was spent so far, one seed; all [] int32."""

    # non-finite numbers in proposed tasks, returns, and what the student reports of its own
    nonfinite: jax.Array
    out_of_space: jax.Array  # proposed tasks outside the task space
    pool_wraps: jax.Array  # how often a round used its pool of tasks again from the top
    dropped: jax.Array  # episodes that found no slot in the round's record
    probe_steps: jax.Array  # environment steps that the teacher spent on probing the student


class LoopState(struct.PyTreeNode):
    """All that the next round of one seed needs: from it a run is resumed exactly."""

    key: Key  # []
    teacher: PyTree
    student: PyTree
    counters: Counters


class Report(struct.PyTreeNode):
    """What a person wants to see of one `advance`."""

    episodes: Episodes  # [rounds, slots, ...]: every training episode that ended
    evaluation: Episodes  # [num_tasks * num_test_episodes, ...], task-major
    teacher: PyTree  # teacher.report after the last round
    student: dict[str, jax.Array]  # student.report of each round, [rounds]
    counters: Counters  # since the start


@dataclasses.dataclass(frozen=True)
class Loop:
    """A teacher and a student bound together; functions of ONE seed."""

    teacher: Teacher
    student: Student
    test_tasks: PyTree  # [num_tasks, ...]
    config: LoopConfig
    # (key, student's state) -> state; without the latter the student begins anew
    init: Callable[..., LoopState]
    # (state, round) -> (state, episodes)
    round: Callable[[LoopState, jax.Array], tuple[LoopState, Episodes]]
    # (state, round) -> (state, report)
    advance: Callable[[LoopState, jax.Array], tuple[LoopState, Report]]
    # (state, round, num_advances) -> (state, reports)
    run: Callable[[LoopState, jax.Array, int], tuple[LoopState, Report]]

    @property
    def steps_per_advance(self) -> int:
        return self.config.rounds_per_evaluation * self.student.steps_per_round


def make_loop(
    teacher: Teacher, student: Student, test_tasks: PyTree, config: LoopConfig = LoopConfig()
) -> Loop:
    """Bind a teacher and a student into a loop that is tested on `test_tasks`.

    These ([num_tasks, ...]) are arrays or lists.

    Raises:
      ValueError: when a role breaks its contract or a test task lies outside the student's task
          space (see `checks.py`).
    """
    check_roles(teacher, student)
    test_tasks = jax.tree.map(jnp.asarray, checked_test_tasks(student.task_space, test_tasks))
    return bind(teacher, student, test_tasks, config)


def bind(teacher: Teacher, student: Student, test_tasks: PyTree, config: LoopConfig) -> Loop:
    """`make_loop` for roles and test tasks that are known to keep their contract."""
    num_tasks = jax.tree.leaves(test_tasks)[0].shape[0]
    test_seeds = random_seeds(jax.random.key(0), num_tasks)

    def init(key: Key, trained: PyTree | None = None) -> LoopState:
        key, key_teacher, key_student = jax.random.split(key, 3)
        zero = {field.name: jnp.zeros((), jnp.int32) for field in dataclasses.fields(Counters)}
        begun = student.init(key_student) if trained is None else trained
        return LoopState(
            key=key,
            teacher=strong(teacher.init(key_teacher)),
            student=strong(begun),
            counters=Counters(**zero),
        )

    def round(state: LoopState, round: jax.Array) -> tuple[LoopState, Episodes]:
        key, key_propose, key_train, key_update = jax.random.split(state.key, 4)
        num = student.num_proposals
        teacher_state, proposals = teacher.propose(key_propose, state.teacher, num)
        student_state, episodes = student.train(key_train, state.student, proposals, round)
        context = Context(
            round=round,
            num_steps=(round + 1) * student.steps_per_round,
            probe=lambda key, *args: student.evaluate(key, student_state, *args),
            optimal_return=student.optimal_return,
        )
        teacher_state, probe_steps = teacher.update(key_update, teacher_state, episodes, context)
        counters = _counted(
            state.counters,
            student.task_space,
            proposals.tasks,
            episodes,
            student.report(student_state),
            probe_steps,
        )
        states = strong({"teacher": teacher_state, "student": student_state})
        return LoopState(key=key, **states, counters=counters), episodes

    def advance(state: LoopState, round_start: jax.Array) -> tuple[LoopState, Report]:
        def step(state, index):
            state, episodes = round(state, round_start + index)
            return state, (episodes, student.report(state.student))

        rounds = jnp.arange(config.rounds_per_evaluation, dtype=jnp.int32)
        state, (episodes, student_report) = jax.lax.scan(step, state, rounds)
        key, key_seeds, key_test = jax.random.split(state.key, 3)
        seeds = random_seeds(key_seeds, num_tasks) if config.redraw_test_levels else test_seeds
        how = (config.num_test_episodes, config.deterministic)
        report = Report(
            episodes=episodes,
            evaluation=student.evaluate(key_test, state.student, test_tasks, seeds, *how),
            teacher=teacher.report(state.teacher),
            student=student_report,
            counters=state.counters,
        )
        return state.replace(key=key), report

    def run(
        state: LoopState, round_start: jax.Array, num_advances: int
    ) -> tuple[LoopState, Report]:
        numbers = jnp.arange(num_advances, dtype=jnp.int32)
        starts = round_start + config.rounds_per_evaluation * numbers
        return jax.lax.scan(advance, state, starts)

    return Loop(teacher, student, test_tasks, config, init, round, advance, run)


def _counted(
    counters: Counters,
    space: Space,
    tasks: PyTree,
    episodes: Episodes,
    report: dict[str, jax.Array],
    probe_steps: jax.Array,
) -> Counters:
    """`counters` with a round: its proposed tasks, its episodes and what the student reports."""
    inside = jax.vmap(space.contains)(tasks)
    spent = {"out_of_space": jnp.sum(~inside, dtype=jnp.int32), "probe_steps": probe_steps}
    spent |= {name: report[name] for name in ("pool_wraps", "dropped") if name in report}
    known = jnp.where(episodes.valid, episodes.returns, 0)
    numbers = [known, *jax.tree.leaves(tasks)]
    broken = sum(jnp.sum(~jnp.isfinite(leaf), dtype=jnp.int32) for leaf in numbers)
    spent["nonfinite"] = jnp.asarray(broken + report.get("nonfinite", 0))
    sums = {name: getattr(counters, name) + number for name, number in spent.items()}
    return counters.replace(**sums)
