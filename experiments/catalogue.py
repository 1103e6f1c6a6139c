"""Everything that the command line knows by name, as plain tables, and how named parts become one experiment.

A line added to a table makes a part of your own known to the command line.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable, Mapping
from typing import Any

import jax
from rich.console import Console
from rich.table import Column, Table

from jaxcurriculum import Environment, Loop, LoopConfig, envs, make_loop, students, teachers
from jaxcurriculum.experiments.errors import RunError
from jaxcurriculum.experiments.settings import Settings, override, parameters
from jaxcurriculum.students import simulated
from jaxcurriculum.types import PyTree


@dataclasses.dataclass(frozen=True, kw_only=True)
class Nothing:
    """The configuration of what has no parameters."""


@dataclasses.dataclass(frozen=True, kw_only=True)
class Part:
    """One line of a table."""

    description: str
    config: Any = Nothing()  # the default configuration
    make: Callable[..., Any]  # environment: (body, config); teacher: (task space, config); student: (environment, config)

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        """What can be chosen about it on the command line, by flag; the first is the default."""
        return {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class EnvironmentPart(Part):
    bodies: tuple[str, ...]
    test_sets: Mapping[str, Callable[[Any], PyTree]]  # (environment's configuration) -> tasks [num, ...]

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"--body": self.bodies, "--test-set": tuple(self.test_sets)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudentPart(Part):
    needs_environment: bool
    steps: int  # default of --steps
    evaluate_every: int  # default of --evaluate-every
    adapt: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # fields that teachers have by default with this student
    test_sets: Mapping[str, Callable[[Any], PyTree]] = dataclasses.field(default_factory=dict)  # where there is no environment

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"--test-set": tuple(self.test_sets)} if self.test_sets else {}


ENVIRONMENTS = {}

TEACHERS = {
    "random": Part(
        description="uniform over the task space (domain randomisation)",
        make=lambda space, _: teachers.random(space),
    ),
    "oracle": Part(
        description="a hand-made window that slides from easy to hard tasks",
        config=teachers.OracleConfig(),
        make=teachers.oracle,
    ),
    "alp-gmm": Part(
        description="absolute learning progress, followed by a Gaussian mixture (the settings of 2019)",
        config=teachers.AlpGmmConfig.paper(),
        make=teachers.alp_gmm,
    ),
    "alp-gmm-tma": Part(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.AlpGmmConfig.teach_my_agent(),
        make=teachers.alp_gmm,
    ),
}

STUDENTS = {
    "ppo": StudentPart(
        description="proximal policy optimisation on an environment",
        config=students.PpoConfig(),
        make=students.ppo,
        needs_environment=True,
        steps=3_000_000,
        evaluate_every=200_000,
    ),
    "toy-grid": StudentPart(
        description="a simulated learner: a grid of skills, each of which unlocks the next",
        config=simulated.ToyGridConfig(),
        make=lambda _, config: simulated.toy_grid(config),
        needs_environment=False,
        steps=20_000,
        evaluate_every=1_000,
        adapt={"return_range": None},  # its returns lie in [0, 1]
        test_sets={"cells": simulated.toy_grid_test_tasks},
    ),
}


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A loop that is ready to run, and everything that was decided on the way."""

    environment: Environment | None
    loop: Loop
    num_seeds: int
    first_seed: int
    group: int  # seeds batched together
    num_advances: int  # evaluations in the whole run
    config: dict[str, Any]  # every setting and every field of every configuration, by name, as JSON gives them back


def find(kind: str, table: Mapping[str, Any], name: str) -> Any:
    """The entry `name` of a table.

    Raises:
      RunError: when there is none; the sentence names those that exist.
    """
    if name not in table:
        raise RunError(f"There is no {kind} {name!r}; there are {', '.join(table)}.")
    return table[name]


