"""Skill-It: online mirror descent over a graph of which skill (an arm) helps which.

    $p[i]$ in proportion to $exp(rate sum_tau sum_j graph[i, j] loss[j](tau))$
    $tau$: the last `rounds` rounds

$graph[i, j] > 0$ where practising skill $i$ helps skill $j$, so a prerequisite is practised for its
own loss and for those of all that need it.

Source: M. Chen, N. Roberts, K. Bhatia, J. Wang, C. Zhang, F. Sala, C. Re, "Skill-it! A data-driven
skills framework for understanding and training language models", NeurIPS 2023, arXiv 2307.14430.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.configs import Config, Range, Swept, field
from jaxcurriculum.fields import check_kind, given, is_number
from jaxcurriculum.records import Episodes, Key, Proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.teachers.parts.arm_statistics import ArmWindow, empty, one_by_one, push
from jaxcurriculum.teachers.parts.arms import Arms, propose_arms

MOST_SKILLS = 10_000  # the graph has a number for each pair


@dataclasses.dataclass(frozen=True, kw_only=True)
class SkillItConfig(Config):
    """`learning_rate` and `rounds` as published for LEGO, a task of chained skills."""

    learning_rate: Swept = field(0.5, low=0, help="step of mirror descent")
    rounds: int = field(3, low=1, help="latest rounds whose losses count")
    round_episodes: int = field(
        100,
        low=1,
        help="episodes after which the losses are taken and a new round begins",
    )
    window: int = field(16, low=1, help="latest episodes of a skill in its loss")
    return_range: Range | None = field(
        None,
        help="raw returns of loss 1 and of loss 0; None: loss = share of episodes not solved",
    )


class SkillItState(struct.PyTreeNode):
    """Losses as they are now, and as they were at the end of the latest rounds."""

    losses: ArmWindow  # loss of each episode; its mean is the skill's loss
    # [rounds, arms], round number n (counted from the first ever) lies in slot n mod rounds
    past: jax.Array
    num_rounds: jax.Array  # [], int32, rounds finished
    num_episodes: jax.Array  # [], int32, episodes of the round that is not


def grid_graph(arms: Arms, weight: float = 0.5) -> np.ndarray:
    """A graph for the cells of a grid: 1 to itself, `weight` to an axis' neighbours.

    Raises:
      TypeError: when `arms` are something else.
      ValueError: when they are more than 10,000, or `weight` is negative or not finite.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.parts.arms import cells
    >>> grid_graph(cells(Box(names=("height",), low=(0.0,), high=(3.0,)), 3)).tolist()
    [[1.0, 0.5, 0.0], [0.5, 1.0, 0.5], [0.0, 0.5, 1.0]]
    """
    check_kind("grid_graph.arms", arms, Arms)
    _check_size("grid_graph", arms.num)
    if not is_number(weight, 0):
        raise ValueError(
            f"grid_graph.weight must be a finite number of at least 0, got {weight!r}."
        )
    cell = np.stack(np.unravel_index(np.arange(arms.num), arms.shape), axis=1)
    distance = sum(np.abs(along[:, None] - along[None, :]) for along in cell.T)
    others = np.where(distance == 1, weight, 0.0)
    return np.where(distance == 0, 1.0, others).astype(np.float32)


def skill_it(
    arms: Arms,
    config: SkillItConfig | None = None,
    graph: jax.Array | np.ndarray | Sequence[Sequence[float]] | None = None,
) -> Teacher:
    """A bandit teacher of skills whose practice helps many others still failed at.

    The loss of a skill is the mean over its latest `window` episodes of 1 - solved, or of the
    return mapped from `return_range` to [1, 0] and clipped; that of an untried skill is 1. Until
    the first round ends all losses count as 1.

    Differs from the paper: losses come from the training episodes, not from a validation set, so
    that those of skills that are not practised stay what they were. A round has a number of
    episodes; the arms of a batch are drawn before its rounds end.

    Args:
      graph: [arms, arms], the effect of practising the row's skill on the column's; None: the
          identity. See `grid_graph` and `estimate_graph`.

    Raises:
      ValueError: when `graph` has another shape or holds a number that is negative or not finite.

    >>> from jaxcurriculum.teachers.parts.arms import listed
    >>> teacher = skill_it(listed([[0.0], [1.0]]), graph=[[1.0, 1.0], [0.0, 1.0]])
    >>> probabilities = teacher.report(teacher.init(jax.random.key(0)))["probabilities"]
    >>> [round(p, 3) for p in probabilities.tolist()]  # e^(2/2) : e^(1/2)
    [0.622, 0.378]
    """
    config = given(config, SkillItConfig)
    check_kind("skill_it.arms", arms, Arms)
    effect = jnp.asarray(_checked_graph(graph, arms.num))

    def init(key: Key) -> SkillItState:
        return SkillItState(
            losses=empty(arms.num, config.window),
            past=jnp.zeros((config.rounds, arms.num), jnp.float32),
            num_rounds=jnp.int32(0),
            num_episodes=jnp.int32(0),
        )

    def probabilities(state: SkillItState) -> jax.Array:
        total = jnp.sum(state.past, axis=0)  # rounds that never were are 0
        total = jnp.where(state.num_rounds > 0, total, 1.0)
        gain = jnp.matmul(effect, total, precision=jax.lax.Precision.HIGHEST)
        return jax.nn.softmax(config.learning_rate * gain)

    def propose(key: Key, state: SkillItState, num: int) -> tuple[SkillItState, Proposals]:
        return state, propose_arms(key, arms, probabilities(state), num)

    def learn(state: SkillItState, arm: jax.Array, episode: Episodes, i: jax.Array) -> SkillItState:
        losses = push(state.losses, arm, _loss(episode, config.return_range))
        num_episodes = state.num_episodes + (arm < arms.num)
        ended = num_episodes >= config.round_episodes
        written = ended & (jnp.arange(config.rounds) == state.num_rounds % config.rounds)
        return SkillItState(
            losses=losses,
            past=jnp.where(written[:, None], _skill_losses(losses)[None, :], state.past),
            num_rounds=state.num_rounds + ended,
            num_episodes=jnp.where(ended, 0, num_episodes),
        )

    def update(
        key: Key, state: SkillItState, episodes: Episodes, context: Context
    ) -> tuple[SkillItState, jax.Array]:
        return one_by_one(learn, state, episodes, arms.num), jnp.int32(0)

    def report(state: SkillItState) -> dict[str, jax.Array]:
        return {
            "probabilities": probabilities(state),
            "loss": _skill_losses(state.losses),
            "num_episodes": state.losses.num,
            "num_rounds": state.num_rounds,
        }

    return Teacher(
        name="skill-it",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def _check_size(name: str, num: int) -> None:
    if num > MOST_SKILLS:
        raise ValueError(f"{name} must have at most {MOST_SKILLS:,} arms, got {num:,}.")


def _loss(episode: Episodes, return_range: tuple[float, float] | None) -> jax.Array:
    if return_range is None:
        return 1.0 - episode.solved
    low, high = return_range
    return jnp.clip((high - episode.returns) / (high - low), 0.0, 1.0)


def _skill_losses(losses: ArmWindow) -> jax.Array:
    return jnp.where(losses.num > 0, losses.mean, 1.0)


def _checked_graph(
    graph: jax.Array | np.ndarray | Sequence[Sequence[float]] | None, num: int
) -> np.ndarray:
    _check_size("skill_it", num)
    if graph is None:
        return np.eye(num, dtype=np.float32)
    rows = [len(row) for row in graph] if isinstance(graph, list | tuple) else None
    if rows is not None and len(set(rows)) > 1:
        raise ValueError(
            f"skill_it.graph must have the shape [arms, arms] = ({num}, {num}), got rows of"
            f" {sorted(set(rows))} entries."
        )
    matrix = np.asarray(graph, np.float32)
    if matrix.shape != (num, num):
        raise ValueError(
            f"skill_it.graph must have the shape [arms, arms] = ({num}, {num}), got {matrix.shape}."
        )
    if not np.all(np.isfinite(matrix) & (matrix >= 0)):
        raise ValueError(
            f"skill_it.graph must hold finite numbers of at least 0, got {float(np.min(matrix))}"
            " among them."
        )
    return matrix
