"""A simulated learner without any environment: a grid of skills, each of which unlocks the next ones.

Source: R. Portelas et al., "Teacher algorithms for curriculum learning of Deep RL in continuously parameterized environments",
CoRL 2019, and the code published with it.
"""

from __future__ import annotations

import dataclasses
import itertools

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.fields import check_integers
from jaxcurriculum.roles import Student
from jaxcurriculum.space import Box
from jaxcurriculum.types import Episodes, Key, Proposals, PyTree

MOST_CELLS = 10_000_000  # each is a number in memory, and a test task
UNLOCKS, MASTERED_ABOVE, FULL = 75.0, 75.0, 100.0  # points of competence


@dataclasses.dataclass(frozen=True, kw_only=True)
class ToyGridConfig:
    """The defaults are the published 2-D grid."""

    dims: int = 2  # axes that matter
    cells: int = 10  # cells an axis
    irrelevant_dims: int = 0  # axes of the task that change nothing
    episodes_per_round: int = 1  # proposals taken, and episodes practised, a round

    def __post_init__(self):
        check_integers(self, dims=1, cells=1, irrelevant_dims=0, episodes_per_round=1)
        if self.cells**self.dims > MOST_CELLS:
            raise ValueError(f"ToyGridConfig must have cells**dims <= {MOST_CELLS:,}, got {self.cells}**{self.dims}.")


class ToyGridState(struct.PyTreeNode):
    """What the learner can do, and how its last round went."""

    competence: jax.Array  # [cells**dims], float32, points in [0, 100]; the last axis of the grid varies fastest
    mean_return: jax.Array  # [], float32, of the last round


def toy_grid_test_tasks(config: ToyGridConfig) -> np.ndarray:
    """The centres of all cells (irrelevant coordinates 0.5), [cells**dims, dims + irrelevant_dims] float32."""
    centres = (np.arange(config.cells) + 0.5) / config.cells
    grid = itertools.product(*[centres] * config.dims, *[(0.5,)] * config.irrelevant_dims)
    return np.array(list(grid), np.float32)


def toy_grid(config: ToyGridConfig | None = None) -> Student:
    """A learner whose cell c of the unit cube is practised by every task in it, once a neighbour below is good enough.

        learnable(c)  =  c is the origin, or competence[c'] >= 75 for some c' != c with c'_k in {c_k, max(0, c_k - 1)} for all k
        competence[c] <- min(competence[c] + 1, 100)  if learnable(c)
        return        =  competence[c] / 100          after practice, learnable or not;  solved: competence[c] > 75

    Tasks are practised one after the other. Evaluating gives one episode a task (nothing here is random) and teaches nothing.

    Differs from the paper: a proposal's weight multiplies the point that an episode earns, as it would a gradient.

    >>> student = toy_grid(ToyGridConfig(dims=1, cells=4))
    >>> student.evaluate(jax.random.key(0), student.init(jax.random.key(0)), jnp.full((3, 1), 0.1), jnp.arange(3), 1, True).returns
    Array([0., 0., 0.], dtype=float32)
    """
    config = ToyGridConfig() if config is None else config
    strides = np.array([config.cells ** (config.dims - 1 - k) for k in range(config.dims)], np.int32)
    steps_down = np.array(list(itertools.product((0, 1), repeat=config.dims))[1:], np.int32)  # [2**dims - 1, dims]
    num_axes = config.dims + config.irrelevant_dims

    def cell_of(tasks: jax.Array) -> jax.Array:
        scaled = jnp.floor(tasks[..., : config.dims] * config.cells).astype(jnp.int32)
        return jnp.clip(scaled, 0, config.cells - 1)

    def flat(cells: jax.Array) -> jax.Array:
        return cells @ strides

    def practise(competence: jax.Array, proposal: tuple[jax.Array, jax.Array, jax.Array]) -> tuple[jax.Array, jax.Array]:
        cell, below, weight = proposal
        unlocked = (cell == 0) | jnp.any((competence[below] >= UNLOCKS) & (below != cell))
        now = jnp.where(unlocked, jnp.minimum(competence[cell] + weight, FULL), competence[cell])
        return competence.at[cell].set(now), now

    def init(key: Key) -> ToyGridState:
        return ToyGridState(competence=jnp.zeros((config.cells**config.dims,), jnp.float32), mean_return=jnp.float32(0))

    def train(key: Key, state: ToyGridState, proposals: Proposals) -> tuple[ToyGridState, Episodes]:
        cells = cell_of(proposals.tasks)
        below = flat(jnp.maximum(cells[:, None] - steps_down[None], 0))
        competence, points = jax.lax.scan(practise, state.competence, (flat(cells), below, proposals.weight))
        state = ToyGridState(competence=competence, mean_return=jnp.mean(points) / FULL)
        return state, _episodes(proposals.tasks, proposals.seeds, proposals.origin, points)

    def evaluate(key: Key, state: ToyGridState, tasks: PyTree, seeds: jax.Array, num_episodes: int, deterministic: bool) -> Episodes:
        tasks, seeds = (jnp.repeat(x, num_episodes, axis=0) for x in (tasks, seeds))
        points = state.competence[flat(cell_of(tasks))]
        return _episodes(tasks, seeds, jnp.zeros(points.shape, jnp.int32), points)

    def report(state: ToyGridState) -> dict[str, jax.Array]:
        score = 100 * jnp.mean(state.competence > MASTERED_ABOVE, dtype=jnp.float32)
        return {"score": score, "mean_return": state.mean_return}

    return Student(
        name="toy-grid",
        task_space=Box(names=[f"x{k}" for k in range(num_axes)], low=[0.0] * num_axes, high=[1.0] * num_axes),
        num_proposals=config.episodes_per_round,
        steps_per_round=config.episodes_per_round,
        step_unit="episodes",
        init=init,
        train=train,
        evaluate=evaluate,
        report=report,
    )


def _episodes(tasks: jax.Array, seeds: jax.Array, origin: jax.Array, points: jax.Array) -> Episodes:
    unknown = jnp.full(points.shape, jnp.nan, jnp.float32)
    return Episodes(
        tasks=tasks,
        seeds=seeds,
        origin=origin,
        returns=points / FULL,
        discounted_returns=unknown,
        lengths=jnp.ones(points.shape, jnp.int32),
        solved=points > MASTERED_ABOVE,
        initial_value=unknown,
        mean_value=unknown,
        positive_value_loss=unknown,
        l1_value_loss=unknown,
        signed_gae=unknown,
        valid=jnp.ones(points.shape, bool),
    )
