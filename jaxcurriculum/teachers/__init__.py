"""Teachers: one algorithm a file; `teachers.alp_gmm(task_space, config)` makes one."""

from jaxcurriculum.editors import Editor, EditorConfig
from jaxcurriculum.teachers.accel import AccelConfig, accel
from jaxcurriculum.teachers.adr import AdrConfig, adr
from jaxcurriculum.teachers.alp_gmm import AlpGmmConfig, alp_gmm
from jaxcurriculum.teachers.balanced_filtering import BalancedFilteringConfig, balanced_filtering
from jaxcurriculum.teachers.clutr import ClutrConfig, clutr
from jaxcurriculum.teachers.combinators import (
    frozen,
    in_latent_space,
    in_subspace,
    mix,
    normalise_returns,
    schedule,
)
from jaxcurriculum.teachers.covar_gmm import CovarGmmConfig, covar_gmm
from jaxcurriculum.teachers.currot import CurrotConfig, currot
from jaxcurriculum.teachers.exp3 import Exp3Config, exp3
from jaxcurriculum.teachers.goal_gan import GoalGanConfig, goal_gan
from jaxcurriculum.teachers.gradient import GradientConfig, gradient
from jaxcurriculum.teachers.knowledge import Knowledge, informed
from jaxcurriculum.teachers.learnability import LearnabilityConfig, learnability
from jaxcurriculum.teachers.mbtl import MbtlConfig, mbtl
from jaxcurriculum.teachers.missing_skill import MissingSkillConfig, missing_skill
from jaxcurriculum.teachers.oracle import OracleConfig, oracle
from jaxcurriculum.teachers.paired import BuilderConfig, PairedConfig, paired
from jaxcurriculum.teachers.parts import arms
from jaxcurriculum.teachers.parts.box_editor import BoxEditorConfig, box_editor
from jaxcurriculum.teachers.parts.graph_estimation import estimate_graph
from jaxcurriculum.teachers.parts.point_editor import point_editor
from jaxcurriculum.teachers.plr import PlrConfig, plr
from jaxcurriculum.teachers.procurl import ProcurlConfig, procurl
from jaxcurriculum.teachers.random import random
from jaxcurriculum.teachers.repaired import RepairedConfig, repaired
from jaxcurriculum.teachers.riac import RiacConfig, riac
from jaxcurriculum.teachers.self_paced import SelfPacedConfig, self_paced
from jaxcurriculum.teachers.setter_solver import SetterSolverConfig, setter_solver
from jaxcurriculum.teachers.skill_it import SkillItConfig, grid_graph, skill_it
from jaxcurriculum.teachers.tscl import TsclConfig, tscl
from jaxcurriculum.teachers.ucb_advantage import UcbAdvantageConfig, ucb_advantage

__all__ = [
    "AccelConfig",
    "AdrConfig",
    "AlpGmmConfig",
    "BoxEditorConfig",
    "BuilderConfig",
    "BalancedFilteringConfig",
    "ClutrConfig",
    "CovarGmmConfig",
    "CurrotConfig",
    "Editor",
    "EditorConfig",
    "Exp3Config",
    "GoalGanConfig",
    "GradientConfig",
    "Knowledge",
    "LearnabilityConfig",
    "MbtlConfig",
    "MissingSkillConfig",
    "OracleConfig",
    "PairedConfig",
    "PlrConfig",
    "ProcurlConfig",
    "RepairedConfig",
    "RiacConfig",
    "SelfPacedConfig",
    "SetterSolverConfig",
    "SkillItConfig",
    "TsclConfig",
    "UcbAdvantageConfig",
    "accel",
    "adr",
    "alp_gmm",
    "arms",
    "balanced_filtering",
    "box_editor",
    "clutr",
    "covar_gmm",
    "currot",
    "estimate_graph",
    "exp3",
    "frozen",
    "goal_gan",
    "gradient",
    "grid_graph",
    "in_latent_space",
    "in_subspace",
    "informed",
    "learnability",
    "mbtl",
    "missing_skill",
    "mix",
    "normalise_returns",
    "oracle",
    "paired",
    "plr",
    "point_editor",
    "procurl",
    "random",
    "repaired",
    "riac",
    "schedule",
    "self_paced",
    "setter_solver",
    "skill_it",
    "tscl",
    "ucb_advantage",
]
