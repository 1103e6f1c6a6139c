"""Acrobot: swing a chain of two links up by the torque at the joint between them.

    $d_1 = m_1 c_1^2 + m_2 (l_1^2 + c_2^2 + 2 l_1 c_2 cos theta_2) + 2 I$
    $d_2 = m_2 (c_2^2 + l_1 c_2 cos theta_2) + I$
    $phi_2 = m_2 c_2 g sin(theta_1 + theta_2)$
    $w = (m_1 c_1 + m_2 l_1) g sin theta_1 + phi_2$
    $phi_1 = w - m_2 l_1 c_2 theta_2' (theta_2' + 2 theta_1') sin theta_2$
    $f = m_2 l_1 c_2 theta_1'^2 sin theta_2$
    $theta_2'' = (u + phi_1 d_2 / d_1 - f - phi_2) / (m_2 c_2^2 + I - d_2^2 / d_1)$
    $theta_1'' = -(d_2 theta_2'' + phi_1) / d_1$

with $theta_1$ from hanging, $theta_2$ from straight, $c$ where the masses are, $u$ the torque. An
episode is over as soon as the tip is higher above the pivot than the first link is long.

Source: R. Sutton, "Generalization in reinforcement learning", 1996; constants, time step and
integrator (Runge-Kutta of order 4) as in gymnasium's Acrobot-v1, with the book's equations.
"""

from __future__ import annotations

import functools
import math

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.classic.viewer import AcrobotViewer
from jaxcurriculum.envs.equations import Axis, Bounds, Constants, make_world
from jaxcurriculum.fields import check_flags
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Discrete

CENTRE = "of the link's length, where its mass is"
AXES = {
    "length_1": Axis(1.0, (0.5, 2.0), "m", log=True),
    "length_2": Axis(1.0, (0.5, 2.0), "m", log=True),
    "mass_1": Axis(1.0, (0.5, 2.0), "kg", log=True),
    "mass_2": Axis(1.0, (0.5, 2.0), "kg", log=True),
    "centre_1": Axis(0.5, (0.25, 0.75), meaning=CENTRE, allowed=(0, 1)),
    "centre_2": Axis(0.5, (0.25, 0.75), meaning=CENTRE, allowed=(0, 1)),
    "inertia": Axis(1.0, (0.5, 2.0), "kg m2", "of each link", log=True),
    "gravity": Axis(9.8, (5.0, 15.0), "m/s2"),
    "torque": Axis(1.0, (0.5, 2.0), "N m", log=True),
    "torque_noise": Axis(0.0, (0.0, 1.0), "N m", "at most", allowed=(0, 100)),
    "max_speed_1": Axis(4 * math.pi, (1.0, 4 * math.pi), "rad/s"),
    "max_speed_2": Axis(9 * math.pi, (2.0, 9 * math.pi), "rad/s"),
    "height": Axis(
        1.0, (0.0, 1.2), meaning="to reach, of the first link's length", allowed=(-2, 2)
    ),
    "time_step": Axis(0.2, (0.05, 0.2), "s"),
    "start": Axis(
        0.1, (0.0, 0.5), meaning="rad and rad/s at the start, at most", allowed=(0, math.pi)
    ),
}
USUAL = ("length_1", "length_2", "mass_1", "mass_2")


class AcrobotState(struct.PyTreeNode):
    """How both links lie, and how they move; each [2]."""

    angles: jax.Array  # rad: of the first from hanging, of the second from straight
    rotations: jax.Array  # rad/s


def acrobot(
    bounds: Bounds | None = USUAL, observe_task: bool = True, as_published: bool = False
) -> Environment:
    """Acrobot whose lengths and masses are the task, or any of its constants.

    Action: 0, 1 or 2, a torque to one side, none, or to the other. Reward -1 a step, and 0 for the
    one that reaches the height; an episode is cut after 500 steps, and solved if it is reached.
    Observation [10]: cosine and sine of both angles, both rotations, and the task in the unit cube.

    Args:
      bounds: (low, high) of the axes that a task chooses, by name; names alone, for the bounds that
        `AXES` has; or None, for all constants. The others stay as published.
      observe_task: whether the observation tells the task.
      as_published: centres of mass and the height to reach are of links 1 m long, however long they
        are, as in gymnasium: then `length_2` changes nothing, and `length_1` only part of what it
        should.

    Raises:
      ValueError: when there is no such axis, or bounds are not two numbers that it may be.

    >>> env = acrobot({"mass_1": (0.5, 2.0)})
    >>> env.task_space.names, env.action_space.num
    (('mass_1',), 3)
    """
    check_flags(as_published=as_published)
    return make_world(
        AXES,
        bounds,
        observe_task,
        name="acrobot",
        action_space=Discrete(num=3, name="torque"),
        max_episode_steps=500,
        solved_above=-500.0,
        start=_start,
        advance=functools.partial(_advance, as_published),
        observe=_observe,
        viewer=AcrobotViewer,
        return_range=(-500.0, 0.0),
    )


