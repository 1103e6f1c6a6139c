"""An editor of mazes: walls, the goal and the agent are placed cell by cell.

Source: M. Dennis et al., "Emergent complexity and zero-shot transfer via unsupervised environment
design", NeurIPS 2020; with the goal first and walls that are flipped: S. Coward et al., "JaxUED",
2024.
"""

from __future__ import annotations

import dataclasses
import math
from typing import Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import field
from jaxcurriculum.editors import ALONE, Editor, EditorConfig, draw_noise, next_noise
from jaxcurriculum.envs.maze.cells import place_of, random_cell
from jaxcurriculum.envs.maze.levels import Mazes
from jaxcurriculum.envs.maze.record import NUM_DIRECTIONS, WIDEST, Maze
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Key, PyTree, TimeStep
from jaxcurriculum.roles import Environment
from jaxcurriculum.spaces import Discrete

LEAST = 3  # cells a side of a map that a builder's convolutions can read
NOWHERE = -1  # cell of what is not placed yet
WALL, GOAL, AGENT, DIRECTION, NOTHING = range(5)  # kinds of moves


@dataclasses.dataclass(frozen=True, kw_only=True)
class MazeEditorConfig(EditorConfig):
    """In which order a maze is built, and what becomes of a cell that is chosen again."""

    noise_size: int = field(50, low=0, help="random numbers that are shown beside the map")
    num_walls: int | None = field(
        None, low=0, high=WIDEST**2, help="moves for walls; None: as many as random mazes draw"
    )
    count: Literal["fixed", "first"] = field(
        "fixed",
        help="of walls; first: chosen by the first move, too; moves left over are idle",
    )
    first: Literal["walls", "goal"] = field(
        "walls", help="walls: then goal and agent, which clear their cells; goal: walls come last"
    )
    again: Literal["stays", "goes"] = field("stays", help="what a wall does that is chosen again")
    choose_direction: bool = field(
        False, help="a move after the goal's chooses where the agent looks; else it is random"
    )

    def __post_init__(self):
        super().__post_init__()
        if (self.count, self.first) == ("first", "goal"):
            raise ValueError(
                'MazeEditorConfig.count must be "fixed" where the goal comes first, got "first".'
            )

    @classmethod
    def dcd(cls) -> MazeEditorConfig:
        """As in dcd where mazes have up to 60 walls; those of 25 have all of them."""
        return cls(count="first")

    @classmethod
    def minimax(cls) -> MazeEditorConfig:
        """As in minimax (the defaults)."""
        return cls()

    @classmethod
    def jaxued(cls) -> MazeEditorConfig:
        """As in jaxued, whose noise is shown here (its flag has the opposite sense)."""
        return cls(noise_size=16, num_walls=47, first="goal", again="goes", choose_direction=True)


class MazeEditorState(struct.PyTreeNode):
    """What stands where; cells are numbers, row by row."""

    walls: jax.Array  # [cells], bool
    goal: jax.Array  # [], int32, NOWHERE before it is placed
    agent: jax.Array  # [], int32, the same
    direction: jax.Array  # [], int32
    num_walls: jax.Array  # [], int32, moves that are spent on walls
    move: jax.Array  # [], int32, moves made
    noise: jax.Array  # [noise_size]


