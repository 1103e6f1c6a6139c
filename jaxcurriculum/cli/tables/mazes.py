"""Mazes by name: whose they are, who teaches them, and which of them are tested."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax

import jaxcurriculum.envs as envs
from jaxcurriculum import Environment, LoopConfig, Space, Teacher
from jaxcurriculum.cli.tables.building import maze_builders
from jaxcurriculum.cli.tables.parts import EnvironmentPart, TestSet, uniform
from jaxcurriculum.cli.tables.points import teacher_of_points
from jaxcurriculum.configs import field
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.teachers import AccelConfig, PairedConfig, PlrConfig

NUM_SOLVABLE = 10_000  # test mazes, as published


@dataclasses.dataclass(frozen=True, kw_only=True)
class MazeConfig(envs.Mazes, envs.MazeRules):
    """How mazes are drawn and edited, what an agent does and sees in them, and how it is tested."""

    levels_per_maze: int = field(
        1,
        low=1,
        high=100,
        help=(
            "tasks made of each maze of the test sets held-out-8, held-out-12 and held-out: mazes"
            " made by rule are drawn anew, corridors have other goals"
        ),
    )
    decoder: str = field(
        "cells-13", help="makes mazes of the points that teachers of a box choose; or a file's name"
    )


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


def _of_others(test_set: TestSet) -> TestSet:
    """`test_set`, which does not hold the maze of --env.level."""

    def tasks(config: MazeConfig, mazes: envs.Mazes) -> envs.Maze:
        if config.level and config.walls != "level":
            raise RunError(
                "--env.level must be practised (--env.walls level) or tested (--test-set level),"
                " got neither."
            )
        return test_set(config, mazes)

    return tasks


TEST_SETS: dict[str, TestSet] = {
    "held-out-8": _of_others(_held_out(envs.EIGHT)),
    "held-out-12": _of_others(_held_out(envs.TWELVE)),
    "held-out": _of_others(_held_out(envs.held_out_names())),
    "solvable": _of_others(lambda _, mazes: envs.solvable_mazes(mazes, NUM_SOLVABLE)),
    "uniform": _of_others(uniform),
    "level": _drawn_by_hand,
}
LOOP = LoopConfig(deterministic=False, num_test_episodes=5)  # as its literature does


def _part(description: str, config: MazeConfig, presets: dict[str, Any]) -> EnvironmentPart:
    return EnvironmentPart(
        description=description,
        config=config,
        make=_maze,
        teach=_taught,
        test_sets=TEST_SETS,
        loop=LOOP,
        presets=presets,
    )


def _presets(
    replay: PlrConfig,
    edits: AccelConfig,
    building: PairedConfig,
    editor: envs.MazeEditorConfig,
) -> dict[str, Any]:
    """What teachers are in mazes: replay as published, and builders in an editor of mazes."""
    replays = {"plr": dataclasses.replace(replay, robust=False), "robust-plr": replay}
    return replays | {"accel": edits} | maze_builders(building, editor)


def _published(kind: str) -> dict[str, Any]:
    """The teachers of a codebase, for which each configuration has a preset of this name."""
    kinds = (PlrConfig, AccelConfig, PairedConfig, envs.MazeEditorConfig)
    return _presets(*(getattr(each, kind)() for each in kinds))


MAZES = {
    "maze": _part(
        "a maze seen 5 by 5 cells at a time; task: the whole maze, 25 walls drawn",
        MazeConfig(),
        _presets(PlrConfig.maze(), AccelConfig.maze(), PairedConfig(), envs.MazeEditorConfig()),
    ),
    "maze-jaxued": _part("the same, taught as in jaxued", MazeConfig(), _published("jaxued")),
    "maze-minimax": _part(
        "the same as minimax draws and edits it: 60 walls, 20 edits",
        MazeConfig(num_walls=60, num_edits=20),
        _published("minimax"),
    ),
    "maze-dcd": _part(
        "the same as dcd builds, edits and starts it: up to 60 walls, 5 edits",
        MazeConfig(num_walls=60, walls="dcd-uniform", edits="dcd", start="random"),
        _published("dcd"),
    ),
}
