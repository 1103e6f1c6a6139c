"""TeachMyAgent's five challenges, for any task space and student: what makes a curriculum hard to
find.

    mostly_unfeasible   most of what the teacher may propose cannot be done
    mostly_trivial      most of it is as easy as the easiest task
    forgetting          the student is a beginner again from time to time, and the teacher is not
    told rugged              tasks that the teacher sees side by side are not alike
    diverse             every seed is a different student

Each gives a student for the teacher, whose task space is what the TEACHER sees; episodes, probes
and evaluations speak of tasks as the teacher names them. The literature tests on the tasks of the
original space: those are tasks of the stretched spaces as they stand, and of a rugged one after
`rugged_maps(space)[1]`, which also tells where an expert's easy task lies.

A student that plays an environment has its environment wrapped instead, `ppo(rugged(env))`. For
walkers that are given unfeasible or trivial tasks rather use the environment's own bounds,
`stump_tracks(max_stump_height=9.0)` or `(min_stump_height=-3.0)`, as the benchmark does: there
physics decides what is feasible.

Source: C. Romac, R. Portelas, K. Hofmann, P.-Y. Oudeyer, "TeachMyAgent: a benchmark for automatic
curriculum learning in Deep RL", ICML 2021, and the code published with it.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Literal, TypeVar, cast

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Environment, Student
from jaxcurriculum.spaces import Box
from jaxcurriculum.views import (
    RuggedConfig,
    View,
    environment_in_view,
    rugged_maps,
    student_in_view,
)

Role = TypeVar("Role", Environment, Student)
__all__ = [
    "ForgettingConfig",
    "MostlyTrivialConfig",
    "MostlyUnfeasibleConfig",
    "RuggedConfig",
    "diverse",
    "forgetting",
    "mostly_trivial",
    "mostly_unfeasible",
    "rugged",
    "rugged_maps",
]


@dataclasses.dataclass(frozen=True, kw_only=True)
class StretchConfig(Config):
    """How much wider than the original the teacher's space is. The defaults of both challenges
    are those published for Stump Tracks.
    """

    axis: int = field(0, low=0, help="number of the axis that is wider, 0 for the first")
    factor: float = field(
        1.0,
        low=1,
        help="its new width, in units of the old one (of the logarithm's width on log axes)",
    )
    side: Literal["low", "high"] = field("high", help="the bound that moves")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MostlyUnfeasibleConfig(StretchConfig):
    """Stumps of up to 9 steps instead of 3."""

    factor: float = field(
        3.0,
        low=1,
        help="width of the axis in the teacher's space, in units of the original one",
    )
    lowest: Swept = field(0.0, help="return of a task that cannot be done")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MostlyTrivialConfig(StretchConfig):
    """Stumps from -3 to 3 steps, of which those below 0 are none."""

    factor: float = field(
        2.0,
        low=1,
        help="width of the axis in the teacher's space, in units of the original one",
    )
    side: Literal["low", "high"] = field("low", help="where tasks are easy")


@dataclasses.dataclass(frozen=True, kw_only=True)
class ForgettingConfig(Config):
    """When the student starts anew."""

    every: int = field(
        7_000_000,
        low=1,
        help="steps (episodes of simulated students) between two beginnings",
    )


class ForgettingState(struct.PyTreeNode):
    """The student, and how far it is in its life."""

    student: PyTree
    key: Key  # life number i begins as student.init(fold_in(key, i))
    num_resets: jax.Array  # [], int32, lives that are over
    num_steps: jax.Array  # [], int32, trained since the last multiple of `every`


class DiverseState(struct.PyTreeNode):
    """Who the student is, and what it has learned."""

    parameters: PyTree
    student: PyTree


def mostly_unfeasible(role: Role, config: MostlyUnfeasibleConfig | None = None) -> Role:
    """A wider task space, of which all that the original one does not contain is unfeasible: return
    `lowest`, never solved.

    A student learns nothing there (it is given the nearest original task with weight 0). An
    environment ends such an episode after one step with reward `lowest`.

    Raises:
      ValueError: when the axis does not exist or has no width, when `lowest` would count as solved
        in an environment, or when the student plays an environment (wrap that).

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> mostly_unfeasible(toy_grid()).task_space.high
    (3.0, 1.0)
    """
    config = given(config, MostlyUnfeasibleConfig)
    space = _box("mostly_unfeasible", role)
    if (
        isinstance(role, Environment)
        and not isinstance(config.lowest, jax.Array)
        and config.lowest > role.solved_above
    ):
        raise ValueError(
            f"MostlyUnfeasibleConfig.lowest must not count as solved (above {role.solved_above}),"
            f" got {config.lowest}."
        )
    stretched = _stretched(space, config)
    view = View(
        name="mostly unfeasible",
        space=stretched,
        to_original=space.clip,
        is_feasible=space.contains,
        lowest=config.lowest,
    )
    return _in_view(role, view)


def mostly_trivial(role: Role, config: MostlyTrivialConfig | None = None) -> Role:
    """A wider task space, of which all that the original one does not contain is the same as its
    nearest task.

    Raises:
      ValueError: when the axis does not exist or has no width, or when the student plays an
          environment (wrap that).

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> mostly_trivial(toy_grid()).task_space.low
    (-1.0, 0.0)
    """
    config = given(config, MostlyTrivialConfig)
    space = _box("mostly_trivial", role)
    return _in_view(
        role, View(name="mostly trivial", space=_stretched(space, config), to_original=space.clip)
    )


def rugged(role: Role, config: RuggedConfig | None = None) -> Role:
    """The same task space with its pieces shuffled: every axis is cut into equal intervals, which
    are permuted, each axis by itself.

    All seeds see one landscape, so that the test tasks and an expert's easy task have one name in a
    run (TeachMyAgent, which trains one seed a run, draws another for each). For one a seed, map
    over configurations,

        jax.vmap(lambda number, key: make_loop(teacher, rugged(student,
        RuggedConfig(landscape=number)), ...).init(key))

    or draw it as a parameter, `diverse(lambda number: rugged(student,
    RuggedConfig(landscape=number)), draw_number)`: then a test
    task has another name for each seed, that of `rugged_maps(space, state.parameters)`.

    Differs from the paper: permutations are drawn by JAX, not by NumPy from the number of the run.

    Raises:
      ValueError: when the student plays an environment (wrap that).

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> rugged(toy_grid()).task_space == toy_grid().task_space
    True
    """
    config = given(config, RuggedConfig)
    space = _box("rugged", role)
    to_original, _ = rugged_maps(space, config.landscape, config.intervals)
    return _in_view(role, View(name="rugged", space=space, to_original=to_original))


def forgetting(student: Student, config: ForgettingConfig | None = None) -> Student:
    """`student`, but a beginner again (networks, optimiser, running statistics, unfinished episodes
    and all) every so many steps.

    A life ends before the first round that begins at or after a multiple of `every` steps; an
    evaluation right there still shows the old one. Life number i begins as
    `student.init(jax.random.fold_in(key, i))`.

    Raises:
      ValueError: when `every` is less than a round.

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> forgetting(toy_grid(), ForgettingConfig(every=1000)).name
    'toy-grid, forgetting'
    """
    check_kind("forgetting.student", student, Student)
    config = given(config, ForgettingConfig)
    if config.every < student.steps_per_round:
        raise ValueError(
            f"ForgettingConfig.every must be at least a round of {student.steps_per_round} steps,"
            f" got {config.every}."
        )

    def init(key: Key) -> ForgettingState:
        zero = jnp.zeros((), jnp.int32)
        return ForgettingState(
            student=student.init(jax.random.fold_in(key, 0)),
            key=key,
            num_resets=zero,
            num_steps=zero,
        )

    def train(
        key: Key, state: ForgettingState, proposals: Proposals
    ) -> tuple[ForgettingState, Episodes]:
        is_due = state.num_steps >= config.every
        num_resets = state.num_resets + is_due

        def begin_anew(old: PyTree) -> PyTree:
            fresh = student.init(jax.random.fold_in(state.key, num_resets))
            return jax.tree.map(lambda new, old: jnp.where(is_due, new, old), fresh, old)

        learner = jax.lax.cond(shared_max(is_due), begin_anew, lambda old: old, state.student)
        learner, episodes = student.train(key, learner, proposals)
        num_steps = (
            jnp.where(is_due, state.num_steps - config.every, state.num_steps)
            + student.steps_per_round
        )
        return state.replace(student=learner, num_resets=num_resets, num_steps=num_steps), episodes

    return _inside(student, "forgetting", init, train, lambda state: student)


def diverse(make: Callable[[PyTree], Student], sample: Callable[[Key], PyTree]) -> Student:
    """Every seed its own student: parameters are drawn when it begins and stay for life.

    Whatever a configuration allows as an array can be drawn: the growth of a simulated learner, a
    learning rate of PPO, or numbers of an environment that `make` builds around them. What is a
    shape cannot (layers, legs of a body, another algorithm): train those as runs of their own and
    pool them, as the benchmark does with its two bodies and two algorithms.

    Args:
      make: (parameters) -> student; task space and sizes must be the same for all parameters.
      sample: (key) -> parameters, a pytree of arrays.

    >>> from jaxcurriculum.students.simulated import AbilitiesConfig, abilities
    >>> student = diverse(lambda rate: abilities(AbilitiesConfig(growth=rate)),
    ...     lambda key: jax.random.uniform(key, (), maxval=0.1))
    >>> keys = jax.random.split(jax.random.key(0), 3)
    >>> len(set(jax.vmap(student.init)(keys).parameters.tolist()))
    3
    """
    for name, function in (("make", make), ("sample", sample)):
        if not callable(function):
            raise TypeError(f"diverse.{name} must be a function, got {function!r}.")
    example = make(sample(jax.random.key(0)))
    check_kind("What diverse.make returns", example, Student)

    def init(key: Key) -> DiverseState:
        key_parameters, key_student = jax.random.split(key)
        parameters = jax.tree.map(
            lambda leaf: jnp.asarray(leaf, jnp.asarray(leaf).dtype), sample(key_parameters)
        )
        return DiverseState(parameters=parameters, student=make(parameters).init(key_student))

    def train(key: Key, state: DiverseState, proposals: Proposals) -> tuple[DiverseState, Episodes]:
        learner, episodes = make(state.parameters).train(key, state.student, proposals)
        return state.replace(student=learner), episodes

    return _inside(example, "diverse", init, train, lambda state: make(state.parameters))


def _inside(
    student: Student, name: str, init: Callable, train: Callable, of: Callable[[PyTree], Student]
) -> Student:
    """`student` with a state around its own; `of(state)` is the student that this state belongs
    to.
    """

    def act(key: Key, state: PyTree, obs: jax.Array, deterministic: bool) -> jax.Array:
        return cast(Callable, of(state).act)(key, state.student, obs, deterministic)

    return dataclasses.replace(
        student,
        name=f"{student.name}, {name}",
        init=init,
        train=train,
        evaluate=lambda key, state, *asked: of(state).evaluate(key, state.student, *asked),
        report=lambda state: of(state).report(state.student),
        act=None if student.act is None else act,
    )


def _in_view(role: Role, view: View) -> Role:
    return (
        environment_in_view(role, view)
        if isinstance(role, Environment)
        else student_in_view(role, view)
    )


def _box(challenge: str, role: Environment | Student) -> Box:
    if not isinstance(role, Environment | Student):
        raise TypeError(f"{challenge}.role must be an Environment or a Student, got {role!r:.100}.")
    if not isinstance(role.task_space, Box):
        raise ValueError(
            f"This challenge needs tasks with named axes (a Box), got those of {role.name!r}."
        )
    return role.task_space


def _stretched(space: Box, config: StretchConfig) -> Box:
    axis, name = config.axis, type(config).__name__
    if axis >= space.dims:
        raise ValueError(
            f"{name}.axis must be one of the {space.dims} axes, 0 to {space.dims - 1}, got {axis}."
        )
    low, high = list(space.low), list(space.high)
    if low[axis] == high[axis]:
        raise ValueError(
            f"{name}.axis must have some width, but {space.names[axis]!r} is always {low[axis]}."
        )
    fixed, moved = (low[axis], high[axis]) if config.side == "high" else (high[axis], low[axis])
    stretched = (
        fixed * (moved / fixed) ** config.factor
        if space.log[axis]
        else fixed + config.factor * (moved - fixed)
    )
    (high if config.side == "high" else low)[axis] = stretched
    return Box(names=space.names, low=low, high=high, units=space.units, log=space.log)
