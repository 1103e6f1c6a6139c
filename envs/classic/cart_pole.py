"""CartPole: keep a pole upright on a cart that is pushed to the left or to the right.

    $theta'' = (g sin theta - cos theta (F + l theta'^2 sin theta) / m) / L$
    $L = length (4/3 - mass_pole cos^2 theta / m)$
    $l = mass_pole length / m$
    $x'' = (F + mass_pole length (theta'^2 sin theta - theta'' cos theta)) / m$

with $m$ the whole mass and $F$ the push. The derived constants are derived at every step, so that
every axis of the task changes what happens.

Source: A. Barto, R. Sutton, C. Anderson, "Neuronlike adaptive elements that can solve difficult
learning control problems", 1983; constants and time step as in gymnasium's CartPole-v1.
"""

from __future__ import annotations

import math
from collections.abc import Mapping

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.classic.viewer import CartPoleViewer
from jaxcurriculum.fields import are_numbers
from jaxcurriculum.records import Key, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box, Discrete

TIME_STEP = 0.02  # s
MOST_X = 2.4  # m, from where the cart has run off
MOST_ANGLE = math.radians(12)  # rad, from where the pole has fallen
START = 0.05  # of position, angle and both velocities at the start, at most
SOLVED_ABOVE = 475.0
# (published value, bounds, unit, whether equal ratios are equal distances)
AXES: dict[str, tuple[float, tuple[float, float], str, bool]] = {
    "gravity": (9.8, (5.0, 20.0), "m/s2", False),
    "mass_cart": (1.0, (0.1, 10.0), "kg", True),
    "mass_pole": (0.1, (0.01, 1.0), "kg", True),
    "length": (0.5, (0.1, 3.0), "m", True),
    "force": (10.0, (2.0, 20.0), "N", False),
}
Bounds = Mapping[str, tuple[float, float]]


class CartPoleState(struct.PyTreeNode):
    """Where cart and pole are, and how they move; all []."""

    x: jax.Array  # m
    velocity: jax.Array  # m/s
    angle: jax.Array  # rad from upright
    rotation: jax.Array  # rad/s


def cart_pole(bounds: Bounds | None = None) -> Environment:
    """CartPole whose gravity, masses, half-length and force are the task.

    Reward 1 a step; the episode ends when the cart runs off or the pole falls, and is cut after 500
    steps. Observation [9]: position, velocity, angle, rotation, and the task in the unit cube.

    Args:
      bounds: (low, high) of the axes that a task chooses, by name, by default all of them (see
          `AXES`); the others stay as published.

    Raises:
      ValueError: when there is no such axis, or bounds are not two positive numbers.

    >>> env = cart_pole({"length": (0.1, 3.0)})
    >>> env.task_space.names, env.action_space.num
    (('length',), 2)
    """
    if bounds is None:
        bounds = {name: axis[1] for name, axis in AXES.items()}
    space = _task_space(bounds)

    def generate(key: Key, task: jax.Array) -> jax.Array:
        return space.clip(task)

    def observe(level: jax.Array, state: CartPoleState) -> jax.Array:
        motion = jnp.stack([state.x, state.velocity, state.angle, state.rotation])
        return jnp.concatenate([motion, space.to_unit(level)])

    def reset(key: Key, level: jax.Array) -> tuple[CartPoleState, TimeStep]:
        numbers = jax.random.uniform(key, (4,), minval=-START, maxval=START)
        state = CartPoleState(*numbers)
        no = jnp.bool_(False)
        return state, TimeStep(observe(level, state), jnp.float32(0), no, no)

    def step(key: Key, level: jax.Array, state: CartPoleState, action: jax.Array):
        constants = dict(zip(space.names, level))
        state = advance(constants, state, action)
        has_run_off = jnp.abs(state.x) > MOST_X
        has_fallen = jnp.abs(state.angle) > MOST_ANGLE
        over, no = has_run_off | has_fallen, jnp.bool_(False)
        return state, TimeStep(observe(level, state), jnp.float32(1), over, no)

    return Environment(
        name="cart-pole",
        task_space=space,
        action_space=Discrete(num=2, name="push"),
        max_episode_steps=500,
        solved_above=SOLVED_ABOVE,
        generate=generate,
        reset=reset,
        step=step,
        viewer=CartPoleViewer(space.names),
        return_range=(0.0, 500.0),
    )


def advance(
    constants: Mapping[str, jax.Array], state: CartPoleState, action: jax.Array
) -> CartPoleState:
    """The state a time step later (explicit Euler, as in gymnasium).

    Args:
      constants: by name; those that are not given are as published.
      action: [] int32, 0 pushes to the left and 1 to the right.
    """
    known = {name: constants.get(name, axis[0]) for name, axis in AXES.items()}
    force, length, mass_pole = known["force"], known["length"], known["mass_pole"]
    push = jnp.where(action == 1, force, -force)
    mass = known["mass_cart"] + mass_pole
    moment = mass_pole * length
    sin = jnp.sin(state.angle)
    cos = jnp.cos(state.angle)
    pull = (push + moment * state.rotation**2 * sin) / mass
    leverage = length * (4.0 / 3.0 - mass_pole * cos**2 / mass)
    turning = (known["gravity"] * sin - cos * pull) / leverage
    speeding = pull - moment * turning * cos / mass
    return CartPoleState(
        x=state.x + TIME_STEP * state.velocity,
        velocity=state.velocity + TIME_STEP * speeding,
        angle=state.angle + TIME_STEP * state.rotation,
        rotation=state.rotation + TIME_STEP * turning,
    )


def _task_space(bounds: Bounds) -> Box:
    for name, bound in bounds.items():
        if name not in AXES:
            raise ValueError(f"bounds must be of {', '.join(AXES)}, got {name!r}.")
        is_pair = are_numbers(bound, 1e-6) and len(bound) == 2
        if not is_pair or bound[0] > bound[1]:
            raise ValueError(f"bounds of {name} must be two positive numbers, got {bound!r}.")
    if not bounds:
        raise ValueError(f"bounds must name at least one of {', '.join(AXES)}, got none.")
    names = list(bounds)
    return Box(
        names=names,
        low=[bounds[name][0] for name in names],
        high=[bounds[name][1] for name in names],
        units=[AXES[name][2] for name in names],
        log=[AXES[name][3] for name in names],
    )