def build(settings: Settings) -> Experiment:
    """Make the parts that `settings` names and bind them into a loop.

    Raises:
      RunError: for unknown names, overrides that do not fit, and whatever a factory refuses.
    """
    teacher_part, student_part = find("teacher", TEACHERS, settings.teacher), find("student", STUDENTS, settings.student)
    env_part = find("environment", ENVIRONMENTS, settings.env) if student_part.needs_environment else None
    adapted = {name: value for name, value in student_part.adapt.items() if hasattr(teacher_part.config, name)}
    defaults = {"teacher": dataclasses.replace(teacher_part.config, **adapted), "student": student_part.config, "loop": LoopConfig()}
    if env_part:
        defaults["env"] = env_part.config
        find(f"body of {settings.env}", dict.fromkeys(env_part.bodies), settings.body)
    configs = _override_all(defaults, settings.set)
    test_sets, tested = (env_part.test_sets, configs["env"]) if env_part else (student_part.test_sets, configs["student"])
    test_set = settings.test_set or next(iter(test_sets))
    test_tasks = find("test set", test_sets, test_set)(tested)
    try:
        environment = env_part.make(settings.body, configs["env"]) if env_part else None
        student = student_part.make(environment, configs["student"])
        teacher = teacher_part.make(student.task_space, configs["teacher"])
        evaluate_every = settings.evaluate_every or student_part.evaluate_every
        configs["loop"] = dataclasses.replace(
            configs["loop"], rounds_per_evaluation=max(1, round(evaluate_every / student.steps_per_round))
        )
        loop = make_loop(teacher, student, test_tasks, configs["loop"])
    except ValueError as error:
        raise RunError(str(error)) from error
    steps = settings.steps or student_part.steps
    group = settings.group or _widest_group(settings.seeds, len(jax.devices()))
    if settings.seeds % group:
        raise RunError(f"--group must divide --seeds, got --group {group} for --seeds {settings.seeds}.")
    settings = dataclasses.replace(settings, test_set=test_set, steps=steps, evaluate_every=evaluate_every, group=group)
    named = {field.name: getattr(settings, field.name) for field in dataclasses.fields(Settings)} | {
        f"{section}.{parameter.name}": parameter.default for section, config in configs.items() for parameter in parameters(config)
    }
    return Experiment(
        environment=environment,
        loop=loop,
        num_seeds=settings.seeds,
        first_seed=settings.seed,
        group=group,
        num_advances=math.ceil(steps / loop.steps_per_advance),
        config=json.loads(json.dumps(named)),
    )


def _override_all(defaults: dict[str, Any], changes: tuple[str, ...]) -> dict[str, Any]:
    by_section: dict[str, dict[str, str]] = {section: {} for section in defaults}
    for change in changes:
        name, equals, value = change.partition("=")
        section, _, field = name.partition(".")
        if not (equals and field):
            raise RunError(f"--set takes SECTION.FIELD=VALUE, as in teacher.exploration=0.1, got {change!r}.")
        if section not in by_section:
            raise RunError(f"--set {name}: there is no section {section!r} here; there are {', '.join(by_section)}.")
        if name == "loop.rounds_per_evaluation":
            raise RunError("--set loop.rounds_per_evaluation is given by --evaluate-every instead.")
        by_section[section][field] = value
    return {section: override(config, section, by_section[section]) for section, config in defaults.items()}


def _widest_group(num_seeds: int, num_devices: int) -> int:
    """The widest batch of seeds with which the most devices have work."""
    widths = [width for width in range(1, num_seeds + 1) if num_seeds % width == 0]
    busy = lambda width: max(n for n in range(1, num_devices + 1) if num_seeds // width % n == 0)
    return max(widths, key=lambda width: (busy(width), width))


def show(console: Console) -> None:
    """Print every table: each part with its description, its parameters, their defaults, and their meaning with the unit."""
    for title, section, table in (
        ("Environments", "env", ENVIRONMENTS),
        ("Teachers", "teacher", TEACHERS),
        ("Students", "student", STUDENTS),
    ):
        console.print(f"[bold]{title}[/]")
        for name, part in table.items():
            console.print(f"\n  [bold cyan]{name}[/]  {part.description}", highlight=False)
            for flag, names in part.choices.items():
                console.print(f"    {flag} {', '.join(names)}", highlight=False)
            rows = Table(
                Column("--set", no_wrap=True),
                Column("default", no_wrap=True),
                "meaning",
                box=None,
                padding=(0, 2, 0, 4),
                header_style="dim",
            )
            for parameter in parameters(part.config):
                rows.add_row(f"{section}.{parameter.name}", str(parameter.default), parameter.meaning)
            if rows.row_count:
                console.print(rows)
        console.print()