def maze_editor(mazes: Mazes | None = None, config: MazeEditorConfig | None = None) -> Editor:
    """An editor with `mazes.num_walls` moves for walls, one for the goal and one for the agent.

    A move chooses one of all cells. An agent on the goal is put on a random free cell; where walls
    come last, one under agent or goal does nothing. A direction that is chosen is the cell's number
    mod 4. Size and time limit are those of `mazes`. A first move that chooses the count of walls
    says by its cell's number which share of them it is, and is the first one's cell as well.

    Observation: {"map": [size, size, 3], "move": [num_moves], "noise": [noise_size]}: walls, goal
    and agent, the number of the move as a one-hot vector (0 after the last), random numbers.

    Differs from the paper: three bits a cell, not codes divided by 10.

    Raises:
      ValueError: when mazes have fewer cells than a builder's filters.

    >>> from jaxcurriculum.envs.maze.levels import Mazes
    >>> maze_editor(Mazes(num_walls=25)).num_moves
    27
    """
    mazes = Mazes() if mazes is None else mazes
    check_kind("maze_editor.mazes", mazes, Mazes)
    config = given(config, MazeEditorConfig)
    if mazes.size < LEAST:
        raise ValueError(
            f"Mazes.size must be at least {LEAST} where a builder sees them, got {mazes.size}."
        )
    num_walls = mazes.num_walls if config.num_walls is None else config.num_walls
    moves, size = _moves(num_walls, config), mazes.size

    def reset(key: Key, level: PyTree) -> tuple[MazeEditorState, TimeStep]:
        key_direction, key_noise = jax.random.split(key)
        nowhere = jnp.int32(NOWHERE)
        state = MazeEditorState(
            walls=jnp.zeros((size**2,), bool),
            goal=nowhere,
            agent=nowhere,
            direction=jax.random.randint(key_direction, (), 0, NUM_DIRECTIONS),
            num_walls=jnp.int32(num_walls),
            move=jnp.int32(0),
            noise=draw_noise(key_noise, config),
        )
        return state, _shown(state, len(moves))

    def step(key: Key, level: PyTree, state: MazeEditorState, action: jax.Array):
        key_agent, key_noise = jax.random.split(key)
        if config.count == "first":
            chosen = action * num_walls // size**2
            chosen = jnp.where(state.move == 0, chosen, state.num_walls)
            state = state.replace(num_walls=chosen)
        kind = _kind(state, moves, num_walls)
        state = _placed(key_agent, state, action, kind, config)
        noise = next_noise(key_noise, state.noise, config)
        state = state.replace(move=state.move + 1, noise=noise)
        return state, _shown(state, len(moves))

    def finish(state: MazeEditorState) -> Maze:
        return Maze(
            walls=state.walls.reshape(size, size),
            goal=place_of(state.goal, size),
            agent=place_of(state.agent, size),
            direction=state.direction,
            time_limit=jnp.int32(mazes.time_limit),
        )

    env = Environment(
        name="maze-editor",
        task_space=ALONE,
        action_space=Discrete(num=size**2, name="cell"),
        max_episode_steps=len(moves),
        solved_above=0.0,
        generate=lambda key, task: (),
        reset=reset,
        step=step,
    )
    return Editor(env=env, task_space=mazes, finish=finish, config=config)


def _moves(num_walls: int, config: MazeEditorConfig) -> list[int]:
    """The kind of each move."""
    walls, places = [WALL] * num_walls, [GOAL, AGENT]
    if config.choose_direction:
        places = [GOAL, DIRECTION, AGENT]
    return walls + places if config.first == "walls" else places + walls


def _kind(state: MazeEditorState, moves: list[int], num_walls: int) -> jax.Array:
    """Of the next move: whoever builds fewer walls goes on to what follows them."""
    skipped = jnp.where(state.move < state.num_walls, 0, num_walls - state.num_walls)
    place = jnp.minimum(state.move + skipped, len(moves))
    return jnp.array([*moves, NOTHING])[place]


def _placed(
    key: Key, state: MazeEditorState, cell: jax.Array, kind: jax.Array, config: MazeEditorConfig
) -> MazeEditorState:
    """`state` after a move of one `kind` on `cell` ([] int32)."""
    cells = jnp.arange(state.walls.shape[0])
    is_free = (cell != state.goal) & (cell != state.agent)
    builds = (cells == cell) & is_free & (kind == WALL)
    walls = state.walls ^ builds if config.again == "goes" else state.walls | builds
    goal = jnp.where(kind == GOAL, cell, state.goal)
    beside = random_cell(key, ~walls & (cells != goal))
    place = jnp.where(cell == goal, beside, cell)
    agent = jnp.where(kind == AGENT, place, state.agent)
    walls = walls & (cells != goal) & (cells != agent)
    direction = jnp.where(kind == DIRECTION, cell % NUM_DIRECTIONS, state.direction)
    return state.replace(walls=walls, goal=goal, agent=agent, direction=direction)


def _shown(state: MazeEditorState, num_moves: int) -> TimeStep:
    size = math.isqrt(state.walls.shape[0])
    cells = jnp.arange(size**2)
    layers = [state.walls, cells == state.goal, cells == state.agent]
    obs = {
        "map": jnp.stack(layers, -1).reshape(size, size, 3).astype(jnp.float32),
        "move": jax.nn.one_hot(state.move, num_moves),
        "noise": state.noise,
    }
    return TimeStep(obs, jnp.float32(0), state.move >= num_moves, jnp.bool_(False))
