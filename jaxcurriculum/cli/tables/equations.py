"""Worlds of a few equations by name: every constant of one is a setting."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import jax
import numpy as np

import jaxcurriculum.envs as envs
from jaxcurriculum import Box, Environment
from jaxcurriculum.cli.tables.parts import EnvironmentPart, uniform
from jaxcurriculum.cli.tables.replay import roomy_replay
from jaxcurriculum.cli.tables.students import PpoStudentConfig
from jaxcurriculum.configs import Config, SweptPair, field
from jaxcurriculum.envs.classic import (
    acrobot,
    cart_pole,
    continuous_mountain_car,
    mountain_car,
    pendulum,
)
from jaxcurriculum.envs.equations import Axes
from jaxcurriculum.envs.point_mass import point_mass, ring_maze
from jaxcurriculum.records import Key
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.teachers import Knowledge

PAIR = SweptPair | None
NUM_TARGETS = 100
CACHED = "keep derived constants as gymnasium caches them, so that some axes change nothing"
AS_PUBLISHED = ("as_published", bool, field(False, help=CACHED))


def bounds_config(name: str, axes: Axes, usual: Sequence[str], *flags: tuple) -> Config:
    """A configuration with the bounds of every axis; those that are not usual have none."""
    observed = "whether the observation tells the task"
    fields: list[Any] = [(axis, PAIR, _bounds_field(axes, axis, axis in usual)) for axis in axes]
    fields += [("observe_task", bool, field(True, help=observed)), *flags]
    config = dataclasses.make_dataclass(name, fields, bases=(Config,), frozen=True, kw_only=True)
    config.__doc__ = "Bounds of the axes that a task chooses; none: as published, and no axis."
    config.__module__ = __name__  # make_dataclass says "types"
    return config()


def _bounds_field(axes: Axes, name: str, is_usual: bool) -> Any:
    axis = axes[name]
    low, high = (limit if np.isfinite(limit) else None for limit in axis.allowed)
    words = [word for word in (axis.unit, axis.meaning, f"without: {axis.value:.4g}") if word]
    return field(axis.bounds if is_usual else None, low=low, high=high, help=", ".join(words))


def maker(make: Callable[..., Environment]) -> Callable[[Any], Environment]:
    """The world with the settings of a configuration."""

    def made(config: Any) -> Environment:
        values = {each.name: getattr(config, each.name) for each in dataclasses.fields(config)}
        flags = {name: value for name, value in values.items() if isinstance(value, bool)}
        others = {name: value for name, value in values.items() if name not in flags}
        bounds = {name: value for name, value in others.items() if value is not None}
        return make(bounds, **flags)

    return made


def sampled(sample: Callable[[Key], jax.Array]) -> Callable[..., np.ndarray]:
    """The test set of so many tasks, always the same ones."""
    draw = jax.jit(lambda key: jax.vmap(sample)(jax.random.split(key, NUM_TARGETS)))
    return lambda *_: np.asarray(draw(jax.random.key(0)))


def _cart_pole_expert(_: Any, space: Box) -> Knowledge:
    """The published constants are where learning is known to begin."""
    easy = tuple(cart_pole.AXES[name].value for name in space.names)
    return Knowledge(failure=50.0, success=475.0, easy_mean=easy)


EQUATIONS = {
    "cart-pole": EnvironmentPart(
        description="a pole on a cart; task: gravity, masses, length and force",
        config=bounds_config("CartPoleConfig", cart_pole.AXES, cart_pole.USUAL, AS_PUBLISHED),
        make=maker(envs.cart_pole),
        knowledge=_cart_pole_expert,
        # a round of a beginner begins some 1,450 episodes
        presets={"ppo": PpoStudentConfig(rollout=RolloutConfig(pool_size=1536))} | roomy_replay(),
    ),
    "pendulum": EnvironmentPart(
        description="a pole to be swung up; task: gravity, mass, length and torque",
        config=bounds_config("PendulumConfig", pendulum.AXES, pendulum.USUAL),
        make=maker(envs.pendulum),
        presets={"ppo": PpoStudentConfig(discount=0.95)},
    ),
    "acrobot": EnvironmentPart(
        description="two links to be swung up; task: their lengths and masses",
        config=bounds_config("AcrobotConfig", acrobot.AXES, acrobot.USUAL, AS_PUBLISHED),
        make=maker(envs.acrobot),
    ),
    "mountain-car": EnvironmentPart(
        description="a car that must gather speed; task: force, goal and gravity",
        config=bounds_config("MountainCarConfig", mountain_car.AXES, mountain_car.USUAL),
        make=maker(envs.mountain_car),
    ),
    "continuous-mountain-car": EnvironmentPart(
        description="the same, driven by degrees; task: power, goal and gravity",
        config=bounds_config(
            "ContinuousMountainCarConfig",
            continuous_mountain_car.AXES,
            continuous_mountain_car.USUAL,
        ),
        make=maker(envs.continuous_mountain_car),
        presets={"ppo": PpoStudentConfig(discount=0.999)},
    ),
    "point-mass": EnvironmentPart(
        description="a point that flies through a gate; task: where it is, and how wide",
        config=bounds_config("PointMassConfig", point_mass.AXES, point_mass.USUAL),
        make=maker(envs.point_mass),
        presets={
            "ppo": PpoStudentConfig(
                discount=0.95, gae_lambda=0.99, rollout=RolloutConfig(pool_size=1024)
            )
        }
        | roomy_replay(),
        test_sets={"target": sampled(envs.target_gate), "uniform": uniform},
    ),
    "ring-maze": EnvironmentPart(
        description="a point that walks around a ring; task: the goal and how near it must come",
        config=bounds_config("RingMazeConfig", ring_maze.AXES, tuple(ring_maze.AXES)),
        make=maker(envs.ring_maze),
        # with a wide tolerance many episodes are short
        presets={"ppo": PpoStudentConfig(discount=0.995, rollout=RolloutConfig(pool_size=2048))}
        | roomy_replay(),
        test_sets={"target": sampled(envs.feasible_goal), "uniform": uniform},
    ),
}
