"""A simulated learner: a grid of skills, each of which unlocks the next ones.

Source: R. Portelas et al., "Teacher algorithms for curriculum learning of Deep RL in continuously
parameterized environments", CoRL 2019, and the code published with it. Other corners and starting
cells: R. Portelas, C. Romac, K. Hofmann, P.-Y. Oudeyer, "Meta automatic curriculum learning", 2020
(arXiv:2011.08463), and its code: `cells=20` with `corner="random"` or `start_cell="random"`.
"""

from __future__ import annotations

import dataclasses
import itertools
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, attempts
from jaxcurriculum.roles import Student
from jaxcurriculum.spaces import Box
from jaxcurriculum.students.simulated.learner import simulated

MOST_CELLS = 10_000_000  # each is a number in memory, and a test task
MOST_DIMS = MOST_CELLS.bit_length() - 1  # with two cells an axis
UNLOCKS, MASTERED_ABOVE, FULL = 75.0, 75.0, 100.0  # points of competence


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyGridConfig(Config):
    """The defaults are the published 2-D grid."""

    dims: int = field(2, low=1, high=MOST_DIMS, help="axes that matter")
    cells: int = field(10, low=1, help="cells an axis")
    irrelevant_dims: int = field(  # each is a name and two bounds of the task space
        0, low=0, high=1000, help="axes of the task that change nothing"
    )
    episodes_per_round: int = field(
        1,
        low=1,
        high=1_000_000,  # drawn at once, and no part of the state
        help="proposals taken, and episodes practised, a round",
    )
    corner: int | Literal["random"] = field(
        0,
        low=0,
        help="start: 0 (all low) to 2**dims - 1, neighbours in turn; random: each seed its own",
    )
    start_cell: tuple[int, ...] | Literal["random"] | None = field(
        None,
        low=0,
        help="start instead, from which it spreads to all sides; random: each seed its own",
    )
    unlearnable: Swept = field(
        0.0,
        low=0,
        high=1,
        help="probability that a cell of a seed never learns anything; the start always learns",
    )
    decay: Swept = field(
        0.0,
        low=0,
        help="points of competence that a cell forgets with every episode spent elsewhere",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.cells**self.dims > MOST_CELLS:
            raise ValueError(
                f"ToyGridConfig must have cells**dims <= {MOST_CELLS:,}, got"
                f" {self.cells}**{self.dims}."
            )
        if self.corner != "random" and self.corner >= 2**self.dims:
            raise ValueError(
                'ToyGridConfig.corner must lie between 0 and 2**dims - 1 or be "random", got'
                f" {self.corner!r}."
            )
        if self.start_cell not in (None, "random"):
            self._check_start_cell(self.start_cell)
        if self.start_cell is not None and self.corner != 0:
            raise ValueError(
                f"ToyGridConfig.corner must stay 0 where start_cell is given, got {self.corner!r}."
            )

    def _check_start_cell(self, cell: tuple[int, ...]) -> None:
        if not isinstance(cell, tuple) or len(cell) != self.dims:
            rule = f'a tuple of dims={self.dims} cells or "random"'
            raise ValueError(f"ToyGridConfig.start_cell must be {rule}, got {cell!r}.")
        if max(cell) >= self.cells:
            rule = f"between 0 and {self.cells - 1} on every axis"
            raise ValueError(f"ToyGridConfig.start_cell must lie {rule}, got {cell}.")


class Practice(struct.PyTreeNode):
    """When each cell was practised, so that what it has forgotten since can be told."""

    latest: jax.Array  # [cells**dims], int32, number of the latest episode on a cell
    num_episodes: jax.Array  # [], int32, so far


class ToyGridState(struct.PyTreeNode):
    """What the learner can do, and how its last round went; None where not asked for."""

    # [cells**dims], float32, points in [0, 100] when last practised; the last axis is fastest
    competence: jax.Array
    mean_return: jax.Array  # [], float32, of the last round
    start: jax.Array | None  # [dims], int32, the cell where learning starts, if random
    learnable: jax.Array | None  # [cells**dims], bool, if some are not
    practice: Practice | None  # if competence decays


def toy_grid_test_tasks(config: ToyGridConfig) -> np.ndarray:
    """The centres of all cells, [cells**dims, dims + irrelevant_dims] (irrelevant: 0.5)."""
    centres = (np.arange(config.cells) + 0.5) / config.cells
    grid = itertools.product(*[centres] * config.dims, *[(0.5,)] * config.irrelevant_dims)
    return np.array(list(grid), np.float32)


def toy_grid(config: ToyGridConfig | None = None) -> Student:
    """A learner whose cells are practised by the tasks in them, once a neighbour is good enough.

        learnable(c)  =  c is the start, or competence[c'] >= 75 for some c' != c
                         with c'_k in {c_k, c_k one step towards start_k} for all k
        competence[c] <- min(competence[c] + 1, 100)  if learnable(c)
        return        =  competence[c] / 100  after practice, learnable or not
        solved        :  competence[c] > 75

    The start is a corner of the grid (2-D: 0 low low, 1 low high, 2 high high, 3 high low; in
    general a Gray code), by default where all axes are low. With `start_cell` it is any cell, and a
    cell is learnable once one of its 2 dims neighbours along an axis, on either side, is good
    enough. Tasks are practised one after the other. Evaluating gives one episode a task (nothing
    here is random) and teaches nothing.

    With `decay` a cell that was last practised `age` episodes ago has max(0, competence - decay *
    age), and that is what unlocks, grows and is returned. Nothing is recomputed meanwhile, so an
    episode costs the same on a grid of any size.

    Differs from the paper: a proposal's weight multiplies the point that an episode earns, as it
    would a gradient; with weight 0 an episode is no practice, and decays like the rest. Other
    corners keep the grid of cells where it is (the published code rotates the task about the
    centre, which shifts tasks exactly on an edge by a cell). Unlearnable cells and decay are not in
    the papers.

    >>> student = toy_grid(ToyGridConfig(dims=1, cells=4))
    >>> key, tasks = jax.random.key(0), jnp.full((3, 1), 0.1)
    >>> student.evaluate(key, student.init(key), tasks, jnp.arange(3), 1, True).returns
    Array([0., 0., 0.], dtype=float32)
    """
    config = given(config, ToyGridConfig)
    strides = config.cells ** np.arange(config.dims - 1, -1, -1, dtype=np.int32)
    num_axes = config.dims + config.irrelevant_dims
    num_cells = config.cells**config.dims
    has_unlearnable = _is_given(config.unlearnable)
    has_decay = _is_given(config.decay)

    def cell_of(tasks: jax.Array) -> jax.Array:
        scaled = jnp.floor(tasks[..., : config.dims] * config.cells).astype(jnp.int32)
        return jnp.clip(scaled, 0, config.cells - 1)

    def flat(cells: jax.Array) -> jax.Array:
        return cells @ strides

    def start_of(state: ToyGridState) -> jax.Array:
        return jnp.array(_start(config), jnp.int32) if state.start is None else state.start

    def init(key: Key) -> ToyGridState:
        key_start, key_learnable = jax.random.split(key)
        never = Practice(latest=jnp.zeros((num_cells,), jnp.int32), num_episodes=jnp.int32(0))
        state = ToyGridState(
            competence=jnp.zeros((num_cells,), jnp.float32),
            mean_return=jnp.float32(0),
            start=_random_start(key_start, config) if _is_random(config) else None,
            learnable=None,
            practice=never if has_decay else None,
        )
        if not has_unlearnable:
            return state
        learnable = jax.random.uniform(key_learnable, (num_cells,)) >= config.unlearnable
        return state.replace(learnable=learnable.at[flat(start_of(state))].set(True))

    def train(
        key: Key, state: ToyGridState, proposals: Proposals, round: jax.Array
    ) -> tuple[ToyGridState, Episodes]:
        cells, start = cell_of(proposals.tasks), start_of(state)
        below = flat(_unlocking(cells, start, config))

        def step(state: ToyGridState, proposal: tuple[jax.Array, ...]):
            return _practised(state, proposal, flat(start), config)

        state, points = jax.lax.scan(step, state, (flat(cells), below, proposals.weight))
        state = state.replace(mean_return=jnp.mean(points) / FULL)
        return state, Episodes.of(proposals, points / FULL, points > MASTERED_ABOVE)

    def evaluate(
        key: Key, state: ToyGridState, tasks: PyTree, seeds: jax.Array, num_episodes: int, *how
    ) -> Episodes:
        asked = attempts(tasks, seeds, num_episodes)
        points = _points(state, flat(cell_of(asked.tasks)), config)
        return Episodes.of(asked, points / FULL, points > MASTERED_ABOVE)

    def report(state: ToyGridState) -> dict[str, jax.Array]:
        points = state.competence
        if has_decay:
            points = _points(state, jnp.arange(num_cells), config)
        return {
            "score": 100 * jnp.mean(points > MASTERED_ABOVE, dtype=jnp.float32),
            "mean_return": state.mean_return,
        }

    names = [f"x{k}" for k in range(num_axes)]
    return simulated(
        name="toy-grid",
        task_space=Box(names=names, low=[0.0] * num_axes, high=[1.0] * num_axes),
        episodes_per_round=config.episodes_per_round,
        init=init,
        train=train,
        evaluate=evaluate,
        report=report,
        config=config,
    )


def _is_given(share: float | jax.Array) -> bool:
    return isinstance(share, jax.Array) or share > 0


def _points(state: ToyGridState, cells: jax.Array, config: ToyGridConfig) -> jax.Array:
    """What is left of the competence of flat `cells` [...]."""
    if state.practice is None:
        return state.competence[cells]
    age = (state.practice.num_episodes - state.practice.latest[cells]).astype(jnp.float32)
    return jnp.maximum(state.competence[cells] - config.decay * age, 0)


def _practised(
    state: ToyGridState, proposal: tuple[jax.Array, ...], start: jax.Array, config: ToyGridConfig
) -> tuple[ToyGridState, jax.Array]:
    """`state` after one of the flat cells, and the points that it then has, []."""
    cell, below, weight = proposal
    unlocks = (_points(state, below, config) >= UNLOCKS) & (below != cell)
    unlocked = (cell == start) | jnp.any(unlocks)
    if state.learnable is not None:
        unlocked &= state.learnable[cell]
    before = _points(state, cell, config)
    after = jnp.where(unlocked, jnp.minimum(before + weight, FULL), before)
    if state.practice is not None:
        after = jnp.where(weight > 0, after, jnp.maximum(before - config.decay, 0))
        number = state.practice.num_episodes + 1
        latest = state.practice.latest.at[cell].set(number)
        state = state.replace(practice=Practice(latest=latest, num_episodes=number))
    return state.replace(competence=state.competence.at[cell].set(after)), after


def _unlocking(cells: jax.Array, start: jax.Array, config: ToyGridConfig) -> jax.Array:
    """Cells [num, neighbours, dims] that make `cells` ([num, dims]) learnable.

    Any of them does, once it is good enough; some are the cell itself.
    """
    if config.start_cell is not None:
        ahead = np.eye(config.dims, dtype=np.int32)
        beside = np.concatenate([ahead, -ahead])
        return jnp.clip(cells[:, None] + beside[None], 0, config.cells - 1)
    steps = list(itertools.product((0, 1), repeat=config.dims))[1:]  # [2**dims - 1, dims]
    towards = jnp.sign(start[None] - cells)
    return cells[:, None] + towards[:, None] * np.array(steps, np.int32)[None]


def _start(config: ToyGridConfig) -> list[int]:
    """The cell where learning starts, if it is fixed."""
    if config.start_cell is not None:
        return [int(cell) for cell in config.start_cell]
    return [(config.cells - 1) * side for side in corner(int(config.corner), config.dims)]


def corner(number: int, dims: int) -> tuple[int, ...]:
    """Corner `number` of the unit cube, 0 or 1 an axis: the Gray code of the number.

    So neighbours are one edge apart.

    >>> [corner(number, 2) for number in range(4)]
    [(0, 0), (0, 1), (1, 1), (1, 0)]
    """
    code = number ^ (number >> 1)
    return tuple(code >> axis & 1 for axis in reversed(range(dims)))


def _is_random(config: ToyGridConfig) -> bool:
    return "random" in (config.corner, config.start_cell)


def _random_start(key: Key, config: ToyGridConfig) -> jax.Array:
    """A cell, uniform over the corners or over all cells, [dims] int32."""
    if config.start_cell is not None:
        return jax.random.randint(key, (config.dims,), 0, config.cells)
    is_high = jax.random.bernoulli(key, shape=(config.dims,))
    return (config.cells - 1) * is_high.astype(jnp.int32)
