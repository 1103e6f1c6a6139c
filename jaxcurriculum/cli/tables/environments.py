"""Environments by name, with what can be set of them."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, Literal

import jax
import numpy as np

import jaxcurriculum.envs as envs
from jaxcurriculum import Box, Environment, LoopConfig, Space, Teacher
from jaxcurriculum.cli.tables.adapted import ADAPTED
from jaxcurriculum.cli.tables.building import maze_builders
from jaxcurriculum.cli.tables.equations import EQUATIONS
from jaxcurriculum.cli.tables.parts import EnvironmentPart, TestSet, uniform
from jaxcurriculum.cli.tables.points import teacher_of_points
from jaxcurriculum.cli.tables.replay import roomy_replay
from jaxcurriculum.cli.tables.students import PpoStudentConfig
from jaxcurriculum.configs import Config, Swept, SweptPair, field
from jaxcurriculum.envs.walker.bodies import Anatomy
from jaxcurriculum.envs.walker.body_arrays import body_arrays
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.teachers import AccelConfig, Knowledge, PairedConfig, PlrConfig

NUM_SOLVABLE = 10_000  # test mazes, as published


def _arrays_of_body(config: BodyConfig, body: str) -> Anatomy | None:
    """What a program is told of a body, unless tasks choose sizes."""
    return None if config.sizes else body_arrays(body)


@dataclasses.dataclass(frozen=True, kw_only=True)
class BodyConfig(Config):
    """Which body walks, and which of its sizes a task chooses."""

    body: str | Anatomy = field(
        "default", help="default, short, long or quadruped", arrays=_arrays_of_body
    )
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

    min_stump_height: Swept = field(
        0.0,
        help="steps of 14/30 m, least mean height of a track's stumps",
    )
    max_stump_height: Swept = field(3.0, help="steps of 14/30 m, largest")
    min_obstacle_spacing: float = field(0.0, help="m, least distance from one stump to the next")
    max_obstacle_spacing: Swept = field(6.0, help="m, largest")
    stump_width: tuple[float, float] | None = field(
        None,
        help="steps, bounds of the mean width; without, every stump is one step wide",
    )
    stump_rotation: SweptPair | None = field(
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


@dataclasses.dataclass(frozen=True, kw_only=True)
class MazeConfig(envs.Mazes, envs.MazeRules):
    """How mazes are drawn and edited, what an agent does and sees in them, and how it is tested."""

    levels_per_maze: int = field(
        1, low=1, high=100, help="of the test sets 8, 12 and held-out: those made by rule differ"
    )
    decoder: str = field(
        "cells-13", help="makes mazes of the points that teachers of a box choose; or a file's name"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class RepeatPreviousConfig(Config):
    """How far back the agent has to remember."""

    delay: tuple[int, int] = field((1, 16), low=1, help="steps, least and largest")
    num_decks: int = field(1, low=1, high=1000, help="of 52 cards")


def _maze(config: MazeConfig) -> Environment:
    def own(kind):
        fields = dataclasses.fields(kind)
        return kind(**{field.name: getattr(config, field.name) for field in fields})

    return envs.maze(own(envs.Mazes), own(envs.MazeRules))


def _taught(make: Callable[[Space], Teacher], config: MazeConfig, mazes: envs.Mazes) -> Teacher:
    return teacher_of_points(make, config.decoder, mazes)


def _held_out(names: Sequence[str]) -> TestSet:
    return lambda config, _: envs.held_out_mazes(names, config.levels_per_maze)


def _drawn_by_hand(config: MazeConfig, _: envs.Mazes) -> envs.Maze:
    if not config.level:
        raise RunError("--test-set level: it is the maze of --env.level, which must be given.")
    return jax.tree.map(lambda leaf: leaf[None], config.drawn())


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


def _grid_over_bounds(_: StumpTracksConfig, space: Box) -> np.ndarray:
    min_height, min_spacing = space.low[:2]
    max_height, max_spacing = space.high[:2]
    return envs.stump_tasks_grid(min_height, max_height, min_spacing, max_spacing)


MAZE_TEST_SETS: dict[str, TestSet] = {
    "held-out-8": _held_out(envs.EIGHT),
    "held-out-12": _held_out(envs.TWELVE),
    "held-out": _held_out(envs.held_out_names()),
    "solvable": lambda _, mazes: envs.solvable_mazes(mazes, NUM_SOLVABLE),
    "uniform": uniform,
    "level": _drawn_by_hand,
}
MAZE_LOOP = LoopConfig(deterministic=False, num_test_episodes=5)  # as its literature does


def _maze_presets(replay: PlrConfig, edits: AccelConfig, building: PairedConfig) -> dict[str, Any]:
    """What teachers are in mazes: replay as published, and builders in the editor of mazes."""
    replays = {"plr": dataclasses.replace(replay, robust=False), "robust-plr": replay}
    return replays | {"accel": edits} | maze_builders(building)


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
            "2021": lambda *_: envs.stump_tasks_grid(),
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
    "maze": EnvironmentPart(
        description="a maze seen 5 by 5 cells at a time; task: the whole maze, 25 walls drawn",
        config=MazeConfig(),
        make=_maze,
        teach=_taught,
        test_sets=MAZE_TEST_SETS,
        loop=MAZE_LOOP,
        presets=_maze_presets(PlrConfig.maze(), AccelConfig.maze(), PairedConfig()),
    ),
    "maze-minimax": EnvironmentPart(
        description="the same as minimax draws and edits it: 60 walls, 20 edits",
        config=MazeConfig(num_walls=60, num_edits=20),
        make=_maze,
        teach=_taught,
        test_sets=MAZE_TEST_SETS,
        loop=MAZE_LOOP,
        presets=_maze_presets(PlrConfig.minimax(), AccelConfig.minimax(), PairedConfig.minimax()),
    ),
    "maze-dcd": EnvironmentPart(
        description="the same as dcd builds, edits and starts it: up to 60 walls, 5 edits",
        config=MazeConfig(num_walls=60, walls="dcd-uniform", edits="dcd", start="random"),
        make=_maze,
        teach=_taught,
        test_sets=MAZE_TEST_SETS,
        loop=MAZE_LOOP,
        presets=_maze_presets(PlrConfig.dcd(), AccelConfig.dcd(), PairedConfig.dcd()),
    ),
    "repeat-previous": EnvironmentPart(
        description="cards whose suits are to be named later; task: how many steps later",
        config=RepeatPreviousConfig(),
        make=lambda config: envs.repeat_previous(config.delay, config.num_decks),
        knowledge=lambda _, space: Knowledge(failure=0.0, success=0.9, easy_mean=space.low),
        presets={
            "ppo": PpoStudentConfig(rollout=RolloutConfig(pool_size=1024)),
            # an answer is worth what it is at once, and changes nothing that is shown later
            "ppo-gru": PpoStudentConfig(
                memory="gru",
                memory_size=64,
                num_epochs=4,
                minibatch_size=832,
                discount=0.0,
                gae_lambda=0.0,
                rollout=RolloutConfig(num_envs=32, num_steps=104, pool_size=128),
            ),
        }
        | roomy_replay(),
    ),
} | EQUATIONS
ENVIRONMENTS |= ADAPTED
