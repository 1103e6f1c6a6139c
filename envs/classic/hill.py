"""The valley of both mountain cars.

$v <- v + pull - gravity cos(3 x)$, within the greatest speed
$x <- x + v$, within the road; at its left end the car stops
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.equations import Axis, Constants
from jaxcurriculum.records import Key

ROAD_ENDS = 0.6  # on the right, behind every goal
GOALS = (-0.5, ROAD_ENDS)
AXES = {  # lengths without a unit, a time step is 1
    "gravity": Axis(0.0025, (0.0015, 0.0035)),
    "goal_velocity": Axis(0.0, (0.0, 0.03), meaning="at the goal, at least", allowed=(0, 1)),
    "max_speed": Axis(0.07, (0.04, 0.07)),
    "min_position": Axis(-1.2, (-1.2, -0.8), meaning="where the road begins", allowed=(-1.5, -0.5)),
    "start": Axis(-0.5, (-0.7, -0.3), meaning="where it starts, on average", allowed=(-1.5, 0.5)),
    "start_range": Axis(0.1, (0.0, 0.2), meaning="how far from there, at most", allowed=(0, 1)),
}


class CarState(struct.PyTreeNode):
    """Where the car is, and how it moves; both []."""

    position: jax.Array
    velocity: jax.Array


def at_start(key: Key, constants: Constants) -> CarState:
    """At rest near the bottom."""
    aside = constants["start_range"] * jax.random.uniform(key, minval=-1.0)
    position = jnp.maximum(constants["start"] + aside, constants["min_position"])
    return CarState(position, jnp.float32(0))


def rolled(constants: Constants, state: CarState, pull: jax.Array) -> tuple[CarState, jax.Array]:
    """The state a step later, and whether the car is at the goal."""
    fastest = constants["max_speed"]
    velocity = state.velocity + pull - constants["gravity"] * jnp.cos(3 * state.position)
    velocity = jnp.clip(velocity, -fastest, fastest)
    position = jnp.clip(state.position + velocity, constants["min_position"], ROAD_ENDS)
    is_stopped = (position == constants["min_position"]) & (velocity < 0)
    velocity = jnp.where(is_stopped, 0.0, velocity)
    is_fast = velocity >= constants["goal_velocity"]
    return CarState(position, velocity), (position >= constants["goal"]) & is_fast


def observed(state: CarState) -> jax.Array:
    return jnp.stack([state.position, state.velocity])
