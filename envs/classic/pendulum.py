"""Pendulum: swing a pole up with a motor too weak to lift it, and hold it there.

    $theta'' = 3 g / (2 length) sin theta + 3 / (mass length^2) u$,  $u$ the torque
    reward: $-theta^2 - 0.1 theta'^2 - 0.001 u^2$ a step, of the state before it

with $theta$ from upright. The speed is clipped, and moves the angle as it is after the step.

Source: constants, time step and order as in gymnasium's Pendulum-v1.
"""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.classic.viewer import PendulumViewer
from jaxcurriculum.envs.equations import Axis, Bounds, Constants, make_world, task_space
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

AXES = {
    "gravity": Axis(10.0, (2.0, 15.0), "m/s2"),
    "mass": Axis(1.0, (0.2, 2.0), "kg", log=True),
    "length": Axis(1.0, (0.5, 2.0), "m", log=True),
    "max_torque": Axis(2.0, (0.5, 4.0), "N m", log=True),
    "max_speed": Axis(8.0, (4.0, 12.0), "rad/s"),
    "time_step": Axis(0.05, (0.02, 0.1), "s"),
    "start_angle": Axis(math.pi, (0.1, math.pi), "rad", "at most", allowed=(0, math.pi)),
    "start_speed": Axis(1.0, (0.0, 4.0), "rad/s", "at most", allowed=(0, 100)),
}
USUAL = ("gravity", "mass", "length", "max_torque")


class PendulumState(struct.PyTreeNode):
    """Where the pole is, and how it moves; both []."""

    angle: jax.Array  # rad from upright, of any number of turns
    rotation: jax.Array  # rad/s


def pendulum(bounds: Bounds | None = USUAL, observe_task: bool = True) -> Environment:
    """Pendulum whose gravity, mass, length and torque are the task, or any of its constants.

    Action [1]: the torque, N m, clipped to what the task allows. An episode is cut after 200 steps;
    it is solved when its return is above -400, which takes swinging up and staying there.
    Observation [7]: cosine and sine of the angle, rotation, and the task in the unit cube.

    Args:
      bounds: (low, high) of the axes that a task chooses, by name; names alone, for the bounds that
        `AXES` has; or None, for all constants. The others stay as published.
      observe_task: whether the observation tells the task.

    Raises:
      ValueError: when there is no such axis, or bounds are not two numbers that it may be.

    >>> env = pendulum({"mass": (0.5, 2.0), "length": (0.5, 2.0)})
    >>> env.task_space.names, env.action_space.high
    (('mass', 'length'), (2.0,))
    """
    space = task_space(AXES, bounds)
    torque = dict(zip(space.names, space.high)).get("max_torque", AXES["max_torque"].value)
    return make_world(
        AXES,
        bounds,
        observe_task,
        name="pendulum",
        action_space=Box(names=("torque",), low=(-torque,), high=(torque,), units=("N m",)),
        max_episode_steps=200,
        solved_above=-400.0,
        start=_start,
        advance=_advance,
        observe=_observe,
        viewer=PendulumViewer,
        return_range=(-2000.0, 0.0),
    )


def _start(key: Key, constants: Constants) -> PendulumState:
    angle, rotation = jax.random.uniform(key, (2,), minval=-1.0)
    return PendulumState(constants["start_angle"] * angle, constants["start_speed"] * rotation)


def _observe(state: PendulumState) -> jax.Array:
    return jnp.stack([jnp.cos(state.angle), jnp.sin(state.angle), state.rotation])


def _advance(key: Key, constants: Constants, state: PendulumState, action: jax.Array):
    """The state a step later, the reward, and that it is never over."""
    torque = jnp.clip(action[0], -constants["max_torque"], constants["max_torque"])
    from_upright = (state.angle + jnp.pi) % (2 * jnp.pi) - jnp.pi
    cost = from_upright**2 + 0.1 * state.rotation**2 + 0.001 * torque**2
    length, time_step = constants["length"], constants["time_step"]
    falling = 3 * constants["gravity"] / (2 * length) * jnp.sin(state.angle)
    driven = 3 / (constants["mass"] * length**2) * torque
    rotation = state.rotation + time_step * (falling + driven)
    rotation = jnp.clip(rotation, -constants["max_speed"], constants["max_speed"])
    return PendulumState(state.angle + time_step * rotation, rotation), -cost, False
