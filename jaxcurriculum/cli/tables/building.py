"""Teachers that build their levels in an editor, by name, and the students that they compare."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import jaxcurriculum.envs as envs
from jaxcurriculum import Box, Environment, Space, Teacher, learners, teachers
from jaxcurriculum.cli.tables.parts import SimulatedPart, TeacherPart
from jaxcurriculum.configs import field
from jaxcurriculum.rollout import RolloutConfig

EDITOR = "what a move is, and what the builder sees"


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairedTeacherConfig(teachers.PairedConfig):
    """The builder, and the editor in which it builds."""

    editor: teachers.EditorConfig = field(teachers.BoxEditorConfig(), help=EDITOR)


@dataclasses.dataclass(frozen=True, kw_only=True)
class RepairedTeacherConfig(teachers.RepairedConfig):
    """The builder, the replay, and the editor."""

    editor: teachers.EditorConfig = field(teachers.BoxEditorConfig(), help=EDITOR)


def _editor(space: Space, config: Any) -> teachers.Editor:
    if isinstance(space, envs.Mazes):
        check_drawn(space, "a builder")
        return envs.maze_editor(space, _of_mazes(config))
    if isinstance(space, Box):
        return teachers.box_editor(space, config)
    kind = type(space).__name__
    raise ValueError(f"--teacher must be another here: there is no editor of tasks of a {kind}.")


def check_drawn(mazes: envs.Mazes, maker: str) -> None:
    """Check that nobody practises the one maze of `Mazes.level` where `maker` makes them.

    Raises:
      ValueError: when somebody should.
    """
    if mazes.walls == "level":
        raise ValueError(
            f"--env.walls must not be level here: {maker} makes mazes of its own, and that of"
            " --env.level can only be tested (--test-set level)."
        )


def _of_mazes(config: teachers.EditorConfig) -> envs.MazeEditorConfig:
    """`config` as it is or, for a world of one's own, what all editors have in common."""
    if isinstance(config, envs.MazeEditorConfig):
        return config
    shared = dataclasses.fields(teachers.EditorConfig)
    return envs.MazeEditorConfig(**{each.name: getattr(config, each.name) for each in shared})


def _paired(space: Space, config: PairedTeacherConfig) -> Teacher:
    return teachers.paired(_editor(space, config.editor), config)


def _repaired(space: Space, config: RepairedTeacherConfig) -> Teacher:
    return teachers.repaired(_editor(space, config.editor), config)


def _suit_repaired(config: RepairedTeacherConfig, student: SimulatedPart) -> RepairedTeacherConfig:
    replay = dataclasses.replace(config.replay, score="return_change")  # there is no critic
    return dataclasses.replace(config, replay=replay)


def level_by_level(
    config: Any, env: Environment | None, teacher: PairedTeacherConfig | RepairedTeacherConfig
) -> Any:
    """A student's configuration with which it plays every level of a round of `teacher` from its
    beginning, and to its end at least once.
    """
    builder = teacher.builder if isinstance(teacher, RepairedTeacherConfig) else teacher
    num = builder.num_levels
    if env is None:
        return dataclasses.replace(config, episodes_per_round=num)
    before = num_steps = config.rollout.num_steps
    if num_steps < _longest(env):
        num_steps = 2 ** math.ceil(math.log2(_longest(env)))
    sizes = {"num_envs": num, "pool_size": num, "num_steps": num_steps}
    changes: dict[str, Any] = {"rollout": RolloutConfig(**sizes, assign="slot", carry=False)}
    if isinstance(config, learners.PpoConfig):  # as many sequences, as many gradient steps
        changes["minibatch_size"] = config.minibatch_size * num_steps // before
    return dataclasses.replace(config, **changes)


def _longest(env: Environment) -> int:
    """Steps of the longest episode of practice; of mazes only those of tests have more."""
    space = env.task_space
    return space.time_limit if isinstance(space, envs.Mazes) else env.max_episode_steps


def check_episodes_end(config: Any, env: Environment | None, name: str) -> None:
    """Check that a student's round is long enough for what the teacher `name` learns from.

    Raises:
      ValueError: when episodes do not end in it.
    """
    if env is not None and config.rollout.num_steps < _longest(env):
        raise ValueError(
            f"RolloutConfig.num_steps must be at least {_longest(env)}, the longest episode, with"
            f" {name!r}, which judges a level by the episodes that end in its round, got"
            f" {config.rollout.num_steps}."
        )


BUILDING = {
    "paired": TeacherPart(
        description="PAIRED: an agent builds levels on which one of two students does better",
        config=PairedTeacherConfig(),
        make=_paired,
        suit_student=level_by_level,
        takes_levels=True,
    ),
    "flexible-paired": TeacherPart(
        description="the same, where whoever did best on a level is its antagonist",
        config=PairedTeacherConfig(objective="flexible"),
        make=_paired,
        suit_student=level_by_level,
        takes_levels=True,
    ),
    "minimax-adversary": TeacherPart(
        description="a builder of levels on which the student does badly",
        config=PairedTeacherConfig(objective="minimax", num_students=1),
        make=_paired,
        suit_student=level_by_level,
        takes_levels=True,
    ),
    "repaired": TeacherPart(
        description="REPAIRED: the same builder, whose levels each of two students replays",
        config=RepairedTeacherConfig(),
        make=_repaired,
        suit=_suit_repaired,
        suit_student=level_by_level,
        takes_levels=True,
    ),
    "clutr": TeacherPart(
        description="CLUTR: PAIRED, where a bandit over the box chooses a whole task at once",
        config=teachers.ClutrConfig(),
        make=teachers.clutr,
        suit_student=level_by_level,
    ),
}


def maze_builders(
    published: teachers.PairedConfig, editor: envs.MazeEditorConfig
) -> dict[str, Any]:
    """What they are in a maze, with the builder of `published` in this `editor`."""
    shared = {"builder": published.builder, "clamp": published.clamp, "editor": editor}
    paired = {
        name: dataclasses.replace(part.config, **shared)
        for name, part in BUILDING.items()
        if isinstance(part.config, PairedTeacherConfig)
    }
    replay = dataclasses.replace(RepairedTeacherConfig().replay, seeds_from_tasks=True)
    repaired = RepairedTeacherConfig(builder=published, replay=replay, editor=editor)
    return paired | {"repaired": repaired}
