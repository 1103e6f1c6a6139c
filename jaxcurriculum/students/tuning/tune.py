"""A student whose settings change between rounds: by a schedule, or by how it does on test tasks.

What a learner's settings may change without a compilation lies in its state, in
`state.learner.settings`; a rule writes there. One mechanism serves a fixed schedule, a population
that evolves, and a discount that rises with what is mastered.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.checks import check_same, checked_test_tasks
from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, random_seeds
from jaxcurriculum.roles import Student
from jaxcurriculum.students.tuning.checks import check_ranges, check_settings, checked_pair
from jaxcurriculum.students.wrapped import with_state


@dataclasses.dataclass(frozen=True, kw_only=True)
class Rule:
    """How the settings of a student change.

        init(key, student_state)                         -> (state, student_state)
        update(key, state, student_state, tests, round)  -> (state, student_state)

    `tests` are episodes on the test tasks, None where `needs_tests` is False. `settings` are the
    names of what the rule changes; of those with bounds what it writes is clipped. A rule of your
    own is an instance with your functions in it.
    """

    name: str
    settings: tuple[str, ...]
    needs_tests: bool
    init: Callable[[Key, PyTree], tuple[PyTree, PyTree]]
    update: Callable[[Key, PyTree, PyTree, Episodes | None, jax.Array], tuple[PyTree, PyTree]]
    num_tests: int | None = None  # how many test tasks there must be; None: any number
    # (low, high) that settings have by name, as far as it is known beforehand
    ranges: Mapping[str, tuple[float, float]] = dataclasses.field(default_factory=dict)
    config: Any = None  # what it was made from; a run writes it down

    def __post_init__(self):
        for name in ("init", "update"):
            if not callable(function := getattr(self, name)):
                raise ValueError(f"Rule.{name} must be a function, got {function!r}.")


class TunedState(struct.PyTreeNode):
    """The student, the rule, and what testing has cost."""

    student: PyTree
    rule: PyTree
    test_steps: jax.Array  # [], int32, environment steps spent on tests so far


def tune(
    student: Student,
    rule: Rule,
    test_tasks: PyTree = None,
    every: int = 1,
    num_episodes: int = 1,
) -> Student:
    """`student`, whose settings `rule` changes after every so many rounds.

    Where the rule needs tests, `num_episodes` attempts at each of `test_tasks` ([num, ...]) come
    before each change, with the deterministic policy, on levels that stay the same. Their steps are
    reported as `test_steps`, and the settings by their names.

    Raises:
      TypeError: when `student` or `rule` is something else.
      ValueError: when the student has no settings in `state.learner`, or not those of the rule;
        when the rule takes one beyond the student's bounds, as far as it tells; when the rule needs
        test tasks and has none or another number of them, a test task lies outside the student's
        space, or a number is no positive integer.

    >>> import optax
    >>> from jaxcurriculum import envs, students
    >>> ppo = students.ppo(envs.cart_pole())
    >>> falling = students.scheduled(learning_rate=optax.linear_schedule(1e-3, 0.0, 100))
    >>> students.tune(ppo, falling).name
    'ppo, scheduled'
    """
    tests = _checked(student, rule, test_tasks, every, num_episodes)
    num_tests = 0 if tests is None else jax.tree.leaves(tests)[0].shape[0]
    seeds = random_seeds(jax.random.key(0), num_tests)

    def init(key: Key) -> TunedState:
        key_student, key_rule = jax.random.split(key)
        rule_state, inner = _begun(rule, key_rule, student.init(key_student))
        return TunedState(student=clipped(inner), rule=rule_state, test_steps=jnp.int32(0))

    def train(
        key: Key, state: TunedState, proposals: Proposals, round: jax.Array
    ) -> tuple[TunedState, Episodes]:
        key_train, key_change = jax.random.split(key)
        inner, episodes = student.train(key_train, state.student, proposals, round)
        is_due = (round + 1) % every == 0
        state = state.replace(student=inner)
        state = jax.lax.cond(is_due, change, lambda _, state, __: state, key_change, state, round)
        return state, episodes

    def change(key: Key, state: TunedState, round: jax.Array) -> TunedState:
        key_test, key_rule = jax.random.split(key)
        results, steps = None, jnp.int32(0)
        if tests is not None:
            asked = (tests, seeds, num_episodes, True)
            results = student.evaluate(key_test, state.student, *asked)
            steps = jnp.sum(results.lengths)
        made = rule.update(key_rule, state.rule, state.student, results, round)
        what = f"tune.rule {rule.name!r}, update"
        rule_state, inner = checked_pair(what, state.student, made)
        check_same(f"{what}, state of the rule", state.rule, rule_state)
        test_steps = state.test_steps + steps
        return TunedState(student=clipped(inner), rule=rule_state, test_steps=test_steps)

    def clipped(inner: PyTree) -> PyTree:
        settings = settings_of(inner)
        bounded = [name for name in rule.settings if name in student.setting_bounds]
        within = {
            name: jnp.clip(getattr(settings, name), *student.setting_bounds[name])
            for name in bounded
        }
        return with_settings(inner, **within)

    def report(state: TunedState) -> dict[str, jax.Array]:
        settings = settings_of(state.student)
        now = {name: jnp.mean(getattr(settings, name)) for name in rule.settings}
        return student.report(state.student) | now | {"test_steps": state.test_steps}

    tuned = with_state(student, rule.name, init, train, lambda state: student)
    config = {"student": student.config, "rule": rule.config, "every": every}
    return dataclasses.replace(tuned, report=report, config=config)


def settings_of(student_state: PyTree) -> PyTree:
    """The settings that may change, [] each, or [n] each in a population."""
    return student_state.learner.settings


def with_settings(student_state: PyTree, **changes: jax.Array) -> PyTree:
    """A student's state with some settings changed; they keep their shapes.

    Raises:
      ValueError: when one is neither a number nor one for each learner.
    """
    settings, shaped = settings_of(student_state), {}
    for name, value in changes.items():
        shape, value = getattr(settings, name).shape, jnp.asarray(value, jnp.float32)
        if value.shape not in ((), shape):
            raise ValueError(
                f"{name} must be one number, or one a learner, got the shape {value.shape}."
            )
        shaped[name] = jnp.broadcast_to(value, shape)
    learner = student_state.learner.replace(settings=settings.replace(**shaped))
    return student_state.replace(learner=learner)


def _begun(rule: Rule, key: Key, student_state: PyTree) -> tuple[PyTree, PyTree]:
    """The first state of the rule, and that of the student with its first settings."""
    made = rule.init(key, student_state)
    return checked_pair(f"tune.rule {rule.name!r}, init", student_state, made)


def _checked(
    student: Student, rule: Rule, test_tasks: PyTree, every: int, num_episodes: int
) -> PyTree | None:
    """The test tasks as arrays, None where the rule needs none."""
    check_kind("tune.student", student, Student)
    check_kind("tune.rule", rule, Rule)
    for name, value in (("every", every), ("num_episodes", num_episodes)):
        if not is_integer(value, 1):
            raise ValueError(f"tune.{name} must be a positive integer, got {value!r}.")
    key = jax.eval_shape(lambda: jax.random.key(0))
    state = jax.eval_shape(student.init, key)
    check_settings(student, state, rule.settings)
    check_ranges(student, rule)
    jax.eval_shape(functools.partial(_begun, rule), key, state)  # a rule may refuse a student
    if not rule.needs_tests:
        return None
    if test_tasks is None:
        raise ValueError(f"tune.test_tasks must be given: the rule {rule.name!r} needs tests.")
    tests = jax.tree.map(jnp.asarray, checked_test_tasks(student.task_space, test_tasks))
    num = jax.tree.leaves(tests)[0].shape[0]
    if rule.num_tests not in (None, num):
        raise ValueError(
            f"tune.test_tasks must be {rule.num_tests}, as many as the rule {rule.name!r} tells"
            f" apart, got {num}."
        )
    return tests
