"""Continuous MountainCar: the same valley, and an engine that can be driven by degrees.

The rule is that of `hill`, with a pull of $power a$, $a$ the action within 1. Reward $-0.1 a^2$ a
step, and 100 at the goal: standing still costs nothing, which is the trap.

Source: A. Moore, "Efficient memory-based learning for robot control", 1990; constants as in
gymnasium's MountainCarContinuous-v0.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.envs.classic import hill
from jaxcurriculum.envs.classic.viewer import MountainCarViewer
from jaxcurriculum.envs.equations import Axis, Bounds, Constants, make_world
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

AXES = {
    "power": Axis(0.0015, (0.0008, 0.003), log=True),
    "goal": Axis(0.45, (0.3, 0.55), meaning="where the goal is", allowed=hill.GOALS),
    **hill.AXES,
}
USUAL = ("power", "goal", "gravity")


def continuous_mountain_car(
    bounds: Bounds | None = USUAL, observe_task: bool = True
) -> Environment:
    """Continuous MountainCar whose power, goal and gravity are the task, or any of its constants.

    Action [1]: how much to pull, and where to. An episode is cut after 999 steps; it is solved when
    its return is above 90. Observation [5]: position, velocity, and the task in the unit cube.

    Args:
      bounds: (low, high) of the axes that a task chooses, by name; names alone, for the bounds that
        `AXES` has; or None, for all constants. The others stay as published.
      observe_task: whether the observation tells the task.

    Raises:
      ValueError: when there is no such axis, or bounds are not two numbers that it may be.

    >>> env = continuous_mountain_car({"goal": (0.3, 0.55)})
    >>> env.task_space.names, env.action_space.dims
    (('goal',), 1)
    """
    return make_world(
        AXES,
        bounds,
        observe_task,
        name="continuous-mountain-car",
        action_space=Box(names=("pull",), low=(-1.0,), high=(1.0,)),
        max_episode_steps=999,
        solved_above=90.0,
        start=hill.at_start,
        advance=_advance,
        observe=hill.observed,
        viewer=MountainCarViewer,
        return_range=(-100.0, 100.0),
    )


def _advance(key: Key, constants: Constants, state: hill.CarState, action: jax.Array):
    """The state a step later, the reward, and whether the goal is reached."""
    pull = constants["power"] * jnp.clip(action[0], -1.0, 1.0)
    state, is_over = hill.rolled(constants, state, pull)
    return state, jnp.where(is_over, 100.0, 0.0) - 0.1 * action[0] ** 2, is_over
