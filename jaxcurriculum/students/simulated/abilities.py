"""A simulated learner of a few abilities, whose success is a matter of chance.

Source of the law of success: the two-parameter logistic model of item-response theory (A. Birnbaum
in F. M. Lord and M. R. Novick, "Statistical theories of mental test scores", 1968; without the
slope: G. Rasch 1960). Growth is in proportion to p (1 - p), the variance of the outcome, which is
the information that a trial carries in that model: nothing is learned from what is hopeless or
easy. This learner is the project's own.
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

TESTS_PER_ABILITY = 10  # difficulties in the test set


@dataclasses.dataclass(frozen=True, kw_only=True)
class AbilitiesConfig(Config):
    """By default some 220 well-chosen episodes an ability master the hardest tasks."""

    num_abilities: int = field(
        4,
        low=1,
        high=100_000,  # the factory makes ten test tasks for each
        help="abilities, each with its own stretch of the first axis",
    )
    episodes_per_round: int = field(
        1,
        low=1,
        high=1_000_000,  # drawn at once, and no part of the state
        help="proposals taken, and episodes practised, a round",
    )
    hardest: float = field(10.0, low=1e-6, help="difficulty of the hardest task; the easiest has 0")
    initial_ability: Swept = field(0.0, help="of every ability, in units of difficulty")
    slope: Swept = field(
        2.0,
        low=0,
        help="how sharply success depends on ability minus difficulty, per unit of these",
    )
    growth: Swept = field(
        0.05,
        low=0,
        help="gained from an episode that succeeds every other time, in units of difficulty",
    )


class AbilitiesState(struct.PyTreeNode):
    """What the learner can do, and how its last round went."""

    ability: jax.Array  # [num_abilities], float32, in units of difficulty
    mean_return: jax.Array  # [], float32, of the last round


def abilities_test_tasks(config: AbilitiesConfig) -> np.ndarray:
    """Every ability at ten difficulties, middles of tenths of the range, [10 abilities, 2]."""
    number = np.arange(config.num_abilities * TESTS_PER_ABILITY)
    which, tenth = np.divmod(number, TESTS_PER_ABILITY)
    difficulty = (tenth + 0.5) / TESTS_PER_ABILITY * config.hardest
    return np.stack([which + 0.5, difficulty], axis=1).astype(np.float32)


def abilities(config: AbilitiesConfig | None = None) -> Student:
    """A learner with independent abilities a_k, which grow by practice that suits them.

        task (x, d)    tries ability k = floor(x) at difficulty d
        P(success)  =  p  =  sigmoid(slope (a_k - d))
        a_k         <- a_k + growth 4 p (1 - p), whether it succeeds or not
        return      =  1 for a success, 0 for a failure;  solved: a success

    Tasks are practised one after the other, each judged by the ability before it, and growth is
    multiplied by the proposal's weight. Evaluating draws from the same law and teaches nothing,
    deterministic or not. The report's score is the expected percentage of successes over
    `abilities_test_tasks`.

    >>> student = abilities(AbilitiesConfig(num_abilities=2, episodes_per_round=1))
    >>> student.task_space.high, student.init(jax.random.key(0)).ability.tolist()
    ((2.0, 10.0), [0.0, 0.0])
    """
    config = given(config, AbilitiesConfig)
    tests = abilities_test_tasks(config)

    def chance(ability: jax.Array, difficulty: jax.Array | np.ndarray) -> jax.Array:
        return jax.nn.sigmoid(config.slope * (ability - difficulty))

    def which(tasks: jax.Array | np.ndarray) -> jax.Array:
        ability = jnp.floor(tasks[:, 0]).astype(jnp.int32)
        return jnp.clip(ability, 0, config.num_abilities - 1)

    def draw(key: Key, asked: Proposals, chances: jax.Array) -> Episodes:
        success = jax.random.bernoulli(key, chances)
        return Episodes.of(asked, success.astype(jnp.float32), success)

    def practise(
        ability: jax.Array, proposal: tuple[jax.Array, ...]
    ) -> tuple[jax.Array, jax.Array]:
        index, difficulty, weight = proposal
        p = chance(ability[index], difficulty)
        return ability.at[index].add(config.growth * 4 * p * (1 - p) * weight), p

    def init(key: Key) -> AbilitiesState:
        ability = jnp.zeros((config.num_abilities,), jnp.float32)
        ability = ability + jnp.float32(config.initial_ability)
        return AbilitiesState(ability=ability, mean_return=jnp.float32(0))

    def train(
        key: Key, state: AbilitiesState, proposals: Proposals, round: jax.Array
    ) -> tuple[AbilitiesState, Episodes]:
        tasks = proposals.tasks
        each = (which(tasks), tasks[:, 1], proposals.weight)
        ability, chances = jax.lax.scan(practise, state.ability, each)
        episodes = draw(key, proposals, chances)
        return AbilitiesState(ability=ability, mean_return=jnp.mean(episodes.returns)), episodes

    def evaluate(
        key: Key, state: AbilitiesState, tasks: PyTree, seeds: jax.Array, num_episodes: int, *how
    ) -> Episodes:
        asked = attempts(tasks, seeds, num_episodes)
        ability = state.ability[which(asked.tasks)]
        return draw(key, asked, chance(ability, asked.tasks[:, 1]))

    def report(state: AbilitiesState) -> dict[str, jax.Array]:
        expected = chance(state.ability[which(tests)], tests[:, 1])
        return {"score": 100 * jnp.mean(expected), "mean_return": state.mean_return}

    return simulated(
        name="abilities",
        task_space=Box(
            names=("ability", "difficulty"),
            low=(0.0, 0.0),
            high=(config.num_abilities, config.hardest),
        ),
        episodes_per_round=config.episodes_per_round,
        init=init,
        train=train,
        evaluate=evaluate,
        report=report,
        config=config,
    )
