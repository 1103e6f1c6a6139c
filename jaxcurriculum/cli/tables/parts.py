"""The kinds of lines that the tables have."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import jaxcurriculum.envs as envs
from jaxcurriculum import Box
from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.teachers import Knowledge

Expert = Callable[
    [Any, Box], Knowledge
]  # (configuration, task space); the easy task may lie beyond the bounds: the nearest one is meant


@dataclasses.dataclass(frozen=True, kw_only=True)
class Nothing:
    """The configuration of what has no parameters."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """One line of a table."""

    description: str
    config: Any = Nothing()  # the default configuration
    make: Callable[
        ..., Any
    ]  # environment: (body, config); teacher: (task space, config); student: (environment, config)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """What can be chosen about it on the command line, by flag; the first is the default."""
        return {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnvironmentPart(Part):
    test_sets: Mapping[
        str, Callable[[Any, Box], PyTree]
    ]  # (environment's configuration, task space) -> tasks [num, ...]
    knowledge: Expert | None = None  # what an expert would know of its tasks

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"--body": tuple(envs.BODIES), "--test-set": tuple(self.test_sets)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudentPart(Part):
    needs_environment: bool
    steps: int  # default of --steps
    evaluate_every: int  # default of --evaluate-every
    debug: tuple[
        str, ...
    ] = ()  # sizes, as for --set, of a rehearsal, in which episodes end within seconds
    adapt: Mapping[str, Any] = dataclasses.field(
        default_factory=dict
    )  # fields that teachers and challenges have by default with it
    # what an expert would know of its tasks, where there is no environment
    knowledge: Expert | None = None
    test_sets: Mapping[str, Callable[[Any, Box], PyTree]] = dataclasses.field(
        default_factory=dict
    )  # where there is no environment

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"--test-set": tuple(self.test_sets)} if self.test_sets else {}


def find(kind: str, table: Mapping[str, Any], name: str) -> Any:
    """The entry `name` of a table.

    Raises:
      RunError: when there is none; the sentence names those that exist.
    """
    if name not in table:
        raise RunError(f"There is no {kind} {name!r}; there are {', '.join(table)}.")
    return table[name]
