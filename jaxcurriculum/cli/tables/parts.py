"""The kinds of lines that the tables have, and how a line is found."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax

import jaxcurriculum.envs as envs
from jaxcurriculum import Box, Environment, LoopConfig, Space, Teacher
from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.teachers import Knowledge

# (configuration, task space) -> what is known; the easy task may lie beyond the bounds: the nearest
# one is meant.
Expert = Callable[[Any, Box], Knowledge]
TestSet = Callable[[Any, Any], PyTree]  # (configuration, task space) -> tasks [num, ...]
NUM_UNIFORM = 100  # test tasks of a space that is no Box


@dataclasses.dataclass(frozen=True, kw_only=True)
class Nothing:
    """The configuration of what has no parameters."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """One line of a table."""

    description: str
    config: Any = Nothing()  # the default configuration
    make: Callable[..., Any]  # environment: (config); teacher: (task space, config)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """What can be chosen about it on the command line, by flag; the first is the default."""
        return {}


def uniform(_: Any, space: Space) -> PyTree:
    """Tasks from all over the space, the same in every run."""
    if isinstance(space, Box):
        return envs.uniform_tasks(space)
    return jax.vmap(space.sample)(jax.random.split(jax.random.key(0), NUM_UNIFORM))


def as_made(make: Callable[[Space], Teacher], config: Any, space: Space) -> Teacher:
    """A teacher of the tasks as they are."""
    return make(space)


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnvironmentPart(Part):
    """A world; the first test set whose tasks fit is the default."""

    test_sets: Mapping[str, TestSet] = dataclasses.field(
        default_factory=lambda: {"uniform": uniform}
    )
    knowledge: Expert | None = None  # what an expert would know of its tasks
    # What --env.axes may name, where it depends on other settings: by them.
    axes: Mapping[str, str] = dataclasses.field(default_factory=dict)
    # How teachers of a box are made: (teacher of a space, configuration, task space) -> teacher
    teach: Callable[[Callable[[Space], Teacher], Any, Any], Teacher] = as_made
    loop: LoopConfig = LoopConfig()  # how students are tested in it, by default
    # Configurations that teachers and students have by default in it, by their names.
    presets: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"--test-set": tuple(self.test_sets)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudentPart(Part):
    """A student: `make` is (environment, config), the former None where it needs none."""

    needs_environment: bool
    steps: int  # default of --steps
    evaluate_every: int  # default of --evaluate-every
    # Sizes of a rehearsal, in which episodes end within seconds, by names like "student.hidden".
    debug: Mapping[str, int] = dataclasses.field(default_factory=dict)
    # Where there is no environment: what an expert would know of its tasks, and test sets.
    knowledge: Expert | None = None
    test_sets: Mapping[str, TestSet] = dataclasses.field(default_factory=dict)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"--test-set": tuple(self.test_sets)} if self.test_sets else {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class SimulatedPart(StudentPart):
    """A student without an environment or a critic, whose episodes return 0 to 1.

    The fields are what the defaults of teachers and challenges depend on.
    """

    needs_environment: bool = False
    failure: float = 0.2  # mean return down from which a task is failed
    success: float = 0.75  # mean return from which on it is mastered
    harder: tuple[float, ...]  # a step from easy to hard tasks, one entry an axis
    hard_axis: int = 0  # along which tasks get harder
    advantage: float = 1.0  # usual size of an episode's advantage


def as_is(config: Any, student: SimulatedPart) -> Any:
    """The configuration of a part that is the same with every student."""
    return config


@dataclasses.dataclass(frozen=True, kw_only=True)
class TeacherPart(Part):
    """A teacher, its configuration with a simulated student, and the student's with it.

    The latter is a function of the student's own, the environment (None where there is none) and
    the teacher's.
    """

    takes_levels: bool = False  # tasks of any space; else of a box alone
    suit: Callable[[Any, SimulatedPart], Any] = as_is
    suit_student: Callable[[Any, Environment | None, Any], Any] = lambda config, *_: config


def find(kind: str, table: Mapping[str, Any], name: str) -> Any:
    """The entry `name` of a table.

    Raises:
      RunError: when there is none; the sentence names those that exist.
    """
    if name not in table:
        raise RunError(f"There is no {kind} {name!r}; there are {', '.join(table)}.")
    return table[name]


def made(make: Callable[[Any], Any], config: Any) -> Any:
    """`make(config)`, the same for equal ones where these can be compared: what JAX has traced of a
    world need not be traced again for every cell of a study.
    """
    try:
        return _kept(make, config)
    except TypeError:  # a config that holds arrays or lists has no hash
        return make(config)


@functools.lru_cache(maxsize=64)
def _kept(make: Callable[[Any], Any], config: Any) -> Any:
    return make(config)
