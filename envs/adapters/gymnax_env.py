"""Any environment of gymnax, whose parameters are the task.

An axis of the task is a number of the environment's `EnvParams`, by its name there and in its unit.
Whole numbers are axes too: a task's is rounded to the nearest one. gymnax's own reset at the end of
an episode is left out: the rollout starts the next episode, on its own task.

CartPole of gymnax keeps the sum and the product of its masses and length as parameters of their
own, so that changing `masscart` alone changes nothing. Here they are derived anew from every task;
`derive=as_published` leaves them as they are.

Source: R. T. Lange, "gymnax: A JAX-based Reinforcement Learning Environment Library", 2022,
https://github.com/RobertTLange/gymnax.
"""

from __future__ import annotations

import dataclasses
import math
import numbers
from collections.abc import Callable, Collection, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.adapters.gymnax_viewer import ObservationViewer
from jaxcurriculum.envs.adapters.packages import (
    check_bounds,
    check_solved_above,
    imported,
    like,
    with_promotion,
    with_task,
)
from jaxcurriculum.envs.adapters.unread import check_read
from jaxcurriculum.fields import check_flags
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box, Discrete, Space

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


def gymnax(
    name: str = "CartPole-v1",
    axes: Bounds | None = None,
    *,
    log: Collection[str] = (),
    derive: Callable[[Any], Any] | None = None,
    observe_task: bool = True,
    solved_above: float | None = None,
) -> Environment:
    """The environment `name` of gymnax, whose parameters `axes` are the task.

    An episode is cut after the environment's own `max_steps_in_episode`.

    Args:
      axes: (low, high) of parameters by name; they may be left away for the five environments of
        classic control, whose usual ones stand in `AXES`.
      log: axes on which equal ratios are equal distances.
      derive: what makes the derived parameters from the others (EnvParams -> EnvParams); by default
        that of `DERIVED`, else there are none.
      observe_task: the task, in the unit cube, is part of the observation.
      solved_above: the return from which on an episode is solved, by default that of
        `RETURNS`, else none is.

    Raises:
      ImportError: when gymnax is not installed.
      ValueError: when there is no such environment, when a parameter is unknown, no single number,
        the time limit, derived from others or read by nothing (`as_published` may leave it so),
        when `derive` makes no parameters, and when bounds or actions do not fit.

    >>> env = gymnax("Pendulum-v1", {"m": (0.2, 2.0)}, observe_task=False)
    >>> env.task_space.names, env.action_space.low, env.max_episode_steps
    (('m',), (-2.0,), 200)
    """
    check_flags(observe_task=observe_task)
    check_solved_above(solved_above)
    theirs, params = _made(name)
    axes = _default_axes(name, params) if axes is None else axes
    space = _task_space(name, params, axes, log)
    whole = np.array([_is_whole(getattr(params, axis)) for axis in axes])
    derived = DERIVED.get(name, as_published) if derive is None else derive
    params_of = _params_of(params, space, whole, derived)
    _check_derive(derive, params)
    actions = _action_space(name, theirs, [params_of(end) for end in _ends(space)])
    start, advance = _functions(theirs, params_of)
    if derive is not as_published:
        check_read(f"gymnax's {name}", space, actions, start, advance)
    key = jax.eval_shape(lambda: jax.random.key(0))
    state_like, obs_like = jax.eval_shape(start, key, _ends(space)[0])

    def generate(key: Key, task: jax.Array) -> jax.Array:
        level = space.clip(task)
        return jnp.where(whole, jnp.round(level), level)

    def seen(level: jax.Array, obs: PyTree, reward: Any, terminated: Any) -> TimeStep:
        obs = like(obs_like, obs)
        return TimeStep(
            obs=with_task(obs, space, level) if observe_task else obs,
            reward=jnp.asarray(reward, jnp.float32).reshape(()),
            terminated=jnp.asarray(terminated, bool),
            truncated=jnp.bool_(False),
        )

    def reset(key: Key, level: jax.Array) -> tuple[PyTree, TimeStep]:
        state, obs = start(key, level)
        return like(state_like, state), seen(level, obs, 0.0, False)

    def step(key: Key, level: jax.Array, state: PyTree, action: jax.Array):
        state, timestep = advance(key, level, state, action)
        return like(state_like, state), seen(level, *timestep)

    most, return_range = RETURNS.get(name, (math.inf, None))
    return Environment(
        name=f"gymnax-{name}",
        task_space=space,
        action_space=actions,
        max_episode_steps=int(getattr(params, TIME_LIMIT)),
        solved_above=most if solved_above is None else solved_above,
        generate=generate,
        reset=reset,
        step=step,
        return_range=return_range,
        viewer=ObservationViewer(),
    )


