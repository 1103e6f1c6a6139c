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

import functools
import math

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.classic.viewer import CartPoleViewer
from jaxcurriculum.envs.equations import Axis, Bounds, Constants, make_world
from jaxcurriculum.fields import check_flags
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Discrete

SOLVED_ABOVE = 475.0
AXES = {
    "gravity": Axis(9.8, (5.0, 20.0), "m/s2"),
    "mass_cart": Axis(1.0, (0.1, 10.0), "kg", log=True),
    "mass_pole": Axis(0.1, (0.01, 1.0), "kg", log=True),
    "length": Axis(0.5, (0.1, 3.0), "m", "half of the pole's", log=True),
    "force": Axis(10.0, (2.0, 20.0), "N"),
    "time_step": Axis(0.02, (0.01, 0.04), "s"),
    "max_position": Axis(2.4, (0.5, 5.0), "m", "from where the cart has run off"),
    "max_angle": Axis(math.radians(12), (0.1, 0.8), "rad", "from where the pole has fallen"),
    "start": Axis(
        0.05, (0.0, 0.1), meaning="m, m/s, rad and rad/s at the start, at most", allowed=(0, 1)
    ),
}
USUAL = ("gravity", "mass_cart", "mass_pole", "length", "force")


class CartPoleState(struct.PyTreeNode):
    """Where cart and pole are, and how they move; all []."""

    x: jax.Array  # m
    velocity: jax.Array  # m/s
    angle: jax.Array  # rad from upright
    rotation: jax.Array  # rad/s


def cart_pole(
    bounds: Bounds | None = USUAL, observe_task: bool = True, as_published: bool = False
) -> Environment:
    """CartPole whose gravity, masses, half-length and force are the task, or any of its constants.

    Reward 1 a step; the episode ends when the cart runs off or the pole falls, and is cut after 500
    steps. Observation [9]: position, velocity, angle, rotation, and the task in the unit cube.

    Args:
      bounds: (low, high) of the axes that a task chooses, by name; names alone, for the bounds that
        `AXES` has; or None, for all constants. The others stay as published.
      observe_task: whether the observation tells the task.
      as_published: keep the whole mass and the pole's moment of the published constants, as
        gymnasium caches them: then `mass_cart` changes nothing, `mass_pole` and `length` only part
        of what they should. It reproduces results on CARL and MBTL, which did not know.

    Raises:
      ValueError: when there is no such axis, or bounds are not two numbers that it may be.

    >>> env = cart_pole({"length": (0.1, 3.0)})
    >>> env.task_space.names, env.action_space.num
    (('length',), 2)
    """
    check_flags(as_published=as_published)
    return make_world(
        AXES,
        bounds,
        observe_task,
        name="cart-pole",
        action_space=Discrete(num=2, name="push"),
        max_episode_steps=500,
        solved_above=SOLVED_ABOVE,
        start=_start,
        advance=functools.partial(_advance, as_published),
        observe=_observe,
        viewer=CartPoleViewer,
        return_range=(0.0, 500.0),
    )


def _start(key: Key, constants: Constants) -> CartPoleState:
    start = constants["start"]
    return CartPoleState(*jax.random.uniform(key, (4,), minval=-start, maxval=start))


def _observe(state: CartPoleState) -> jax.Array:
    return jnp.stack([state.x, state.velocity, state.angle, state.rotation])


def _advance(
    as_published: bool, key: Key, constants: Constants, state: CartPoleState, action: jax.Array
):
    """The state a step later (explicit Euler, as in gymnasium), the reward, whether it is over."""
    length, mass_pole = constants["length"], constants["mass_pole"]
    mass, moment = constants["mass_cart"] + mass_pole, mass_pole * length
    if as_published:
        mass = AXES["mass_cart"].value + AXES["mass_pole"].value
        moment = AXES["mass_pole"].value * AXES["length"].value
    push = jnp.where(action == 1, constants["force"], -constants["force"])
    sin = jnp.sin(state.angle)
    cos = jnp.cos(state.angle)
    pull = (push + moment * state.rotation**2 * sin) / mass
    leverage = length * (4.0 / 3.0 - mass_pole * cos**2 / mass)
    turning = (constants["gravity"] * sin - cos * pull) / leverage
    speeding = pull - moment * turning * cos / mass
    time_step = constants["time_step"]
    state = CartPoleState(
        x=state.x + time_step * state.velocity,
        velocity=state.velocity + time_step * speeding,
        angle=state.angle + time_step * state.rotation,
        rotation=state.rotation + time_step * turning,
    )
    has_run_off = jnp.abs(state.x) > constants["max_position"]
    has_fallen = jnp.abs(state.angle) > constants["max_angle"]
    return state, 1.0, has_run_off | has_fallen
