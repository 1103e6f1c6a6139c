"""Worlds of other packages by name, with what can be set of them."""

from __future__ import annotations

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Literal

import jaxcurriculum.envs as envs
from jaxcurriculum import Environment
from jaxcurriculum.cli.tables.parts import EnvironmentPart
from jaxcurriculum.cli.tables.replay import roomy_replay
from jaxcurriculum.cli.tables.students import PpoStudentConfig
from jaxcurriculum.configs import Config, field
from jaxcurriculum.envs.adapters import brax_env, gymnax_params
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.runs.errors import RunError


@dataclasses.dataclass(frozen=True, kw_only=True)
class AdaptedConfig(Config):
    """Which numbers of another package's world are the task."""

    axes: tuple[str, ...] = field((), help="what a task chooses; none: the usual ones")
    low: tuple[float, ...] = field((), help="least value of each axis")
    high: tuple[float, ...] = field((), help="largest")
    observe_task: bool = field(True, help="the task is part of the observation")

    def __post_init__(self):
        super().__post_init__()
        if len(set(self.axes)) < len(self.axes):
            raise ValueError(f"axes must differ from each other, got {', '.join(self.axes)}.")

    def bounds(self) -> dict[str, tuple[float, float]] | None:
        """(low, high) by name; None where no axis is chosen."""
        if not len(self.axes) == len(self.low) == len(self.high):
            raise ValueError(
                f"axes, low and high must be equally long, got {len(self.axes)} axes,"
                f" {len(self.low)} low and {len(self.high)} high."
            )
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


def _brax(config: BraxConfig) -> Environment:
    with _needed_extra():
        brax_env.check_axes(config.name, config.backend, config.axes)
        return envs.brax(
            config.name,
            config.bounds(),
            backend=config.backend,
            observe_task=config.observe_task,
        )


def _gymnax(config: GymnaxConfig) -> Environment:
    with _needed_extra():
        if config.axes:
            gymnax_params.check_axes(config.name, config.axes)
        return envs.gymnax(
            config.name,
            config.bounds(),
            log=config.log,
            observe_task=config.observe_task,
        )


def _felt() -> dict[str, str]:
    """What each robot feels, by name and backends."""
    felt: dict[tuple[str, tuple[str, ...]], list[str]] = {}
    for name in brax_env.RETURNS:
        for backend in brax_env.BACKENDS:
            axes = brax_env.axes_of(name, backend)
            felt.setdefault((name, axes), []).append(backend)
    return {
        f"{name}, {', '.join(backends)}": ", ".join(axes) for (name, axes), backends in felt.items()
    }


def _numbers() -> dict[str, str]:
    """The usual axes of environments, and how those of others are found."""
    usual = {name: ", ".join(axes) for name, axes in gymnax_params.AXES.items()}
    how = "train --env gymnax --env.name NAME --env.axes x names all its numbers"
    return usual | {"any NAME": how}


@contextlib.contextmanager
def _needed_extra() -> Iterator[None]:
    """A world whose package is not installed is a mistake that a person can put right."""
    try:
        yield
    except ImportError as error:
        raise RunError(str(error)) from error


ADAPTED = {
    "brax": EnvironmentPart(
        description="a robot of brax; task: gravity, friction, masses, motors and damping",
        config=BraxConfig(),
        make=_brax,
        axes=_felt(),
    ),
    "gymnax": EnvironmentPart(
        description="any environment of gymnax; task: numbers among its parameters",
        config=GymnaxConfig(),
        make=_gymnax,
        axes=_numbers(),
        # a round of a beginner begins some 1,450 episodes of CartPole
        presets={"ppo": PpoStudentConfig(rollout=RolloutConfig(pool_size=1536))} | roomy_replay(),
    ),
}
