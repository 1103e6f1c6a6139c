"""A simulated learner of skills that build on each other: a graph of prerequisites.

The learner is the project's own.
"""

from __future__ import annotations

import dataclasses

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


@dataclasses.dataclass(frozen=True, kw_only=True)
class SkillGraphConfig(Config):
    """By default a chain of ten skills, each of which needs the one before."""

    num_skills: int = field(
        10,
        low=1,
        high=1000,  # the factory makes a table of skills by skills
        help="skills, each with its own stretch of the task axis",
    )
    prerequisites: tuple[tuple[int, ...], ...] | None = field(
        None,
        help="of each skill, by number, as (), (0,), (0, 1); None: a chain",
    )
    episodes_per_round: int = field(
        1,
        low=1,
        high=1_000_000,  # drawn at once, and no part of the state
        help="proposals taken, and episodes practised, a round",
    )
    growth: Swept = field(
        0.05,
        low=0,
        high=1,
        help="share of what is still to be learned of a skill that an episode teaches",
    )
    unaided: Swept = field(
        0.0,
        low=0,
        high=1,
        help="share of a skill that can be learned without its prerequisites",
    )
    solved_above: Swept = field(
        0.75,
        low=0,
        high=1,
        help="competence above which a skill is mastered",
    )

    def __post_init__(self):
        super().__post_init__()
        if self.prerequisites is None:
            return
        is_list = isinstance(self.prerequisites, tuple | list)
        if not is_list or not all(isinstance(x, tuple | list) for x in self.prerequisites):
            raise ValueError(
                "SkillGraphConfig.prerequisites must be a tuple of one tuple a skill, got"
                f" {self.prerequisites!r}."
            )
        if len(self.prerequisites) != self.num_skills:
            num = len(self.prerequisites)
            raise ValueError(
                f"SkillGraphConfig.prerequisites must have one entry a skill: {self.num_skills}"
                f" skills but {num} entries."
            )
        _check_order(self.prerequisites)


def _check_order(prerequisites: tuple[tuple[int, ...], ...]) -> None:
    """Raise a ValueError where a prerequisite is no skill, or skills wait in a circle."""
    num = len(prerequisites)
    for skill, needed in enumerate(prerequisites):
        if not all(isinstance(other, int) and 0 <= other < num for other in needed):
            raise ValueError(
                f"SkillGraphConfig.prerequisites must be numbers from 0 to {num - 1},"
                f" got {needed} for skill {skill}."
            )
    waiting = set(range(num))
    while ready := {skill for skill in waiting if not waiting.intersection(prerequisites[skill])}:
        waiting -= ready
    if waiting:
        raise ValueError(
            "SkillGraphConfig.prerequisites must not go round in a circle, got one among the"
            f" skills {sorted(waiting)}."
        )


class SkillGraphState(struct.PyTreeNode):
    """What the learner can do, and how its last round went."""

    competence: jax.Array  # [num_skills], float32, in [0, 1]
    mean_return: jax.Array  # [], float32, of the last round


def skill_graph_test_tasks(config: SkillGraphConfig) -> np.ndarray:
    """Every skill once, the middle of its stretch, [num_skills, 1] float32."""
    return (np.arange(config.num_skills, dtype=np.float32) + 0.5)[:, None]


def skill_graph(config: SkillGraphConfig | None = None) -> Student:
    """A learner whose skills grow by practice, as far as their prerequisites allow.

        task x        practises skill s = floor(x)
        ceiling(s)    =  unaided + (1 - unaided) (the least competence[p] of the prerequisites p
                         of s, 1 if it has none)
        competence[s] <- competence[s] + growth max(0, ceiling(s) - competence[s])
        return        =  competence[s] after practice;  solved: competence[s] > solved_above

    Under a ceiling that stands still, n episodes take a skill from 0 to ceiling (1 - (1 -
    growth)^n): a learning curve. Tasks are practised one after the other, and growth is multiplied
    by the proposal's weight (at most to 1). Evaluating gives one episode a task (nothing here is
    random) and teaches nothing. The report's score is the percentage of mastered skills.

    >>> student = skill_graph(SkillGraphConfig(num_skills=3, prerequisites=((), (), (0, 1))))
    >>> student.task_space.high, student.init(jax.random.key(0)).competence.tolist()
    ((3.0,), [0.0, 0.0, 0.0])
    """
    config = given(config, SkillGraphConfig)
    prerequisites = config.prerequisites
    if prerequisites is None:
        prerequisites = tuple((skill - 1,) if skill else () for skill in range(config.num_skills))
    needs = np.zeros((config.num_skills, config.num_skills), bool)
    for skill, needed in enumerate(prerequisites):
        needs[skill, list(needed)] = True
    is_needed = jnp.array(needs)

    def skill_of(tasks: jax.Array) -> jax.Array:
        skill = jnp.floor(tasks[:, 0]).astype(jnp.int32)
        return jnp.clip(skill, 0, config.num_skills - 1)

    def practise(
        competence: jax.Array, proposal: tuple[jax.Array, jax.Array]
    ) -> tuple[jax.Array, jax.Array]:
        skill, weight = proposal
        prepared = jnp.min(jnp.where(is_needed[skill], competence, 1.0))
        ceiling = config.unaided + (1 - config.unaided) * prepared
        before = competence[skill]
        missing = jnp.maximum(ceiling - before, 0.0)
        now = before + jnp.minimum(config.growth * weight, 1.0) * missing
        return competence.at[skill].set(now), now

    def init(key: Key) -> SkillGraphState:
        competence = jnp.zeros((config.num_skills,), jnp.float32)
        return SkillGraphState(competence=competence, mean_return=jnp.float32(0))

    def train(
        key: Key, state: SkillGraphState, proposals: Proposals, round: jax.Array
    ) -> tuple[SkillGraphState, Episodes]:
        each = (skill_of(proposals.tasks), proposals.weight)
        competence, returns = jax.lax.scan(practise, state.competence, each)
        state = SkillGraphState(competence=competence, mean_return=jnp.mean(returns))
        return state, Episodes.of(proposals, returns, returns > config.solved_above)

    def evaluate(
        key: Key, state: SkillGraphState, tasks: PyTree, seeds: jax.Array, num_episodes: int, *how
    ) -> Episodes:
        asked = attempts(tasks, seeds, num_episodes)
        returns = state.competence[skill_of(asked.tasks)]
        return Episodes.of(asked, returns, returns > config.solved_above)

    def report(state: SkillGraphState) -> dict[str, jax.Array]:
        mastered = state.competence > config.solved_above
        return {
            "score": 100 * jnp.mean(mastered, dtype=jnp.float32),
            "mean_return": state.mean_return,
        }

    return simulated(
        name="skill-graph",
        task_space=Box(names=("skill",), low=(0.0,), high=(config.num_skills,)),
        episodes_per_round=config.episodes_per_round,
        init=init,
        train=train,
        evaluate=evaluate,
        report=report,
        config=config,
    )
