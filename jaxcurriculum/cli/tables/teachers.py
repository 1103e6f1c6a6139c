"""Teachers by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from jaxcurriculum import Box, Teacher, teachers
from jaxcurriculum.cli.tables.building import BUILDING
from jaxcurriculum.cli.tables.parts import SimulatedPart, TeacherPart, as_is
from jaxcurriculum.configs import Config, field
from jaxcurriculum.teachers.parts.mixture import MixtureConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnCells(Config):
    """A bandit whose arms are the cells of a grid over the task space."""

    cells: int = field(10, low=1, high=teachers.arms.MOST_ARMS, help="cells an axis")
    bandit: Any = field(help="its own configuration")


def _bandit(
    description: str,
    make: Callable[..., Teacher],
    config: Any,
    suit: Callable[[Any, SimulatedPart], Any] = as_is,
) -> TeacherPart:
    def on_cells(space: Box, config: OnCells) -> Teacher:
        return make(teachers.arms.cells(space, config.cells), config.bandit)

    def suit_bandit(config: OnCells, student: SimulatedPart) -> OnCells:
        return dataclasses.replace(config, bandit=suit(config.bandit, student))

    config = OnCells(bandit=config)
    return TeacherPart(description=description, config=config, make=on_cells, suit=suit_bandit)


def _skill_it(space: Box, config: OnCells) -> Teacher:
    cells = teachers.arms.cells(space, config.cells)
    return teachers.skill_it(cells, config.bandit, teachers.grid_graph(cells))


def _suit_oracle(config: teachers.OracleConfig, student: SimulatedPart) -> teachers.OracleConfig:
    return dataclasses.replace(config, step=student.harder, threshold=student.success)


def _suit_mixture(config: MixtureConfig, student: SimulatedPart) -> MixtureConfig:
    return dataclasses.replace(config, return_range=None)  # they lie in [0, 1] as they are


def _suit_mbtl(config: teachers.MbtlConfig, student: SimulatedPart) -> teachers.MbtlConfig:
    return dataclasses.replace(config, return_range=None, rounds_each=2000)


def _suit_adr(config: teachers.AdrConfig, student: SimulatedPart) -> teachers.AdrConfig:
    return dataclasses.replace(config, grow_at=student.success, shrink_at=student.failure)


def _suit_self_paced(
    config: teachers.SelfPacedConfig, student: SimulatedPart
) -> teachers.SelfPacedConfig:
    """Its steps are whole episodes here."""
    return dataclasses.replace(config, offset_steps=2000, update_every_steps=500)


def _suit_currot(config: teachers.CurrotConfig, student: SimulatedPart) -> teachers.CurrotConfig:
    return dataclasses.replace(config, threshold=student.success)


def _suit_gradient(
    config: teachers.GradientConfig, student: SimulatedPart
) -> teachers.GradientConfig:
    """Its steps are whole episodes here."""
    return dataclasses.replace(config, threshold=student.success, max_stage_steps=2000)


def _suit_ucb(
    config: teachers.UcbAdvantageConfig, student: SimulatedPart
) -> teachers.UcbAdvantageConfig:
    return dataclasses.replace(config, advantage_scale=student.advantage)


def _suit_plr(config: teachers.PlrConfig, student: SimulatedPart) -> teachers.PlrConfig:
    return dataclasses.replace(config, score="return_change")  # there is no critic


def _suit_accel(config: teachers.AccelConfig, student: SimulatedPart) -> teachers.AccelConfig:
    return dataclasses.replace(config, replay=_suit_plr(config.replay, student))


TEACHERS = {
    "random": TeacherPart(
        description="uniform over the task space (domain randomisation)",
        make=lambda space, _: teachers.random(space),
        takes_levels=True,
    ),
    "oracle": TeacherPart(
        description="a hand-made window that slides from easy to hard tasks",
        config=teachers.OracleConfig(),
        make=teachers.oracle,
        suit=_suit_oracle,
    ),
    "riac": TeacherPart(
        description=(
            "absolute learning progress in regions that split where it differs (the settings of"
            " 2019)"
        ),
        config=teachers.RiacConfig.paper(),
        make=teachers.riac,
    ),
    "riac-tma": TeacherPart(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.RiacConfig.teach_my_agent(),
        make=teachers.riac,
    ),
    "covar-gmm": TeacherPart(
        description=(
            "where the return rises with time, followed by a Gaussian mixture (the settings of"
            " 2019)"
        ),
        config=teachers.CovarGmmConfig.paper(),
        make=teachers.covar_gmm,
        suit=_suit_mixture,
    ),
    "covar-gmm-tma": TeacherPart(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.CovarGmmConfig.teach_my_agent(),
        make=teachers.covar_gmm,
        suit=_suit_mixture,
    ),
    "alp-gmm": TeacherPart(
        description=(
            "absolute learning progress, followed by a Gaussian mixture (the settings of 2019)"
        ),
        config=teachers.AlpGmmConfig.paper(),
        make=teachers.alp_gmm,
        suit=_suit_mixture,
    ),
    "alp-gmm-tma": TeacherPart(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.AlpGmmConfig.teach_my_agent(),
        make=teachers.alp_gmm,
        suit=_suit_mixture,
    ),
    "adr": TeacherPart(
        description="automatic domain randomisation: a box that grows where faces are mastered",
        config=teachers.AdrConfig.paper(),
        make=teachers.adr,
        suit=_suit_adr,
    ),
    "adr-tma": TeacherPart(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.AdrConfig.teach_my_agent(),
        make=teachers.adr,
        suit=_suit_adr,
    ),
    "goal-gan": TeacherPart(
        description="GoalGAN: a generative network of tasks that are solved now and then",
        config=teachers.GoalGanConfig(),
        make=teachers.goal_gan,
    ),
    "setter-solver": TeacherPart(
        description=(
            "Setter-Solver: a flow that proposes tasks of a wanted feasibility, which a judge"
            " learns to tell"
        ),
        config=teachers.SetterSolverConfig(),
        make=teachers.setter_solver,
    ),
    "self-paced": TeacherPart(
        description=(
            "SPDL: a Gaussian that moves to high values, then to a target (the settings of"
            " TeachMyAgent, 2021)"
        ),
        config=teachers.SelfPacedConfig.teach_my_agent(),
        make=teachers.self_paced,
        suit=_suit_self_paced,
    ),
    "currot": TeacherPart(
        description=(
            "CURROT: particles that optimal transport moves to a target, through tasks that are"
            " mastered"
        ),
        config=teachers.CurrotConfig(),
        make=teachers.currot,
        suit=_suit_currot,
    ),
    "gradient": TeacherPart(
        description="GRADIENT: stages of optimal transport from easy tasks to a target",
        config=teachers.GradientConfig(),
        make=teachers.gradient,
        suit=_suit_gradient,
    ),
    "tscl": _bandit(
        "teacher-student curriculum learning: cells whose return changes",
        teachers.tscl,
        teachers.TsclConfig(),
    ),
    "exp3": _bandit(
        "EXP3.S on the learning progress of cells", teachers.exp3, teachers.Exp3Config()
    ),
    "ucb-advantage": _bandit(
        "DUMP: upper confidence bounds on the mean absolute advantage of cells",
        teachers.ucb_advantage,
        teachers.UcbAdvantageConfig(),
        _suit_ucb,
    ),
    "balanced-filtering": _bandit(
        "cells of intermediate success rate",
        teachers.balanced_filtering,
        teachers.BalancedFilteringConfig(),
    ),
    "missing-skill": _bandit(
        "STAT: cells in proportion to their failures",
        teachers.missing_skill,
        teachers.MissingSkillConfig(),
    ),
    "skill-it": TeacherPart(
        description="Skill-It: cells in proportion to the losses of those that they prepare for",
        config=OnCells(bandit=teachers.SkillItConfig()),
        make=_skill_it,
    ),
    "plr": TeacherPart(
        description="prioritised level replay",
        config=teachers.PlrConfig(),
        make=teachers.plr,
        suit=_suit_plr,
        takes_levels=True,
    ),
    "robust-plr": TeacherPart(
        description="the same, trained on replayed levels alone",
        config=teachers.PlrConfig.bipedal(),
        make=teachers.plr,
        suit=_suit_plr,
        takes_levels=True,
    ),
    "accel": TeacherPart(
        description="robust PLR that edits the levels it has replayed",
        config=teachers.AccelConfig.bipedal(),
        make=teachers.accel,
        suit=_suit_accel,
        takes_levels=True,
    ),
    "mbtl": TeacherPart(
        description=(
            "model-based transfer learning: the contexts that help most, for one policy that"
            " goes on (for one each: students.succession)"
        ),
        config=teachers.MbtlConfig(),
        make=teachers.mbtl,
        suit=_suit_mbtl,
    ),
    "learnability": TeacherPart(
        description="sampling for learnability: levels that probes solve about half of the time",
        config=teachers.LearnabilityConfig(),
        make=teachers.learnability,
        takes_levels=True,
    ),
    "procurl": TeacherPart(
        description="ProCuRL: tasks of a pool, the likelier the nearer they are to half success",
        config=teachers.ProcurlConfig(),
        make=teachers.procurl,
        takes_levels=True,
    ),
} | BUILDING
