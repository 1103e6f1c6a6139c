"""Teachers by name."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

from jaxcurriculum import Box, Teacher, teachers
from jaxcurriculum.cli.tables.parts import Part
from jaxcurriculum.configs import Config, field


@dataclasses.dataclass(frozen=True, kw_only=True)
class OnCells(Config):
    """A bandit whose arms are the cells of a grid over the task space."""

    cells: int = field(10, low=1, high=teachers.arms.MOST_ARMS, help="cells an axis")
    bandit: Any = field(help="its own configuration")


def _bandit(description: str, make: Callable[..., Teacher], config: Any) -> Part:
    on_cells = lambda space, config: make(teachers.arms.cells(space, config.cells), config.bandit)
    return Part(description=description, config=OnCells(bandit=config), make=on_cells)


def _skill_it(space: Box, config: OnCells) -> Teacher:
    cells = teachers.arms.cells(space, config.cells)
    return teachers.skill_it(cells, config.bandit, teachers.grid_graph(cells))


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
    "riac": Part(
        description=(
            "absolute learning progress in regions that split where it differs (the settings of"
            " 2019)"
        ),
        config=teachers.RiacConfig.paper(),
        make=teachers.riac,
    ),
    "riac-tma": Part(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.RiacConfig.teach_my_agent(),
        make=teachers.riac,
    ),
    "covar-gmm": Part(
        description=(
            "where the return rises with time, followed by a Gaussian mixture (the settings of"
            " 2019)"
        ),
        config=teachers.CovarGmmConfig.paper(),
        make=teachers.covar_gmm,
    ),
    "covar-gmm-tma": Part(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.CovarGmmConfig.teach_my_agent(),
        make=teachers.covar_gmm,
    ),
    "alp-gmm": Part(
        description=(
            "absolute learning progress, followed by a Gaussian mixture (the settings of 2019)"
        ),
        config=teachers.AlpGmmConfig.paper(),
        make=teachers.alp_gmm,
    ),
    "alp-gmm-tma": Part(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.AlpGmmConfig.teach_my_agent(),
        make=teachers.alp_gmm,
    ),
    "adr": Part(
        description="automatic domain randomisation: a box that grows where its faces are mastered",
        config=teachers.AdrConfig.paper(),
        make=teachers.adr,
    ),
    "adr-tma": Part(
        description="the same with the settings of TeachMyAgent, 2021",
        config=teachers.AdrConfig.teach_my_agent(),
        make=teachers.adr,
    ),
    "goal-gan": Part(
        description="GoalGAN: a generative network of tasks that are solved now and then",
        config=teachers.GoalGanConfig(),
        make=teachers.goal_gan,
    ),
    "setter-solver": Part(
        description=(
            "Setter-Solver: a flow that proposes tasks of a wanted feasibility, which a judge"
            " learns to tell"
        ),
        config=teachers.SetterSolverConfig(),
        make=teachers.setter_solver,
    ),
    "self-paced": Part(
        description=(
            "SPDL: a Gaussian that moves to high values, then to a target (the settings of"
            " TeachMyAgent, 2021)"
        ),
        config=teachers.SelfPacedConfig.teach_my_agent(),
        make=teachers.self_paced,
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
    "skill-it": Part(
        description="Skill-It: cells in proportion to the losses of those that they prepare for",
        config=OnCells(bandit=teachers.SkillItConfig()),
        make=_skill_it,
    ),
    "plr": Part(
        description="prioritised level replay", config=teachers.PlrConfig(), make=teachers.plr
    ),
    "robust-plr": Part(
        description="the same, trained on replayed levels alone",
        config=teachers.PlrConfig.bipedal(),
        make=teachers.plr,
    ),
    "accel": Part(
        description="robust PLR that edits the levels it has replayed",
        config=teachers.AccelConfig.bipedal(),
        make=teachers.accel,
    ),
    "learnability": Part(
        description="sampling for learnability: levels that probes solve about half of the time",
        config=teachers.LearnabilityConfig(),
        make=teachers.learnability,
    ),
}
