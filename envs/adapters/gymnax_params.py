"""Which parameters of gymnax's environments can be a task, and what follows from them."""

from __future__ import annotations

import dataclasses
import numbers
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import numpy as np

from jaxcurriculum.envs.adapters.packages import check_bounds, imported
from jaxcurriculum.fields import LARGEST_INTEGER
from jaxcurriculum.spaces import Box

Bounds = Mapping[str, tuple[float, float]]
TIME_LIMIT = "max_steps_in_episode"
# Tasks by default: bounds at whose ends there is still something to learn.
AXES: dict[str, Bounds] = {
    "CartPole-v1": {
        "gravity": (5.0, 20.0),
        "masscart": (0.1, 10.0),
        "masspole": (0.01, 1.0),
        "length": (0.1, 3.0),
        "force_mag": (2.0, 20.0),
    },
    "Pendulum-v1": {"g": (2.0, 15.0), "m": (0.2, 2.0), "l": (0.5, 2.0), "max_torque": (0.5, 4.0)},
    "Acrobot-v1": {
        "link_length_1": (0.5, 2.0),
        "link_mass_1": (0.5, 2.0),
        "link_mass_2": (0.5, 2.0),
    },
    "MountainCar-v0": {
        "force": (0.0005, 0.002),
        "gravity": (0.0015, 0.0035),
        "goal_position": (0.3, 0.55),
    },
    "MountainCarContinuous-v0": {
        "power": (0.0008, 0.003),
        "gravity": (0.0015, 0.0035),
        "goal_position": (0.3, 0.55),
    },
}
# From which return on an episode is solved (gymnasium's, where it has one), and what returns are
# usually between.
RETURNS = {
    "CartPole-v1": (475.0, (0.0, 500.0)),
    "Pendulum-v1": (-200.0, (-1600.0, 0.0)),
    "Acrobot-v1": (-100.0, (-500.0, 0.0)),
    "MountainCar-v0": (-110.0, (-200.0, 0.0)),
    "MountainCarContinuous-v0": (90.0, (-100.0, 100.0)),
}


def as_published(params: Any) -> Any:
    """The parameters as they are, the derived ones not derived."""
    return params


def derive_cart_pole(params: Any) -> Any:
    """CartPole's parameters with the mass of both, and the mass times the length of the pole."""
    return params.replace(
        total_mass=params.masscart + params.masspole,
        polemass_length=params.masspole * params.length,
    )


DERIVED: dict[str, Callable[[Any], Any]] = {"CartPole-v1": derive_cart_pole}


def made(name: str) -> tuple[Any, Any]:
    """gymnax's environment and its parameters.

    Raises:
      ImportError: when gymnax is not installed.
      ValueError: when there is no such environment, or data that it needs.
    """
    package = imported("gymnax", "gymnax")
    if name not in package.registered_envs:
        known = ", ".join(package.registered_envs)
        raise ValueError(f"gymnax has no environment {name!r}; it has {known}.")
    try:
        return package.make(name)
    except OSError as error:  # one of them fetches its images
        raise ValueError(f"gymnax's {name} cannot be made: {error}.") from error


def usual_axes(name: str, params: Any) -> Bounds:
    """The axes of an environment where none are asked for.

    Raises:
      ValueError: when there are none; it names those that there may be.
    """
    if name in AXES:
        return AXES[name]
    known = ", ".join(numbers_of(params))
    if not known:
        raise ValueError(f"gymnax's {name} has no numbers among its parameters to be a task.")
    raise ValueError(f"axes must be given for gymnax's {name}; its numbers are: {known}.")


def numbers_of(params: Any) -> list[str]:
    """The parameters that can be an axis."""
    names = [each.name for each in dataclasses.fields(params) if each.name != TIME_LIMIT]
    return [name for name in names if _is_single(getattr(params, name))]


def _is_single(value: Any) -> bool:
    is_number = np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iuf"
    return is_number and not isinstance(value, bool)


def is_whole(value: Any) -> bool:
    """Whether a parameter is an integer."""
    return isinstance(value, numbers.Integral) or np.asarray(value).dtype.kind in "iu"


def task_space(name: str, params: Any, axes: Bounds, log: Collection[str]) -> Box:
    """The box of the axes that a task chooses.

    Raises:
      ValueError: when one is no parameter that can be an axis, bounds are not two numbers, or `log`
        names something else.
    """
    check_bounds(axes)
    check_axes(name, axes, params)
    for axis, bounds in axes.items():
        if is_whole(getattr(params, axis)) and max(map(abs, bounds)) > LARGEST_INTEGER:
            raise ValueError(f"The bounds of axis {axis!r} must fit in int32, got {bounds!r}.")
    if isinstance(log, str) or not isinstance(log, Collection):
        raise ValueError(f"log must be a list of names of axes, got {log!r}.")
    unknown = [axis for axis in log if axis not in list(axes)]
    if unknown:
        raise ValueError(f"log must name axes, {', '.join(axes)}, got {unknown[0]!r}.")
    return Box(
        names=tuple(axes),
        low=[low for low, _ in axes.values()],
        high=[high for _, high in axes.values()],
        log=[axis in log for axis in axes],
    )


def check_axes(name: str, axes: Iterable[str], params: Any = None) -> None:
    """Check that each of `axes` is a parameter of an environment that can be an axis.

    Raises:
      ImportError: when gymnax is not installed.
      ValueError: naming the first that is none.
    """
    params = made(name)[1] if params is None else params
    for axis in axes:
        _check_axis(name, params, axis)


def _check_axis(name: str, params: Any, axis: str) -> None:
    known = ", ".join(numbers_of(params)) or "none"
    if axis == TIME_LIMIT:
        raise ValueError(f"{axis} of gymnax's {name} is the time limit, not an axis of tasks.")
    if axis not in [each.name for each in dataclasses.fields(params)]:
        raise ValueError(f"gymnax's {name} has no parameter {axis!r}; its numbers are: {known}.")
    if not _is_single(getattr(params, axis)):
        raise ValueError(
            f"{axis} of gymnax's {name} is not a single number, so it is no axis; its numbers are:"
            f" {known}."
        )
