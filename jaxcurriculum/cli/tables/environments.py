"""Environments by name, with what can be set of them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Literal

import numpy as np

import jaxcurriculum.envs as envs
from jaxcurriculum import Box, Environment, LoopConfig
from jaxcurriculum.cli.tables.parts import EnvironmentPart, uniform
from jaxcurriculum.cli.tables.students import PpoStudentConfig
from jaxcurriculum.configs import Config, field
from jaxcurriculum.envs.classic.cart_pole import AXES
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.teachers import AccelConfig, Knowledge, PlrConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class BodyConfig(Config):
    """Which body walks, and which of its sizes a task chooses."""

    body: str = field("default", help="default, short, long or quadruped")
    sizes: tuple[str, ...] = field(
        (),
        help="of hull_length, hull_height, upper_length, lower_length, leg_width, motor_torque",
    )
    min_size: float = field(0.5, help="least factor of each of them")
    max_size: float = field(1.5, help="largest")

    def __post_init__(self):
        super().__post_init__()
        if len(set(self.sizes)) < len(self.sizes):
            raise ValueError(f"sizes must differ from each other, got {', '.join(self.sizes)}.")
        if not 0 < self.min_size <= self.max_size:
            raise ValueError(
                f"min_size must be positive and not above max_size, got {self.min_size} and"
                f" {self.max_size}."
            )

    def factors(self) -> dict[str, tuple[float, float]]:
        return dict.fromkeys(self.sizes, (self.min_size, self.max_size))


@dataclasses.dataclass(frozen=True, kw_only=True)
class StumpTracksConfig(BodyConfig):
    """Bounds of the task space of Stump Tracks."""

    min_stump_height: float = field(
        0.0,
        help="steps of 14/30 m, least mean height of a track's stumps",
    )
    max_stump_height: float = field(3.0, help="steps of 14/30 m, largest")
    min_obstacle_spacing: float = field(0.0, help="m, least distance from one stump to the next")
    max_obstacle_spacing: float = field(6.0, help="m, largest")
    stump_width: tuple[float, float] | None = field(
        None,
        help="steps, bounds of the mean width; without, every stump is one step wide",
    )
    stump_rotation: tuple[float, float] | None = field(
        None,
        help="rad, bounds of the mean rotation about the foot",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RoughTracksConfig(BodyConfig):
    """How feet feel the ground."""

    contact_flag: Literal["true", "box2d"] = field(
        "true",
        help="box2d: flags flicker between pieces of the ground as gymnasium's do",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class ObstacleTracksConfig(RoughTracksConfig):
    """Which part of the task space of POET, PLR and ACCEL."""

    stairs: bool = field(True, help="without, the five axes of POET")
    easy: bool = field(False, help="the small box in which ACCEL begins")


PAIR = tuple[float, float] | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class CartPoleConfig(Config):
    """Bounds of the axes of CartPole's tasks; none: as published, and no axis."""

    gravity: PAIR = field((5.0, 20.0), low=1e-6, help="m/s2")
    mass_cart: PAIR = field((0.1, 10.0), low=1e-6, help="kg")
    mass_pole: PAIR = field((0.01, 1.0), low=1e-6, help="kg")
    length: PAIR = field((0.1, 3.0), low=1e-6, help="m, half of the pole's")
    force: PAIR = field((2.0, 20.0), low=1e-6, help="N, of a push")


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdaptedConfig(Config):
    """Which numbers of another package's world are the task."""

    axes: tuple[str, ...] = field((), help="what a task chooses; none: all that is known to matter")
    low: tuple[float, ...] = field((), help="least value of each axis")
    high: tuple[float, ...] = field((), help="largest")
    observe_task: bool = field(True, help="the task is part of the observation")

    def __post_init__(self):
        super().__post_init__()
        if len(set(self.axes)) < len(self.axes):
            raise ValueError(f"axes must differ from each other, got {', '.join(self.axes)}.")
        if not len(self.axes) == len(self.low) == len(self.high):
            raise ValueError(
                f"axes, low and high must be equally long, got {len(self.axes)} axes,"
                f" {len(self.low)} low and {len(self.high)} high."
            )

    def bounds(self) -> dict[str, tuple[float, float]] | None:
        return dict(zip(self.axes, zip(self.low, self.high))) or None