def _start(key: Key, constants: Constants) -> AcrobotState:
    start = constants["start"]
    return AcrobotState(*jax.random.uniform(key, (2, 2), minval=-start, maxval=start))


def _observe(state: AcrobotState) -> jax.Array:
    cos, sin = jnp.cos(state.angles), jnp.sin(state.angles)
    return jnp.concatenate([jnp.stack([cos, sin], axis=1).reshape(4), state.rotations])


def _advance(
    as_published: bool, key: Key, constants: Constants, state: AcrobotState, action: jax.Array
):
    """The state a step later, the reward, and whether the height is reached."""
    noise = constants["torque_noise"] * jax.random.uniform(key, minval=-1.0)
    torque = constants["torque"] * (action - 1) + noise
    lengths = jnp.array([constants["length_1"], constants["length_2"]])
    assumed = jnp.ones(2) if as_published else lengths
    centres = assumed * jnp.array([constants["centre_1"], constants["centre_2"]])
    state = _integrated(functools.partial(_change, constants, centres, torque), constants, state)
    turned = (state.angles + jnp.pi) % (2 * jnp.pi) - jnp.pi
    fastest = jnp.array([constants["max_speed_1"], constants["max_speed_2"]])
    state = AcrobotState(turned, jnp.clip(state.rotations, -fastest, fastest))
    tip = -jnp.sum(assumed * jnp.cos(jnp.cumsum(state.angles)))
    reached = tip > constants["height"] * assumed[0]
    return state, jnp.where(reached, 0.0, -1.0), reached


def _integrated(change, constants: Constants, state: AcrobotState) -> AcrobotState:
    """`state` a time step later, by the classic rule of Runge and Kutta."""
    time_step = constants["time_step"]

    def after(time, slope: AcrobotState) -> AcrobotState:
        return jax.tree.map(lambda value, rate: value + time * rate, state, slope)

    first = change(state)
    second = change(after(time_step / 2, first))
    third = change(after(time_step / 2, second))
    fourth = change(after(time_step, third))
    slope = jax.tree.map(
        lambda a, b, c, d: (a + 2 * b + 2 * c + d) / 6, first, second, third, fourth
    )
    return after(time_step, slope)


def _change(constants: Constants, centres: jax.Array, torque, state: AcrobotState) -> AcrobotState:
    """The derivatives of the state."""
    mass_1, mass_2 = constants["mass_1"], constants["mass_2"]
    length, (centre_1, centre_2) = constants["length_1"], centres
    inertia, gravity = constants["inertia"], constants["gravity"]
    angle_1, angle_2 = state.angles
    rate_1, rate_2 = state.rotations
    sin, cos = jnp.sin(angle_2), jnp.cos(angle_2)
    coupling = mass_2 * length * centre_2
    own = mass_2 * centre_2**2 + inertia
    d_1 = mass_1 * centre_1**2 + inertia + mass_2 * length**2 + own + 2 * coupling * cos
    d_2 = own + coupling * cos
    phi_2 = mass_2 * centre_2 * gravity * jnp.sin(angle_1 + angle_2)
    weight = (mass_1 * centre_1 + mass_2 * length) * gravity * jnp.sin(angle_1)
    phi_1 = weight + phi_2 - coupling * rate_2 * (rate_2 + 2 * rate_1) * sin
    pull = torque + phi_1 * d_2 / d_1 - coupling * rate_1**2 * sin - phi_2
    turning_2 = pull / (own - d_2**2 / d_1)
    turning_1 = -(d_2 * turning_2 + phi_1) / d_1
    return AcrobotState(state.rotations, jnp.stack([turning_1, turning_2]))
