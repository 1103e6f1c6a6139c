"""Everything that the command line knows by name, as plain tables.

A line added to a table makes a part of your own known to the command line.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Column, Table

import jaxcurriculum.envs as envs
from jaxcurriculum import Box, Environment, students, teachers
from jaxcurriculum.experiments.errors import RunError
from jaxcurriculum.experiments.settings import parameters
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
    test_sets: Mapping[str, Callable[[Any, Box], PyTree]]  # (environment's configuration, task space) -> tasks [num, ...]

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"--body": tuple(envs.BODIES), "--test-set": tuple(self.test_sets)}


@dataclasses.dataclass(frozen=True, kw_only=True)
class StudentPart(Part):
    needs_environment: bool
    steps: int  # default of --steps
    evaluate_every: int  # default of --evaluate-every
    debug: tuple[str, ...] = ()  # sizes, as for --set, with which a round without jit takes seconds
    adapt: Mapping[str, Any] = dataclasses.field(default_factory=dict)  # fields that teachers have by default with this student
    test_sets: Mapping[str, Callable[[Any, Box], PyTree]] = dataclasses.field(default_factory=dict)  # where there is no environment

    @property
    def choices(self) -> dict[str, tuple[str, ...]]:
        return {"--test-set": tuple(self.test_sets)} if self.test_sets else {}


@dataclasses.dataclass(frozen=True, kw_only=True)
class BodySizes:
    """Sizes of the body that a task chooses."""

    sizes: tuple[str, ...] = ()  # among hull_length, hull_height, upper_length, lower_length, leg_width, motor_torque
    min_size: float = 0.5  # least factor of each of them
    max_size: float = 1.5  # largest

    def factors(self) -> dict[str, tuple[float, float]]:
        return dict.fromkeys(self.sizes, (self.min_size, self.max_size))


@dataclasses.dataclass(frozen=True, kw_only=True)
class StumpTracksConfig(BodySizes):
    """Bounds of the task space of Stump Tracks."""

    min_stump_height: float = 0.0  # steps of 14/30 m, least mean height of a track's stumps
    max_stump_height: float = 3.0  # steps of 14/30 m, largest
    min_obstacle_spacing: float = 0.0  # m, least distance from one stump to the next
    max_obstacle_spacing: float = 6.0  # m, largest
    stump_width: tuple[float, float] | None = None  # steps, bounds of the mean width; without, every stump is one step wide
    stump_rotation: tuple[float, float] | None = None  # rad, bounds of the mean rotation about the foot


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoughTracksConfig(BodySizes):
    """How feet feel the ground."""

    contact_flag: str = "true"  # or box2d: flags flicker between pieces of the ground as gymnasium's do


@dataclasses.dataclass(frozen=True, kw_only=True)
class ObstacleTracksConfig(RoughTracksConfig):
    """Which part of the task space of POET, PLR and ACCEL."""

    stairs: bool = True  # without, the five axes of POET
    easy: bool = False  # the small box in which ACCEL begins


def _stump_tracks(body: str, config: StumpTracksConfig) -> Environment:
    own = dataclasses.asdict(config)
    for field in dataclasses.fields(BodySizes):
        del own[field.name]
    return envs.stump_tracks(body, **own, sizes=config.factors())


def _obstacle_tracks(body: str, config: ObstacleTracksConfig) -> Environment:
    return envs.obstacle_tracks(body, config.stairs, config.easy, config.factors(), config.contact_flag)


def _uniform(_: Any, space: Box) -> np.ndarray:
    return envs.uniform_tasks(space)


def _grid_over_bounds(config: StumpTracksConfig, _: Box) -> np.ndarray:
    return envs.stump_tasks_grid(config.min_stump_height, config.max_stump_height, config.min_obstacle_spacing, config.max_obstacle_spacing)


# Test sets of a year are those published, whatever the bounds.
ENVIRONMENTS = {
    "stump-tracks": EnvironmentPart(
        description="a planar walker on flat ground with stumps; task: their mean height and their spacing",
        config=StumpTracksConfig(),
        make=_stump_tracks,
        test_sets={"2019": lambda *_: envs.stump_tasks_2019(), "grid": _grid_over_bounds, "uniform": _uniform},
    ),
    "hexagon-tracks": EnvironmentPart(
        description="a planar walker on flat ground with hexagons; task: offsets of their corners",
        config=BodySizes(),
        make=lambda body, config: envs.hexagon_tracks(body, config.factors()),
        test_sets={"2019": lambda *_: envs.hexagon_tasks_2019(), "uniform": _uniform},
    ),
    "stump-sequences": EnvironmentPart(
        description="a planar walker on flat ground with groups of five boxes; task: their heights and widths",
        config=BodySizes(),
        make=lambda body, config: envs.stump_sequences(body, config.factors()),
        test_sets={"uniform": _uniform},
    ),
    "bipedal-walker": EnvironmentPart(
        description="a planar walker on gymnasium's BipedalWalker-v3 ground; one task",
        config=RoughTracksConfig(),
        make=lambda body, config: envs.bipedal_walker(body, False, config.factors(), config.contact_flag),
        test_sets={"uniform": _uniform},
    ),
    "bipedal-walker-hardcore": EnvironmentPart(
        description="a planar walker on gymnasium's stumps, stairs and pits; one task",
        config=RoughTracksConfig(),
        make=lambda body, config: envs.bipedal_walker(body, True, config.factors(), config.contact_flag),
        test_sets={"uniform": _uniform},
    ),
    "obstacle-tracks": EnvironmentPart(
        description="a planar walker on the tracks of POET, PLR and ACCEL; task: roughness and ranges of pits, stumps and stairs",
        config=ObstacleTracksConfig(),
        make=_obstacle_tracks,
        test_sets={"2022": lambda config, _: envs.obstacle_tasks_2022(config.stairs), "uniform": _uniform},
    ),
}

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
        debug=(
            "student.rollout.num_envs=2",
            "student.rollout.num_steps=4",
            "student.rollout.pool_size=2",
            "student.minibatch_size=8",
            "student.num_epochs=1",
        ),
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
        adapt={"return_range": None, "threshold": 0.75, "step": (0.05, 0.05)},  # its returns lie in [0, 1], its tasks in the unit square
        test_sets={"cells": lambda config, _: simulated.toy_grid_test_tasks(config)},
    ),
}


def find(kind: str, table: Mapping[str, Any], name: str) -> Any:
    """The entry `name` of a table.

    Raises:
      RunError: when there is none; the sentence names those that exist.
    """
    if name not in table:
        raise RunError(f"There is no {kind} {name!r}; there are {', '.join(table)}.")
    return table[name]


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
                rows.add_row(f"{section}.{parameter.name}", str(parameter.value), parameter.meaning)
            if rows.row_count:
                console.print(rows)
        console.print()
