"""TeachMyAgent's challenges, and other ways to make a student harder to teach, by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import jax

from jaxcurriculum import Box, Environment, Student, challenges
from jaxcurriculum.challenges.stretching import StretchConfig
from jaxcurriculum.cli.tables.parts import Part, SimulatedPart, as_is
from jaxcurriculum.records import PyTree


@dataclasses.dataclass(frozen=True, kw_only=True)
class ChallengePart(Part):
    """`make` is (role, config) -> role."""

    # what to do with a student that plays an environment, where this does not suit it
    instead: str = ""
    changes_student: bool = False  # wraps any student; otherwise the environment, if there is one
    suit: Callable[[Any, SimulatedPart], Any] = as_is  # its configuration with a simulated student
    to_view: Callable[[PyTree, Box, Any], PyTree] = lambda tasks, space, config: (
        tasks
    )  # tasks of `space` -> what the teacher calls them

    def wrap_environment(self, environment: Environment | None, config: Any) -> Environment | None:
        """The environment of this challenge.

        Raises:
          ValueError: when it is one for simulated students.
        """
        if environment is None or self.changes_student:
            return environment
        if self.instead:
            raise ValueError(self.instead if isinstance(environment.task_space, Box) else NO_AXIS)
        return self.make(environment, config)

    def wrap_student(
        self, student: Student, environment: Environment | None, config: Any
    ) -> Student:
        """The student of this challenge."""
        return (
            student
            if environment is not None and not self.changes_student
            else self.make(student, config)
        )


def _shuffled(tasks: PyTree, space: Box, config: challenges.RuggedConfig) -> PyTree:
    return jax.vmap(challenges.rugged_maps(space, config.landscape, config.intervals)[1])(tasks)


def _suit_stretch(config: StretchConfig, student: SimulatedPart) -> StretchConfig:
    return dataclasses.replace(config, axis=student.hard_axis)


def _suit_forgetting(
    config: challenges.ForgettingConfig, student: SimulatedPart
) -> challenges.ForgettingConfig:
    """A beginner again after as large a share of the default run as in TeachMyAgent, 7 of 20."""
    return dataclasses.replace(config, every=7 * student.steps // 20)


def _unlearnable(student: Student, config: challenges.UnlearnableConfig) -> Student:
    if config.low is None:
        raise ValueError(
            "The challenge unlearnable needs a box: --challenge.low 0.5 0.5 --challenge.high 1 1,"
            " one bound an axis."
        )
    return challenges.unlearnable(student, config)


def _diverse(*_: Any) -> Student:
    raise ValueError(
        "The challenge diverse is composed from Python, with jaxcurriculum.challenges.diverse. Here"
        " --student.corner random gives every seed of the toy grid its own start, and other"
        " bodies are runs of their own, as with --env.body short."
    )


BOUNDS = (
    "With an environment, give it the bounds instead, as in --env.{} (TeachMyAgent's), so that"
    " physics decides."
)
NO_AXIS = (
    "This challenge widens an axis, and the tasks of this environment have none: leave --challenge"
    " out."
)
CHALLENGES = {
    "none": ChallengePart(
        description="the task space and the student as they are", make=lambda role, _: role
    ),
    "mostly-unfeasible": ChallengePart(
        description="an axis three times as wide, of which two thirds cannot be done",
        config=challenges.MostlyUnfeasibleConfig(),
        make=challenges.mostly_unfeasible,
        suit=_suit_stretch,
        instead=BOUNDS.format("max-stump-height 9"),
    ),
    "mostly-trivial": ChallengePart(
        description="an axis twice as wide, half of it as easy as its easiest end",
        config=challenges.MostlyTrivialConfig(),
        make=challenges.mostly_trivial,
        suit=_suit_stretch,
        instead=BOUNDS.format("min-stump-height -3"),
    ),
    "forgetting": ChallengePart(
        description="the student begins anew from time to time, and the teacher is not told",
        config=challenges.ForgettingConfig(),
        make=challenges.forgetting,
        suit=_suit_forgetting,
        changes_student=True,
    ),
    "rugged": ChallengePart(
        description=(
            "every axis cut into intervals that are shuffled, alike for all seeds: neighbours are"
            " not alike"
        ),
        config=challenges.RuggedConfig(),
        make=challenges.rugged,
        to_view=_shuffled,
    ),
    "diverse": ChallengePart(
        description=(
            "every seed another student; composed from Python, with"
            " jaxcurriculum.challenges.diverse"
        ),
        make=_diverse,
        changes_student=True,
    ),
    "noisy": ChallengePart(
        description="every return that the student reports is blurred",
        config=challenges.NoisyConfig(),
        make=challenges.noisy,
        changes_student=True,
    ),
    "unlearnable": ChallengePart(
        description="a box of tasks that teach nothing",
        config=challenges.UnlearnableConfig(),
        make=_unlearnable,
        changes_student=True,
    ),
}
