"""What an expert tells a teacher beside the task space: the three levels of TeachMyAgent.

    none   nothing: RIAC, Covar-GMM, ALP-GMM and self-paced learning need no more
    low    which returns are failures and successes: automatic domain randomisation, GoalGAN and
           Setter-Solver need this
    high   and where tasks are easy, N(easy_mean, (easy_std * range)^2): where all but RIAC and
           Setter-Solver then begin

GoalGAN and Setter-Solver ask which episodes are solved, as the student reports them; only ADR has
thresholds of its own. The target of self-paced learning is no matter of these levels: what is to be
mastered in the end is the user's to say.

Source: C. Romac, R. Portelas, K. Hofmann, P.-Y. Oudeyer, "TeachMyAgent: a benchmark for automatic
curriculum learning in Deep RL", ICML 2021.
"""

from __future__ import annotations

import dataclasses
from typing import Any, TypeVar

import jax
import numpy as np
from jax.core import Tracer

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import are_numbers, check_kind
from jaxcurriculum.teachers.accel import AccelConfig
from jaxcurriculum.teachers.adr import AdrConfig
from jaxcurriculum.teachers.goal_gan import GoalGanConfig
from jaxcurriculum.teachers.parts.mixture import MixtureConfig
from jaxcurriculum.teachers.parts.particles import ParticlesConfig
from jaxcurriculum.teachers.plr import PlrConfig
from jaxcurriculum.teachers.self_paced import SelfPacedConfig
from jaxcurriculum.teachers.setter_solver import SetterSolverConfig

LEVELS = ("none", "low", "high")
NEED_SUCCESS = (AdrConfig, GoalGanConfig, SetterSolverConfig)
BEGIN_EASY = (MixtureConfig, AdrConfig, GoalGanConfig, ParticlesConfig, SelfPacedConfig)
Kind = TypeVar("Kind")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Knowledge(Config):
    """What an expert knows of a task space; the defaults are TeachMyAgent's of Stump Tracks."""

    failure: Swept = field(
        0.0,
        low=-1e9,
        high=1e9,
        help="mean return down from which a task is failed",
    )
    success: Swept = field(
        180.0,
        low=-1e9,
        high=1e9,
        help="mean return from which on it is mastered",
    )
    easy_mean: tuple[float, ...] | None = field(
        (0.0, 6.0),
        help="an easy task, one entry an axis, in its units (or an array); None: nobody knows one",
    )
    easy_std: Swept = field(
        0.1,
        low=0,
        high=10,
        help="spread of easy tasks about it, fraction of each axis' range",
    )

    def __post_init__(self):
        if self.easy_mean is not None:
            object.__setattr__(self, "easy_mean", _as_task(self.easy_mean))  # it is frozen
        super().__post_init__()
        traced = isinstance(self.failure, jax.Array) or isinstance(self.success, jax.Array)
        if not traced and not self.failure < self.success:
            raise ValueError(
                f"Knowledge.failure must lie below success, got {self.failure} and {self.success}."
            )


def _as_task(mean: Any) -> tuple[float, ...]:
    is_array = isinstance(mean, np.ndarray | jax.Array) and not isinstance(mean, Tracer)
    numbers: Any = mean.tolist() if is_array else mean
    if not (are_numbers(numbers) and len(numbers) > 0):
        raise ValueError(
            "Knowledge.easy_mean must be None or finite numbers, one an axis of the task space,"
            f" got {mean!r}."
        )
    return tuple(float(number) for number in numbers)


def informed(config: Kind, level: str, knowledge: Knowledge | None = None) -> Kind:
    """A configuration with what the expert tells at `level` of success and of easy tasks.

    An easy task that `config` already names is forgotten at "none" and "low". RIAC and teachers
    that TeachMyAgent does not have are told nothing, but ACCEL is told at "high" with which easy
    levels to begin (PLR, which never leaves its easy task, is not).

    Differs from the paper: its code gives self-paced learning no easy task, though its text says
    so.

    Raises:
      ValueError: when there is no such level, when the teacher needs a higher one, or when nobody
          knows an easy task.
      TypeError: when `config` or `knowledge` is something else.

    >>> from jaxcurriculum.teachers import AlpGmmConfig
    >>> informed(AlpGmmConfig.teach_my_agent(), "high").initial_mean
    (0.0, 6.0)
    >>> informed(AdrConfig.teach_my_agent(), "low", Knowledge(success=230.0)).grow_at
    230.0
    """
    knowledge = Knowledge() if knowledge is None else knowledge
    _check(config, level, knowledge)
    is_told = level == "high"
    if isinstance(config, AdrConfig):
        shrink_at = None if config.shrink_at is None else knowledge.failure
        mean = knowledge.easy_mean if is_told else None
        told = {"grow_at": knowledge.success, "shrink_at": shrink_at, "initial_mean": mean}
        return dataclasses.replace(config, **told)
    easy: dict[str, Any] = {"initial_mean": None}
    if is_told:
        easy = {"initial_mean": knowledge.easy_mean, "initial_std": knowledge.easy_std}
    if isinstance(config, AccelConfig):
        return dataclasses.replace(config, replay=dataclasses.replace(config.replay, **easy))
    if isinstance(config, BEGIN_EASY) or (isinstance(config, PlrConfig) and not is_told):
        return dataclasses.replace(config, **easy)
    return config


def _check(config: Any, level: str, knowledge: Any) -> None:
    if isinstance(config, type) or not dataclasses.is_dataclass(config):
        given = type(config).__name__
        if isinstance(config, type):
            given = f"the class {config.__name__}"
        raise TypeError(
            f"informed.config must be a teacher's configuration, as AdrConfig(), got {given}."
        )
    check_kind("informed.knowledge", knowledge, Knowledge)
    if level not in LEVELS:
        raise ValueError(f"informed.level must be one of {', '.join(LEVELS)}, got {level!r}.")
    if level == "none" and isinstance(config, NEED_SUCCESS):
        raise ValueError(
            f"{type(config).__name__} needs the knowledge of a success, level low or high, got"
            " none."
        )
    if level == "high" and knowledge.easy_mean is None:
        raise ValueError("Knowledge.easy_mean must be an easy task for level high, got None.")
