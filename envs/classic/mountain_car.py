"""MountainCar: an engine too weak for the hill must build up speed in the valley.

The rule is that of `hill`, with a pull of -force, 0 or force. Every step costs 1 until the goal.

Source: A. Moore, "Efficient memory-based learning for robot control", 1990; constants as in
gymnasium's MountainCar-v0.
"""

from __future__ import annotations

import jax

from jaxcurriculum.envs.classic import hill
from jaxcurriculum.envs.classic.viewer import MountainCarViewer
from jaxcurriculum.envs.equations import Axis, Bounds, Constants, make_world
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Discrete

AXES = {
    "force": Axis(0.001, (0.0005, 0.002), log=True),
    "goal": Axis(0.5, (0.3, 0.55), meaning="where the goal is", allowed=hill.GOALS),
    **hill.AXES,
}
USUAL = ("force", "goal", "gravity")


def mountain_car(bounds: Bounds | None = USUAL, observe_task: bool = True) -> Environment:
    """MountainCar whose force, goal and gravity are the task, or any of its constants.

    Action: 0, 1 or 2, to the left, none, or to the right. Reward -1 a step; an episode is cut after
    200 steps, and solved if the goal is reached before. Observation [5]: position, velocity, and
    the task in the unit cube.

    Args:
      bounds: (low, high) of the axes that a task chooses, by name; names alone, for the bounds that
        `AXES` has; or None, for all constants. The others stay as published.
      observe_task: whether the observation tells the task.

    Raises:
      ValueError: when there is no such axis, or bounds are not two numbers that it may be.

    >>> env = mountain_car({"goal": (0.3, 0.55)})
    >>> env.task_space.names, env.action_space.num
    (('goal',), 3)
    """
    return make_world(
        AXES,
        bounds,
        observe_task,
        name="mountain-car",
        action_space=Discrete(num=3, name="pull"),
        max_episode_steps=200,
        solved_above=-200.0,
        start=hill.at_start,
        advance=_advance,
        observe=hill.observed,
        viewer=MountainCarViewer,
        return_range=(-200.0, 0.0),
    )


def _advance(key: Key, constants: Constants, state: hill.CarState, action: jax.Array):
    """The state a step later, the reward, and whether the goal is reached."""
    state, is_over = hill.rolled(constants, state, constants["force"] * (action - 1))
    return state, -1.0, is_over
