"""What an expert tells a teacher beside the bounds of the task space: the three levels of TeachMyAgent.

    none   nothing: RIAC, Covar-GMM, ALP-GMM and self-paced learning need no more
    low    which returns are failures and successes: automatic domain randomisation, GoalGAN and Setter-Solver need this
    high   and where tasks are easy, N(easy_mean, (easy_std * range)^2): where all but RIAC and Setter-Solver then begin

GoalGAN and Setter-Solver ask which episodes are solved, as the student reports them; only ADR has thresholds of its own.

Source: C. Romac, R. Portelas, K. Hofmann, P.-Y. Oudeyer, "TeachMyAgent: a benchmark for automatic curriculum learning in Deep RL",
ICML 2021.
"""

from __future__ import annotations

import dataclasses
from typing import TypeVar

from jaxcurriculum.fields import check_numbers
from jaxcurriculum.teachers.accel import AccelConfig
from jaxcurriculum.teachers.adr import AdrConfig
from jaxcurriculum.teachers.goal_gan import GoalGanConfig
from jaxcurriculum.teachers.mixture_teacher import MixtureConfig
from jaxcurriculum.teachers.self_paced import SelfPacedConfig
from jaxcurriculum.teachers.setter_solver import SetterSolverConfig

LEVELS = ("none", "low", "high")
NEED_SUCCESS = (AdrConfig, GoalGanConfig, SetterSolverConfig)
BEGIN_EASY = (MixtureConfig, AdrConfig, GoalGanConfig, SelfPacedConfig)
Config = TypeVar("Config")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Knowledge:
    """What an expert knows of a task space; the defaults are TeachMyAgent's of Stump Tracks."""

    failure: float = 0.0  # mean return down from which a task is failed
    success: float = 180.0  # mean return from which on it is mastered
    easy_mean: tuple[float, ...] | None = (0.0, 6.0)  # an easy task, one entry an axis, in its units; None: nobody knows one
    easy_std: float = 0.1  # spread of easy tasks about it, fraction of each axis' range

    def __post_init__(self):
        check_numbers(self, failure=(-1e9, 1e9), success=(-1e9, 1e9), easy_std=(0, 10))
        if not self.failure < self.success:
            raise ValueError(f"Knowledge.failure must lie below success, got {self.failure} and {self.success}.")


def informed(config: Config, level: str, knowledge: Knowledge | None = None) -> Config:
    """A teacher's configuration with what the expert tells at `level`, and nothing beyond.

    RIAC and teachers that TeachMyAgent does not have stay as they are, but ACCEL is told at "high" with which easy levels to begin.

    Differs from the paper: its code gives self-paced learning no easy task, though its text says so.

    Raises:
      ValueError: when there is no such level, when the teacher needs a higher one, or when nobody knows an easy task.

    >>> from jaxcurriculum.teachers import AlpGmmConfig
    >>> informed(AlpGmmConfig.teach_my_agent(), "high").initial_mean
    (0.0, 6.0)
    >>> informed(AdrConfig.teach_my_agent(), "low", Knowledge(success=230.0)).grow_at
    230.0
    """
    knowledge = Knowledge() if knowledge is None else knowledge
    if level not in LEVELS:
        raise ValueError(f"informed.level must be one of {LEVELS}, got {level!r}.")
    if level == "none" and isinstance(config, NEED_SUCCESS):
        raise ValueError(f"{type(config).__name__} needs the knowledge of a success, level low or high, got none.")
    if level == "high" and knowledge.easy_mean is None:
        raise ValueError("Knowledge.easy_mean must be an easy task for level high, got None.")
    mean = knowledge.easy_mean if level == "high" else None
    if isinstance(config, AdrConfig):
        shrink_at = None if config.shrink_at is None else knowledge.failure
        return dataclasses.replace(config, grow_at=knowledge.success, shrink_at=shrink_at, initial_mean=mean)
    if isinstance(config, BEGIN_EASY):
        return dataclasses.replace(config, initial_mean=mean, initial_std=knowledge.easy_std)
    if isinstance(config, AccelConfig):
        replay = dataclasses.replace(config.replay, initial_mean=mean, initial_std=knowledge.easy_std)
        return dataclasses.replace(config, replay=replay)
    return config
