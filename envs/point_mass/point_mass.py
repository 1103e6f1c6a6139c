"""A point mass flies through a gate in a wall to a goal behind it.

    $x'' = 1.5 a - friction x' + noise$,  noise ~ N(0, 0.05), a the action, of both coordinates
    reward: $exp(-0.6 distance)$ from the goal, a step

It starts at (0, 3) at rest, the goal is at (0, -3), and the wall is $y = 0$; whoever meets it
beside the gate has crashed, and the episode is over. A wide gate anywhere is easy; the targets are
the two narrow ones of `target_gate`, far to the left and to the right.

Differs from the paper: the task is observed in the unit cube.

Source: P. Klink et al., "Self-Paced Deep Reinforcement Learning", NeurIPS 2020; the targets are of
P. Klink et al., "Curriculum Reinforcement Learning via Constrained Optimal Transport", ICML 2022.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.equations import Axis, Bounds, Constants, make_world, task_space
from jaxcurriculum.envs.point_mass.viewer import PointMassViewer
from jaxcurriculum.records import Key
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Box

AXES = {
    "gate_position": Axis(0.0, (-4.0, 4.0), "m", allowed=(-4.0, 4.0)),
    "gate_width": Axis(2.0, (0.5, 8.0), "m"),
    "friction": Axis(0.0, (0.0, 4.0), "1/s", allowed=(0.0, 100.0)),  # 1 / TIME_STEP, at most
}
USUAL = ("gate_position", "gate_width")
START, GOAL = np.array([0.0, 3.0], np.float32), np.array([0.0, -3.0], np.float32)  # m
BORDER = 4.0  # m, from the middle to every side
TIME_STEP, NUM_SUBSTEPS = 0.01, 10  # s
GAIN, NOISE = 1.5, 0.05  # m/s2: of an action of 1, and the deviation in every substep
MOST_PUSH = 10.0
TARGETS = np.array([[3.0, 0.5], [-3.0, 0.5]], np.float32)  # position and width, m
TARGET_STD = 0.01


class PointMassState(struct.PyTreeNode):
    """Where the point is, and how it moves."""

    place: jax.Array  # [2], m
    velocity: jax.Array  # [2], m/s
    crashed: jax.Array  # [], bool


def point_mass(bounds: Bounds | None = USUAL, observe_task: bool = True) -> Environment:
    """A point mass whose gate, and friction if wished, are the task.

    Action [2]: the push in both directions, within 10. An episode is cut after 100 steps of 0.1 s;
    it is solved when its return is above 30, which takes flying through the gate. Observation [6]:
    x, its velocity, y, its velocity, and the task in the unit cube.

    Args:
      bounds: (low, high) of the axes that a task chooses, by name; names alone, for the bounds that
        `AXES` has; or None, for all three.
      observe_task: whether the observation tells the task.

    Raises:
      ValueError: when there is no such axis, or bounds are not two numbers that it may be.

    >>> env = point_mass({"gate_width": (0.5, 8.0)})
    >>> env.task_space.names, env.action_space.dims
    (('gate_width',), 2)
    """
    return make_world(
        AXES,
        bounds,
        observe_task,
        name="point-mass",
        action_space=Box(names=("x", "y"), low=(-MOST_PUSH,) * 2, high=(MOST_PUSH,) * 2),
        max_episode_steps=100,
        solved_above=30.0,
        start=_start,
        advance=advance,
        observe=_observe,
        viewer=PointMassViewer,
        return_range=(0.0, 90.0),
    )


def advance(key: Key, constants: Constants, state: PointMassState, action: jax.Array):
    """The state a step later, the reward, and whether it has crashed."""
    push = GAIN * jnp.clip(action, -MOST_PUSH, MOST_PUSH)

    def substep(state: PointMassState, noise: jax.Array) -> tuple[PointMassState, None]:
        pull = push - constants["friction"] * state.velocity + noise
        place = jnp.clip(state.place + TIME_STEP * state.velocity, -BORDER, BORDER)
        moved = PointMassState(place, state.velocity + TIME_STEP * pull, state.crashed)
        crash = _crash(constants, state.place, place)
        stopped = PointMassState(crash.place, jnp.zeros(2), jnp.bool_(True))
        moved = jax.tree.map(lambda a, b: jnp.where(crash.happens, a, b), stopped, moved)
        return jax.tree.map(lambda a, b: jnp.where(state.crashed, a, b), state, moved), None

    noise = NOISE * jax.random.normal(key, (NUM_SUBSTEPS, 2))
    state, _ = jax.lax.scan(substep, state, noise)
    distance = jnp.linalg.norm(state.place - GOAL)
    return state, jnp.exp(-0.6 * distance), state.crashed


class Crash(struct.PyTreeNode):
    """Whether a way meets the wall beside the gate, and where it meets it."""

    happens: jax.Array  # [], bool
    place: jax.Array  # [2], m


def _crash(constants: Constants, before: jax.Array, after: jax.Array) -> Crash:
    meets = (before[1] >= 0) & (after[1] < 0)
    drop = jnp.where(meets, before[1] - after[1], 1.0)
    x = before[0] + before[1] / drop * (after[0] - before[0])
    beside = jnp.abs(x - constants["gate_position"]) > constants["gate_width"] / 2
    return Crash(meets & beside, jnp.stack([x, jnp.float32(0)]))


def target_gate(key: Key) -> jax.Array:
    """A target task: a gate half a metre wide, 3 m to the right or to the left, [2].

    Position and width deviate by 0.01 m, widths only upwards: a narrower gate is no task.

    >>> target_gate(jax.random.key(0)).shape
    (2,)
    """
    key_side, key_noise = jax.random.split(key)
    side = jax.random.bernoulli(key_side).astype(jnp.int32)
    task = jnp.asarray(TARGETS)[side] + TARGET_STD * jax.random.normal(key_noise, (2,))
    return task_space(AXES, USUAL).clip(task)


def _start(key: Key, constants: Constants) -> PointMassState:
    return PointMassState(jnp.asarray(START), jnp.zeros(2), jnp.bool_(False))


def _observe(state: PointMassState) -> jax.Array:
    return jnp.stack([state.place, state.velocity], axis=1).reshape(4)