@dataclasses.dataclass(frozen=True, kw_only=True)
class BraxConfig(AdaptedConfig):
    """Which robot of brax, in which engine; axes multiply what is published."""

    name: Literal["ant", "halfcheetah", "hopper", "humanoid", "reacher", "walker2d"] = field(
        "ant", help="the robot"
    )
    backend: Literal["generalized", "spring", "positional", "mjx"] = field(
        "generalized", help="brax's engine: generalized feels every axis, spring is fast"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class GymnaxConfig(AdaptedConfig):
    """Which environment of gymnax; axes are parameters of it."""

    name: str = field("CartPole-v1", help="as gymnax calls it")
    log: tuple[str, ...] = field((), help="axes on which equal ratios are equal distances")


@dataclasses.dataclass(frozen=True, kw_only=True)
class MazeConfig(Config):
    """How mazes are drawn and edited."""

    num_walls: int = field(25, low=0, high=167, help="cells drawn for walls, with replacement")
    num_edits: int = field(5, low=0, high=1000, help="edits of one mutation")


def _cart_pole(config: CartPoleConfig) -> Environment:
    bounds = {each.name: getattr(config, each.name) for each in dataclasses.fields(config)}
    return envs.cart_pole({name: pair for name, pair in bounds.items() if pair is not None})


def _cart_pole_expert(_: CartPoleConfig, space: Box) -> Knowledge:
    """The published constants are where learning is known to begin."""
    published = {name: axis[0] for name, axis in AXES.items()}
    easy = tuple(published[name] for name in space.names)
    return Knowledge(failure=50.0, success=475.0, easy_mean=easy)


def _brax(config: BraxConfig) -> Environment:
    with _needed_extra():
        return envs.brax(
            config.name,
            config.bounds(),
            backend=config.backend,
            observe_task=config.observe_task,
        )


def _gymnax(config: GymnaxConfig) -> Environment:
    with _needed_extra():
        return envs.gymnax(
            config.name,
            config.bounds(),
            log=config.log,
            observe_task=config.observe_task,
        )


@contextlib.contextmanager
def _needed_extra() -> Iterator[None]:
    """A world whose package is not installed is a mistake that a person can put right."""
    try:
        yield
    except ImportError as error:
        raise RunError(str(error)) from error


def _maze(config: MazeConfig) -> Environment:
    return envs.maze(envs.Mazes(num_walls=config.num_walls, num_edits=config.num_edits))


def _stump_tracks(config: StumpTracksConfig) -> Environment:
    own = dataclasses.asdict(config)
    for shared in dataclasses.fields(BodyConfig):
        del own[shared.name]
    return envs.stump_tracks(config.body, **own, sizes=config.factors())


def _stump_tracks_expert(_: StumpTracksConfig, space: Box) -> Knowledge:
    """TeachMyAgent's; on the axes that it does not have, stumps and body are as they would be
    without the axis.
    """
    plain = {
        "stump_height": 0.0,
        "obstacle_spacing": 6.0,
        "stump_width": 1.0,
        "stump_rotation": 0.0,
    }
    return Knowledge(easy_mean=tuple(plain.get(name, 1.0) for name in space.names))


def _obstacle_tracks(config: ObstacleTracksConfig) -> Environment:
    return envs.obstacle_tracks(
        config.body, config.stairs, config.easy, config.factors(), config.contact_flag
    )


def _grid_over_bounds(config: StumpTracksConfig, _: Box) -> np.ndarray:
    return envs.stump_tasks_grid(
        config.min_stump_height,
        config.max_stump_height,
        config.min_obstacle_spacing,
        config.max_obstacle_spacing,
    )


# Test sets of a year are those published, whatever the bounds.
ENVIRONMENTS = {
    "stump-tracks": EnvironmentPart(
        description=(
            "a planar walker on flat ground with stumps; task: their mean height and their spacing"
        ),
        config=StumpTracksConfig(),
        make=_stump_tracks,
        knowledge=_stump_tracks_expert,
        test_sets={
            "2019": lambda *_: envs.stump_tasks_2019(),
            "grid": _grid_over_bounds,
            "uniform": uniform,
        },
    ),
    "hexagon-tracks": EnvironmentPart(
        description="a planar walker on flat ground with hexagons; task: offsets of their corners",
        config=BodyConfig(),
        make=lambda config: envs.hexagon_tracks(config.body, config.factors()),
        test_sets={"2019": lambda *_: envs.hexagon_tasks_2019(), "uniform": uniform},
    ),
    "stump-sequences": EnvironmentPart(
        description=(
            "a planar walker on flat ground with groups of five boxes; task: their heights and"
            " widths"
        ),
        config=BodyConfig(),
        make=lambda config: envs.stump_sequences(config.body, config.factors()),
    ),
    "bipedal-walker": EnvironmentPart(
        description="a planar walker on gymnasium's BipedalWalker-v3 ground; one task",
        config=RoughTracksConfig(),
        make=lambda config: envs.bipedal_walker(
            config.body, False, config.factors(), config.contact_flag
        ),
    ),
    "bipedal-walker-hardcore": EnvironmentPart(
        description="a planar walker on gymnasium's stumps, stairs and pits; one task",
        config=RoughTracksConfig(),
        make=lambda config: envs.bipedal_walker(
            config.body, True, config.factors(), config.contact_flag
        ),
    ),
    "obstacle-tracks": EnvironmentPart(
        description=(
            "a planar walker on the tracks of POET, PLR and ACCEL; task: roughness and ranges of"
            " pits, stumps and stairs"
        ),
        config=ObstacleTracksConfig(),
        make=_obstacle_tracks,
        test_sets={
            "2022": lambda config, _: envs.obstacle_tasks_2022(config.stairs),
            "uniform": uniform,
        },
    ),
    "cart-pole": EnvironmentPart(
        description="a pole on a cart; task: gravity, masses, length and force",
        config=CartPoleConfig(),
        make=_cart_pole,
        knowledge=_cart_pole_expert,
        # a round of a beginner begins some 1,450 episodes
        presets={"ppo": PpoStudentConfig(rollout=RolloutConfig(pool_size=1536))},
    ),
    "brax": EnvironmentPart(
        description="a robot of brax; task: gravity, friction, masses, motors and damping",
        config=BraxConfig(),
        make=_brax,
    ),
    "gymnax": EnvironmentPart(
        description="any environment of gymnax; task: numbers among its parameters",
        config=GymnaxConfig(),
        make=_gymnax,
        # a round of a beginner begins some 1,450 episodes of CartPole
        presets={"ppo": PpoStudentConfig(rollout=RolloutConfig(pool_size=1536))},
    ),
    "maze": EnvironmentPart(
        description="a 13 by 13 maze seen 5 by 5 cells at a time; task: the whole maze",
        config=MazeConfig(),
        make=_maze,
        test_sets={"held-out": lambda *_: envs.held_out_mazes(), "uniform": uniform},
        loop=LoopConfig(deterministic=False, num_test_episodes=5),  # as its literature does
        presets={
            "plr": dataclasses.replace(PlrConfig.maze(), robust=False),
            "robust-plr": PlrConfig.maze(),
            "accel": AccelConfig.maze(),
        },
    ),
}
