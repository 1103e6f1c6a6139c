"""A grid maze: an agent that sees a little of what lies before it looks for the goal.

Source: M. Chevalier-Boisvert et al., "Minigrid & Miniworld", 2023; the maze of unsupervised
environment design: M. Dennis et al., NeurIPS 2020. Observations and rewards as in minimax and
jaxued.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.envs.maze.levels import NUM_DIRECTIONS, SIZE, Maze, Mazes
from jaxcurriculum.envs.maze.viewer import MazeViewer
from jaxcurriculum.fields import check_kind
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Discrete

VIEW = 5  # cells a side that are seen, the agent in the middle of the last row
TIME_LIMIT = 250  # steps
NUM_ACTIONS = 7  # turn left, turn right, forward; four more do nothing
LEFT, RIGHT, FORWARD = 0, 1, 2
# (x, y) of a move, by direction
STEPS = np.array([(1, 0), (0, 1), (-1, 0), (0, -1)], np.int32)


class MazeState(struct.PyTreeNode):
    """Where the agent is."""

    agent: jax.Array  # [2], int32
    direction: jax.Array  # [], int32
    time: jax.Array  # [], int32, steps taken


def maze(mazes: Mazes | None = None) -> Environment:
    """A maze of 13 by 13 cells; the task is the whole maze.

    Actions: 0 turns left, 1 turns right, 2 moves forward, 3 to 6 do nothing. Moving into the goal
    ends the episode with reward 1 - 0.9 t / 250, t the steps taken; all other rewards are 0. The
    episode is over after 250 steps, and what follows is worth nothing. It is solved if the goal is
    reached.

    Observation: {"image": [5, 5, 2] float32, "direction": [4] float32}: of every cell before and
    beside the agent, walls or not, whether it is a wall (outside of the grid everything is) and
    whether it is the goal, the agent in the middle of the last row looking up; and which way it
    looks.

    Differs from the paper: a cell's three codes are two bits, which say the same.

    >>> env = maze()
    >>> level = env.generate(jax.random.key(0), env.task_space.sample(jax.random.key(1)))
    >>> state, timestep = env.reset(jax.random.key(2), level)
    >>> timestep.obs["image"].shape
    (5, 5, 2)
    """
    mazes = Mazes() if mazes is None else mazes
    check_kind("maze.mazes", mazes, Mazes)

    def reset(key: Key, level: Maze) -> tuple[MazeState, TimeStep]:
        start = MazeState(level.agent, level.direction, time=jnp.int32(0))
        no = jnp.bool_(False)
        return start, TimeStep(observe(level, start), jnp.float32(0), no, no)

    def step(key: Key, level: Maze, state: MazeState, action: jax.Array):
        turn = jnp.where(action == LEFT, -1, 0)
        turn = jnp.where(action == RIGHT, 1, turn)
        direction = (state.direction + turn) % NUM_DIRECTIONS
        ahead = state.agent + jnp.asarray(STEPS)[state.direction]
        moves = action == FORWARD
        is_goal = jnp.all(ahead == level.goal)
        arrived = moves & is_goal
        blocked = _is_wall(level, ahead) | is_goal
        agent = jnp.where(moves & ~blocked, ahead, state.agent)
        time = state.time + 1
        reward = jnp.where(arrived, 1.0 - 0.9 * time / TIME_LIMIT, 0.0)
        state = MazeState(agent, direction.astype(jnp.int32), time)
        over = arrived | (time >= TIME_LIMIT)
        no = jnp.bool_(False)
        return state, TimeStep(observe(level, state), reward, over, no)

    return Environment(
        name="maze",
        task_space=mazes,
        action_space=Discrete(num=NUM_ACTIONS, name="action"),
        max_episode_steps=TIME_LIMIT,
        solved_above=0.0,
        generate=lambda key, task: task,
        reset=reset,
        step=step,
        viewer=MazeViewer(),
        return_range=(0.0, 1.0),
    )


def observe(level: Maze, state: MazeState) -> PyTree:
    """What the agent sees, see `maze`."""
    steps = jnp.asarray(STEPS)
    forward = steps[state.direction]
    right = steps[(state.direction + 1) % NUM_DIRECTIONS]
    row, column = np.mgrid[:VIEW, :VIEW].reshape(2, -1, 1)
    ahead, beside = VIEW - 1 - row, column - VIEW // 2
    cells = state.agent[None] + ahead * forward[None] + beside * right[None]
    walls = jax.vmap(_is_wall, in_axes=(None, 0))(level, cells)
    goal = jnp.all(cells == level.goal[None], axis=-1)
    image = jnp.stack([walls, goal], -1).reshape(VIEW, VIEW, 2)
    return {
        "image": image.astype(jnp.float32),
        "direction": jax.nn.one_hot(state.direction, NUM_DIRECTIONS),
    }


def _is_wall(level: Maze, cell: jax.Array) -> jax.Array:
    outside = jnp.any((cell < 0) | (cell >= SIZE))
    x, y = jnp.clip(cell, 0, SIZE - 1)
    return outside | level.walls[y, x]
