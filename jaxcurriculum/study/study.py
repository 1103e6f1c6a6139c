"""What a study is: axes whose combinations are run, each over many seeds."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from jaxcurriculum.configs import Config, field
from jaxcurriculum.fields import LARGEST_INTEGER
from jaxcurriculum.runs.errors import RunError

AXES = {  # of names, and what of the command line each is
    "envs": "env",
    "students": "student",
    "learners": "learner",
    "teachers": "teacher",
    "challenges": "challenge",
    "knowledge": "knowledge",
}


class StudyError(RunError):
    """Something that is wrong in a study.

    `key` says where it stands there, and `value` which of several values it is.
    """

    def __init__(self, message: str, key: tuple[str, ...], value: Any = None):
        super().__init__(message)
        self.key, self.value = key, value


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study(Config):
    """Every combination of worlds, students, teachers and settings, each over many seeds.

    `settings` are those of a part, by its name: `{"alp-gmm": {"exploration": (0.1, 0.2)}}`. Several
    values in a tuple or list are an axis.

    Raises:
      StudyError: when an axis is empty, or names something twice.

    >>> from jaxcurriculum.study.cells import cells_of
    >>> study = Study(teachers=("random", "alp-gmm"), students=("toy-grid",), seeds=4)
    >>> [cell.name for cell in cells_of(study)]
    ['toy-grid_random', 'toy-grid_alp-gmm']
    """

    teachers: tuple[str, ...] = field(("alp-gmm",), help="who chooses tasks")
    students: tuple[str, ...] = field(("ppo",), help="who learns")
    envs: tuple[str, ...] = field((), help="worlds, for students that play one")
    learners: tuple[str, ...] = field((), help="your own in place of PPO, as module:function")
    challenges: tuple[str, ...] = field(("none",), help="what makes curricula hard to find")
    knowledge: tuple[str, ...] = field((), help="what an expert tells teachers: none, low, high")
    seeds: int = field(
        2, low=1, high=LARGEST_INTEGER, help="independent curricula of each combination"
    )
    seed: int = field(0, low=0, high=LARGEST_INTEGER, help="the first of them")
    steps: float | None = field(
        None, low=1, high=LARGEST_INTEGER, help="budget of a seed, rounded up to evaluations"
    )
    evaluate_every: float | None = field(
        None, low=1, high=LARGEST_INTEGER, help="steps between two evaluations"
    )
    test_set: str | None = field(None, help="tasks of the evaluation")
    group: int | None = field(None, low=1, help="seeds that are batched together")
    settings: Mapping[str, Mapping[str, Any]] = field(
        default_factory=dict, help="those of a part, by its name"
    )

    def __post_init__(self):
        super().__post_init__()
        for axis in AXES:
            names = getattr(self, axis)
            is_list = isinstance(names, tuple | list)
            if not is_list or not all(isinstance(name, str) for name in names):
                one = (*names, "random")[0] if is_list else names
                rule = f'names, as in ["{one}"]'
                raise StudyError(f"{axis} must be a list of {rule}, got {names!r}.", (axis,))
            if twice := [name for name in names if names.count(name) > 1]:
                raise StudyError(f"{axis} names {twice[0]} twice.", (axis,), twice[0])
        for axis in ("teachers", "students", "challenges"):
            if not getattr(self, axis):
                raise StudyError(f"{axis} is empty: name at least one.", (axis,))
