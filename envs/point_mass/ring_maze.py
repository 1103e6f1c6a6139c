"""A point walks around a ring to a goal; only arriving is rewarded.

The ring is the square from -7 to 7 without the one from -5 to 5, and a step is 0.3 long at most.
Every step costs 1 until the goal is nearer than the tolerance. Most goals lie within walls: with a
small tolerance they cannot be reached. A wide tolerance anywhere is easy; the targets are all goals
with the smallest one, see `target_goal` and `feasible_goal`.

Differs from the paper: the task is observed in the unit cube.

Source: P. Klink et al., "Curriculum Reinforcement Learning via Constrained Optimal Transport", ICML
2022.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.envs.equations import Axis, Bounds, Constants, make_world
from jaxcurriculum.envs.point_mass.viewer import RingMazeViewer
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

OUTER, INNER = 7.0, 5.0  # m, half of the sides of the ring
AXES = {
    "goal_x": Axis(6.0, (-9.0, 9.0), "m", allowed=(-9.0, 9.0)),
    "goal_y": Axis(6.0, (-9.0, 9.0), "m", allowed=(-9.0, 9.0)),
    "tolerance": Axis(0.05, (0.05, 18.0), "m"),
}
TOLERANCE = AXES["tolerance"].value
MOST_STEP = 0.3  # m
TIME_LIMIT = 200  # steps


class RingMazeState(struct.PyTreeNode):
    """Where the point is."""

    place: jax.Array  # [2], m


def ring_maze(bounds: Bounds | None = None, observe_task: bool = True) -> Environment:
    """A ring whose goal and tolerance are the task.

    Action [2]: where to, within 1. Reward -1 a step, 0 for the one that arrives, which ends the
    episode; it is cut after 200 steps, and solved if the goal is reached. It begins anywhere in the
    lower left corner of the ring. Observation [5]: x, y, and the task in the unit cube.

    Args:
      bounds: (low, high) of the axes that a task chooses, by name; names alone, for the bounds that
        `AXES` has; or None, for all three.
      observe_task: whether the observation tells the task.

    Raises:
      ValueError: when there is no such axis, or bounds are not two numbers that it may be.

    >>> env = ring_maze()
    >>> env.task_space.names, env.action_space.dims
    (('goal_x', 'goal_y', 'tolerance'), 2)
    """
    return make_world(
        AXES,
        bounds,
        observe_task,
        name="ring-maze",
        action_space=Box(names=("x", "y"), low=(-1.0,) * 2, high=(1.0,) * 2),
        max_episode_steps=TIME_LIMIT,
        solved_above=-float(TIME_LIMIT),
        start=_start,
        advance=advance,
        observe=lambda state: state.place,
        viewer=RingMazeViewer,
        return_range=(-float(TIME_LIMIT), 0.0),
    )


def advance(key: Key, constants: Constants, state: RingMazeState, action: jax.Array):
    """The state a step later, the reward, and whether the goal is reached."""
    stride = MOST_STEP * action / jnp.maximum(jnp.linalg.norm(action), 1.0)
    place = _stopped_by_walls(state.place, state.place + stride)
    goal = jnp.array([constants["goal_x"], constants["goal_y"]])
    arrived = jnp.linalg.norm(place - goal) < constants["tolerance"]
    return RingMazeState(place), jnp.where(arrived, 0.0, -1.0), arrived


def _stopped_by_walls(before: jax.Array, after: jax.Array) -> jax.Array:
    after = jnp.clip(after, -OUTER, OUTER)
    within = jnp.all(jnp.abs(after) < INNER)
    stopped = jnp.where((before <= -INNER) & (after > -INNER), -INNER, after)
    stopped = jnp.where((before >= INNER) & (after < INNER), INNER, stopped)
    return jnp.where(within, stopped, after)


def target_goal(key: Key) -> jax.Array:
    """A target task: a goal anywhere, 0.05 m exactly, [3]; 70 % of them lie within walls.

    >>> target_goal(jax.random.key(0)).shape
    (3,)
    """
    low, high = AXES["goal_x"].bounds
    goal = jax.random.uniform(key, (2,), minval=low, maxval=high)
    return jnp.append(goal, TOLERANCE)


def feasible_goal(key: Key) -> jax.Array:
    """The same for goals in the ring, all of whose places are equally likely, [3].

    >>> feasible_goal(jax.random.key(0)).shape
    (3,)
    """
    key_place, key_turn = jax.random.split(key)
    low, high = jnp.array([-OUTER, -OUTER]), jnp.array([INNER, -INNER])
    x, y = jax.random.uniform(key_place, (2,), minval=low, maxval=high)  # in one of four equal arms
    turned = jnp.array([(x, y), (-y, x), (-x, -y), (y, -x)])
    return jnp.append(turned[jax.random.randint(key_turn, (), 0, 4)], TOLERANCE)


def _start(key: Key, constants: Constants) -> RingMazeState:
    return RingMazeState(jax.random.uniform(key, (2,), minval=-OUTER, maxval=-INNER))
