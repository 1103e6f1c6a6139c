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

import math
from collections.abc import Callable, Collection
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.envs.adapters.gymnax_params import (
    DERIVED,
    RETURNS,
    TIME_LIMIT,
    Bounds,
    as_published,
    is_whole,
    made,
    numbers_of,
    task_space,
    usual_axes,
)
from jaxcurriculum.envs.adapters.gymnax_viewer import ObservationViewer
from jaxcurriculum.envs.adapters.packages import (
    check_solved_above,
    like,
    with_promotion,
    with_task,
)
from jaxcurriculum.envs.adapters.unread import check_read
from jaxcurriculum.fields import check_flags
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box, Discrete, Space


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
    theirs, params = made(name)
    axes = usual_axes(name, params) if axes is None else axes
    space = task_space(name, params, axes, log)
    whole = np.array([is_whole(getattr(params, axis)) for axis in axes])
    derived = DERIVED.get(name, as_published) if derive is None else derive
    params_of = _params_of(params, space, whole, derived)
    _check_derived(params, derived, params_of, _ends(space)[0])
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
            axis: value.astype(jnp.int32) if rounded else value
            for axis, value, rounded in zip(space.names, level, whole)
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


def _check_derived(params: Any, derive: Any, params_of: Callable[[Any], Any], level: Any) -> None:
    """Check that `params_of`, which calls `derive`, makes parameters like `params` of a level."""
    kind = type(params).__name__
    rule = f"derive must be a function from {kind} to {kind}"
    if not callable(derive):
        raise ValueError(f"{rule}, got {derive!r}.")

    def trace(level: Any) -> None:
        made = params_of(level)
        if type(made) is not type(params):
            raise TypeError(f"got one to {type(made).__name__}")
        if wrong := [name for name in numbers_of(params) if jnp.shape(getattr(made, name))]:
            raise TypeError(f"{wrong[0]} is no single number")

    try:
        jax.eval_shape(trace, level)
    except TypeError as error:
        raise ValueError(f"{rule}: {str(error).splitlines()[0].rstrip('.')}.") from error


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