def _params_of(
    params: Any, space: Box, whole: np.ndarray, derive: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """What makes the parameters of a level; `whole` [dims] marks integers."""

    def params_of(level: Any) -> Any:
        values = {
            axis: value.astype(jnp.int32) if is_whole else value
            for axis, value, is_whole in zip(space.names, level, whole)
        }
        return derive(params.replace(**values))

    return params_of


def _functions(theirs: Any, params_of: Callable[[Any], Any]) -> tuple[Callable, Callable]:
    """gymnax's reset, (key, level) -> (state, obs), and step, (key, level, state, action) ->
    (state, (obs, reward, terminated)).
    """

    def start(key: Key, level: Any) -> tuple[PyTree, PyTree]:
        obs, state = theirs.reset_env(key, params_of(level))
        return state, obs

    def advance(key: Key, level: Any, state: PyTree, action: jax.Array) -> tuple[PyTree, tuple]:
        obs, state, reward, terminated, _ = theirs.step_env(key, state, action, params_of(level))
        return state, (obs, reward, terminated)

    return with_promotion(start), with_promotion(advance)


def _made(name: str) -> tuple[Any, Any]:
    """gymnax's environment and its parameters."""
    package = imported("gymnax", "gymnax")
    if name not in package.registered_envs:
        known = ", ".join(package.registered_envs)
        raise ValueError(f"gymnax has no environment {name!r}; it has {known}.")
    return package.make(name)


def _default_axes(name: str, params: Any) -> Bounds:
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


def _is_whole(value: Any) -> bool:
    return isinstance(value, numbers.Integral) or np.asarray(value).dtype.kind in "iu"


def _task_space(name: str, params: Any, axes: Bounds, log: Collection[str]) -> Box:
    check_bounds(axes)
    for axis in axes:
        _check_axis(name, params, axis)
    if not set(log) <= set(axes):
        raise ValueError(f"log must name axes, {', '.join(axes)}, got {', '.join(log)}.")
    return Box(
        names=tuple(axes),
        low=[low for low, _ in axes.values()],
        high=[high for _, high in axes.values()],
        log=[axis in log for axis in axes],
    )


def _check_axis(name: str, params: Any, axis: str) -> None:
    known = ", ".join(numbers_of(params)) or "none"
    if axis == TIME_LIMIT:
        raise ValueError(f"{axis} of gymnax's {name} is the time limit, not an axis of tasks.")
    if not hasattr(params, axis):
        raise ValueError(f"gymnax's {name} has no parameter {axis!r}; its numbers are: {known}.")
    if not _is_single(getattr(params, axis)):
        raise ValueError(
            f"{axis} of gymnax's {name} is not a single number, so it is no axis; its numbers are:"
            f" {known}."
        )


def _check_derive(derive: Any, params: Any) -> None:
    made = derive(params) if callable(derive) else derive
    if derive is not None and type(made) is not type(params):
        kind = type(params).__name__
        raise ValueError(f"derive must be a function from {kind} to {kind}, got {derive!r}.")


def _ends(space: Box) -> list[jax.Array]:
    return [jnp.array(bounds) for bounds in (space.low, space.high)]


def _action_space(name: str, theirs: Any, params: list[Any]) -> Space:
    """Our space of the same actions; bounds that depend on the task are as wide as they get."""
    spaces = [theirs.action_space(each) for each in params]
    if hasattr(spaces[0], "n"):
        return Discrete(num=int(spaces[0].n), name="action")
    shape = spaces[0].shape
    if len(shape) != 1:
        raise ValueError(f"gymnax's {name} has actions of shape {shape}, not a choice or a vector.")
    low = np.min([np.broadcast_to(each.low, shape) for each in spaces], axis=0)
    high = np.max([np.broadcast_to(each.high, shape) for each in spaces], axis=0)
    names = [f"action_{index}" for index in range(shape[0])]
    return Box(names=names, low=low.tolist(), high=high.tolist())
