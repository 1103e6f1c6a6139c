"""A grid maze: an agent that sees a little of what lies before it looks for the goal.

    forward into the goal   the episode ends with reward $1 - 0.9 t / T$, $t$ the steps taken, $T$
                            the maze's time limit; all other rewards are 0
    forward into a wall     the agent stays

Source: M. Chevalier-Boisvert et al., "Minigrid & Miniworld", 2023; the maze of unsupervised
environment design: M. Dennis et al., NeurIPS 2020. Observations and rewards as in minimax, dcd and
jaxued.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.configs import Config, field
from jaxcurriculum.envs.maze.levels import Mazes
from jaxcurriculum.envs.maze.paths import optimal_return
from jaxcurriculum.envs.maze.record import LONGEST, NUM_DIRECTIONS, REWARD_LOST, STEPS, Maze
from jaxcurriculum.envs.maze.viewer import MazeViewer
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Discrete

VIEW = 5  # cells a side that are seen, the agent in the middle of the last row
LEFT, RIGHT, FORWARD = 0, 1, 2
NUM_NULL_ACTIONS = 4
EMPTY_CODE, WALL_CODE, GOAL_CODE = (0.1, 0.0, 0.0), (0.2, 0.5, 0.0), (0.8, 0.1, 0.0)


@dataclasses.dataclass(frozen=True, kw_only=True)
class MazeRules(Config):
    """What an agent may do and see; the defaults are those of jaxued."""

    null_actions: bool = field(True, help="four more actions that only cost time, as published")
    image: Literal["bits", "codes"] = field(
        "bits", help="of a cell: is it wall, is it goal; or Minigrid's three codes divided by 10"
    )
    time_out: Literal["terminal", "truncation"] = field(
        "terminal", help="at the time limit: worth nothing more, as published, or merely cut"
    )
    penalize_time: bool = field(True, help="without, the reward is 1 whenever the goal is reached")
    start: Literal["level", "random"] = field(
        "level", help="direction at the start: the maze's own, or drawn at each start as in dcd"
    )


class MazeState(struct.PyTreeNode):
    """Where the agent is."""

    agent: jax.Array  # [2], int32
    direction: jax.Array  # [], int32
    time: jax.Array  # [], int32, steps taken


def maze(mazes: Mazes | None = None, rules: MazeRules | None = None) -> Environment:
    """A maze; the task is the whole maze. It is solved if the goal is reached.

    Actions: 0 turns left, 1 turns right, 2 moves forward, 3 to 6 do nothing. The episode is over
    after as many steps as the maze's time limit says, 250 by default.

    Observation: {"image": [5, 5, 2] float32, "direction": [4] float32}: of every cell before and
    beside the agent, walls or not, whether it is a wall (outside of the grid everything is) and
    whether it is the goal, the agent in the middle of the last row looking up; and which way it
    looks.

    Differs from the paper: a cell's three codes are two bits, which say the same
    (`MazeRules.image`).

    >>> env = maze(Mazes(num_walls=60))
    >>> level = env.generate(jax.random.key(0), env.task_space.sample(jax.random.key(1)))
    >>> state, timestep = env.reset(jax.random.key(2), level)
    >>> timestep.obs["image"].shape
    (5, 5, 2)
    """
    mazes = Mazes() if mazes is None else mazes
    check_kind("maze.mazes", mazes, Mazes)
    rules = given(rules, MazeRules)

    def reset(key: Key, level: Maze) -> tuple[MazeState, TimeStep]:
        direction = jnp.asarray(level.direction)
        if rules.start == "random":
            direction = jax.random.randint(key, (), 0, NUM_DIRECTIONS)
        start = MazeState(level.agent, direction, time=jnp.int32(0))
        no = jnp.bool_(False)
        return start, TimeStep(observe(level, start, rules), jnp.float32(0), no, no)

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
        lost = REWARD_LOST * time / level.time_limit if rules.penalize_time else 0.0
        reward = jnp.where(arrived, 1.0 - lost, 0.0)
        state = MazeState(agent, direction.astype(jnp.int32), time)
        timed_out = ~arrived & (time >= level.time_limit)
        is_terminal = rules.time_out == "terminal"
        terminated = arrived | timed_out if is_terminal else arrived
        truncated = jnp.bool_(False) if is_terminal else timed_out
        return state, TimeStep(observe(level, state, rules), reward, terminated, truncated)

    def best_return(level: Maze) -> jax.Array:
        """By the rules; the mean over the directions where these are drawn."""
        looks = jnp.asarray(level.direction)[None]
        if rules.start == "random":
            looks = jnp.arange(NUM_DIRECTIONS)
        each = jax.vmap(lambda look: optimal_return(level.replace(direction=look)))(looks)
        return jnp.mean(each if rules.penalize_time else each > 0)

    return Environment(
        name="maze",
        task_space=mazes,
        action_space=Discrete(num=3 + NUM_NULL_ACTIONS * rules.null_actions, name="action"),
        max_episode_steps=LONGEST,
        solved_above=0.0,
        generate=lambda key, task: task,
        reset=reset,
        step=step,
        viewer=MazeViewer(),
        return_range=(0.0, 1.0),
        optimal_return=best_return,
    )


def observe(level: Maze, state: MazeState, rules: MazeRules = MazeRules()) -> PyTree:
    """What the agent sees, see `maze`."""
    steps = jnp.asarray(STEPS)
    forward = steps[state.direction]
    right = steps[(state.direction + 1) % NUM_DIRECTIONS]
    row, column = np.mgrid[:VIEW, :VIEW].reshape(2, -1, 1)
    ahead, beside = VIEW - 1 - row, column - VIEW // 2
    cells = state.agent[None] + ahead * forward[None] + beside * right[None]
    walls = jax.vmap(_is_wall, in_axes=(None, 0))(level, cells)
    goal = jnp.all(cells == level.goal[None], axis=-1)
    if rules.image == "codes":
        codes = jnp.where(walls[:, None], jnp.array(WALL_CODE), jnp.array(EMPTY_CODE))
        image = jnp.where(goal[:, None], jnp.array(GOAL_CODE), codes)
    else:
        image = jnp.stack([walls, goal], -1)
    return {
        "image": image.reshape(VIEW, VIEW, -1).astype(jnp.float32),
        "direction": jax.nn.one_hot(state.direction, NUM_DIRECTIONS),
    }


def _is_wall(level: Maze, cell: jax.Array) -> jax.Array:
    height, width = level.walls.shape
    x, y = cell
    outside = (x < 0) | (x >= width) | (y < 0) | (y >= height)
    y, x = jnp.clip(y, 0, height - 1), jnp.clip(x, 0, width - 1)
    return outside | jnp.asarray(level.walls)[y, x]
