"""Configurations of the chosen parts: defaults, what suits the student, an expert, one's own."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from jaxcurriculum import Box, LoopConfig, Space, Student
from jaxcurriculum.cli.settings import Settings, override
from jaxcurriculum.cli.tables.parts import SimulatedPart
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.teachers import informed
from jaxcurriculum.teachers.knowledge import LEVELS


@dataclasses.dataclass(frozen=True)
class Chosen:
    """The lines of the tables that a run is made of, by section."""

    parts: dict[str, Any]
    subject: str  # of whose tasks the run is: the environment, or a student without one

    @property
    def testing(self) -> str:
        """The section that has test sets and an expert."""
        return "env" if "env" in self.parts else "student"

    @property
    def tester(self) -> Any:
        """The line of that section."""
        return self.parts[self.testing]


def changes_of(settings: Settings, sections: list[str]) -> dict[str, dict[str, Any]]:
    """The fields that `settings` name: section, field, value.

    Raises:
      RunError: when there is no such section.
    """
    changes: dict[str, dict[str, Any]] = {section: {} for section in sections}
    for name, value in settings.fields.items():
        section, _, field = name.partition(".")
        if section not in changes or not field:
            known = ", ".join(changes)
            raise RunError(f"{name}: there is no section {section!r} here; there are {known}.")
        if name == "loop.rounds_per_evaluation":
            raise RunError("loop.rounds_per_evaluation: give --evaluate-every instead.")
        changes[section][field] = value
    return changes


def configurations(chosen: Chosen, changes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """The configuration of every part, and of the loop, with `changes` applied to all but the
    teacher's, whom an expert tells first.
    """
    configs = {section: part.config for section, part in chosen.parts.items()}
    configs["loop"] = getattr(chosen.tester, "loop", LoopConfig())
    student = chosen.parts["student"]
    if isinstance(student, SimulatedPart):
        for section in ("teacher", "challenge"):
            configs[section] = chosen.parts[section].suit(configs[section], student)
    return {
        name: config if name == "teacher" else override(config, name, changes[name])
        for name, config in configs.items()
    }


def scaled(config: Any, student: Student) -> Any:
    """The teacher's configuration for a student whose returns are usually between two bounds.

    Where they are not known returns are left as they are.
    """
    if getattr(config, "return_range", None) is None:
        return config
    return dataclasses.replace(config, return_range=student.return_range)


def told(
    settings: Settings, chosen: Chosen, configs: dict[str, Any], original: Space, space: Space
) -> Any:
    """The teacher's configuration with what an expert of the `original` tasks tells at
    --knowledge; the teacher sees `space`.

    Raises:
      RunError: when there is no such level, or no expert.
    """
    level, config = settings.knowledge, configs["teacher"]
    if level is None:
        return config
    flag = f"--knowledge {level}"
    if level not in LEVELS:
        raise RunError(f"{flag}: there is no such level; there are {', '.join(LEVELS)}.")
    expert = chosen.tester.knowledge
    knowledge = None if expert is None else expert(configs[chosen.testing], original)
    if knowledge is None and level != "none":
        unknown = f"no expert knows {chosen.subject}"
        raise RunError(f"{flag}: {unknown}; give the teacher's own settings.")
    if knowledge is not None and level == "high":
        if knowledge.easy_mean is None:
            unknown = f"with these settings no one task of {chosen.subject} is known to be easy"
            raise RunError(f"{flag}: {unknown}; choose --knowledge low.")
        easy = _seen(knowledge.easy_mean, chosen, configs, original, space)
        knowledge = dataclasses.replace(knowledge, easy_mean=easy)
    try:
        return informed(config, level, knowledge)
    except ValueError as error:
        raise RunError(f"{flag}: {error}") from None


def _seen(
    easy: tuple[float, ...],
    chosen: Chosen,
    configs: dict[str, Any],
    original: Space,
    space: Space,
) -> np.ndarray:
    """What the teacher calls the task of `original` that is nearest to `easy`, [dims]."""
    assert isinstance(original, Box) and isinstance(space, Box)
    nearest = np.clip(np.array([easy]), original.low, original.high)
    seen = chosen.parts["challenge"].to_view(nearest, original, configs["challenge"])
    return np.clip(np.asarray(seen[0], float), space.low, space.high)  # float32 may round over
