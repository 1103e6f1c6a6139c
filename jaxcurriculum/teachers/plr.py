"""Prioritised level replay (PLR), and robust PLR, which trains on replayed levels alone.

    propose: with probability $p$, once the buffer is filled enough, a level of the buffer $~ P$;
             else a new one, drawn at random
             $P = (1 - staleness) P_S + staleness P_T$    by score and by age, see `level_buffer.py`
    update:  every episode's level is scored, and kept if it scores as high as the level least
             likely to be replayed

Source: M. Jiang, E. Grefenstette, T. Rocktäschel, "Prioritized level replay", ICML 2021; robust PLR
and MaxMC: M. Jiang, M. Dennis, J. Parker-Holder, J. Foerster, E. Grefenstette, T. Rocktäschel,
"Replay-guided adversarial environment design", NeurIPS 2021.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import given
from jaxcurriculum.records import CriticScores, Episodes, Key, Proposals, PyTree, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box, Space
from jaxcurriculum.teachers.parts import level_buffer
from jaxcurriculum.teachers.parts.level_buffer import LevelBuffer
from jaxcurriculum.teachers.parts.ring import usable
from jaxcurriculum.teachers.parts.sampling import check_task, easy_tasks

# origin of a level that was drawn at random; a replayed one has the slot that it was drawn from
NEW = -1
ScoreName = Literal[
    "positive_value_loss",
    "l1_value_loss",
    "signed_gae",
    "max_mc",
    "return_change",
    "learnability",
]


def _max_mc(episode: Episodes, best: jax.Array, known: jax.Array) -> tuple[jax.Array, jax.Array]:
    best = jnp.where(known, jnp.maximum(best, episode.returns), episode.returns)
    return best - _critic(episode).mean_value, best


def _return_change(
    episode: Episodes, last: jax.Array, known: jax.Array
) -> tuple[jax.Array, jax.Array]:
    return jnp.where(known, jnp.abs(episode.returns - last), 0.0), episode.returns


def _learnability(
    episode: Episodes, rate: jax.Array, known: jax.Array
) -> tuple[jax.Array, jax.Array]:
    rate = 0.5 * (jnp.where(known, rate, 0.5) + episode.solved)
    return rate * (1 - rate), rate


def _positive_value_loss(episode: Episodes, memory: jax.Array, known: jax.Array):
    return _critic(episode).positive_value_loss, memory


def _l1_value_loss(episode: Episodes, memory: jax.Array, known: jax.Array):
    return _critic(episode).l1_value_loss, memory


def _signed_gae(episode: Episodes, memory: jax.Array, known: jax.Array):
    return _critic(episode).signed_gae, memory


def _critic(episode: Episodes) -> CriticScores:
    assert episode.critic is not None, "the loop refuses a student without a critic"
    return episode.critic


OF_CRITIC: dict[str, level_buffer.Score] = {
    "positive_value_loss": _positive_value_loss,
    "l1_value_loss": _l1_value_loss,
    "signed_gae": _signed_gae,
    "max_mc": _max_mc,
}
OF_RETURNS: dict[str, level_buffer.Score] = {
    "return_change": _return_change,
    "learnability": _learnability,
}
SCORES = OF_CRITIC | OF_RETURNS


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlrConfig(Config):
    """The defaults are the published numbers for walkers, with gradients on new levels too."""

    robust: bool = field(False, help="new levels are rolled out and scored, but not trained on")
    capacity: int = field(1000, low=1, help="levels remembered")
    replay_prob: Swept = field(
        0.5,
        low=0,
        high=1,
        help="share of proposals that replay a level, once there are enough",
    )
    least_filled: Swept = field(
        0.5,
        low=0,
        high=1,
        help="share of the capacity that must be filled before anything is replayed",
    )
    schedule: Literal["proportionate", "fixed"] = field(
        "proportionate",
        help="proportionate: replay_prob at most the filled share of the capacity; fixed: as it is",
    )
    score: ScoreName = field(
        "positive_value_loss",
        help="what a level is replayed for; of returns alone: return_change, learnability",
    )
    prioritisation: Literal["rank", "power"] = field(
        "rank",
        help="what the replay probability is a power of",
    )
    temperature: Swept = field(0.1, low=1e-3, help="1 / the exponent; the lower the greedier")
    staleness: Swept = field(
        0.5,
        low=0,
        high=1,
        help="share of replays chosen by age, not by score",
    )
    initial_mean: tuple[float, ...] | None = field(
        None,
        help="new levels are drawn about this easy task, in the axes' units; None: uniformly",
    )
    initial_std: Swept = field(
        0.1,
        low=0,
        help="spread about initial_mean, fraction of each axis' range",
    )

    @classmethod
    def bipedal(cls) -> PlrConfig:
        """Robust PLR as published for the bipedal walker."""
        return cls(robust=True)

    @classmethod
    def minigrid(cls) -> PlrConfig:
        """Robust PLR as published for mazes of 60 blocks."""
        return cls(robust=True, capacity=4000, temperature=0.3, staleness=0.3)

    @classmethod
    def maze(cls) -> PlrConfig:
        """Robust PLR as published for mazes of 25 walls (S. Coward et al., "JaxUED", 2024)."""
        return cls(
            robust=True,
            capacity=4000,
            replay_prob=0.8,
            schedule="fixed",
            score="max_mc",
            temperature=0.3,
            staleness=0.3,
        )

    @classmethod
    def car_racing(cls) -> PlrConfig:
        """Robust PLR as published for the racing tracks."""
        return cls(
            robust=True,
            capacity=8000,
            prioritisation="power",
            temperature=1.0,
            staleness=0.7,
        )


class PlrState(struct.PyTreeNode):
    """The levels, and how many episodes could not be scored."""

    buffer: LevelBuffer
    num_unscored: jax.Array  # [], int32, episodes whose score was not finite


class PlrReport(struct.PyTreeNode):
    """The buffer as a picture shows it."""

    tasks: PyTree  # [capacity, ...]
    scores: jax.Array  # [capacity], -inf where empty
    replay_probs: jax.Array  # [capacity]
    num_filled: jax.Array  # [], int32
    num_episodes: jax.Array  # [], int32, episodes scored
    num_unscored: jax.Array  # [], int32, episodes whose score was not finite


def plr(task_space: Space, config: PlrConfig | None = None) -> Teacher:
    """A teacher that replays the levels with the highest score.

        positive_value_loss   mean over the steps of max(0, advantage)
        l1_value_loss         mean |advantage|
        signed_gae            mean advantage
        max_mc                the level's highest return so far - mean value
                              (signed, as published for mazes)
        return_change         |return - the level's last return|, 0 at its first episode
        learnability          q (1 - q),  q <- (q + solved) / 2 from 1/2

    The first four need a critic: a loop refuses them a student without one. The last two need
    returns alone. An episode whose score is not finite leaves the buffer as it is and is counted in
    `num_unscored`.

    Differs from the paper: each proposal is new or a replay by itself, so that a round mixes both;
    a round's replays are drawn before its episodes are known, and may repeat a level. A level's age
    counts episodes since it was last scored, not since it was last drawn, as a rollout may leave a
    proposal unused. The buffer may be smaller than a round: levels then compete for its slots one
    after the other. `max_mc` and the value losses are as the student gives them, undiscounted or
    not.

    Raises:
      ValueError: when `initial_mean` is no task of the space.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = plr(space, PlrConfig.bipedal())
    >>> _, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 3)
    >>> proposals.origin.tolist(), proposals.weight.tolist()
    ([-1, -1, -1], [0.0, 0.0, 0.0])
    """
    config = given(config, PlrConfig)
    draw_new = _new_tasks(task_space, config)

    def prioritise(buffer: LevelBuffer) -> jax.Array:
        return level_buffer.replay_probs(
            buffer, config.prioritisation, config.temperature, config.staleness
        )

    def init(key: Key) -> PlrState:
        buffer = level_buffer.empty(task_space, config.capacity)
        return PlrState(buffer=buffer, num_unscored=jnp.int32(0))

    def propose(key: Key, state: PlrState, num: int) -> tuple[PlrState, Proposals]:
        key_new, key_seeds, key_replay, key_slots = jax.random.split(key, 4)
        new = fresh_proposals(key_seeds, draw_new(key_new, num))
        replayed = jax.random.uniform(key_replay, (num,)) < replay_prob(state.buffer, config)
        slots = level_buffer.sample(key_slots, state.buffer, num)
        held_tasks = jax.tree.map(lambda leaf: leaf[slots], state.buffer.tasks)
        return state, Proposals(
            tasks=tree.where(replayed, held_tasks, new.tasks),
            seeds=tree.where(replayed, state.buffer.seeds[slots], new.seeds),
            origin=jnp.where(replayed, slots, NEW),
            weight=jnp.where(replayed, 1.0, 0.0) if config.robust else new.weight,
        )

    def update(
        key: Key, state: PlrState, episodes: Episodes, context: Context
    ) -> tuple[PlrState, jax.Array]:
        buffer = level_buffer.observe(state.buffer, episodes, SCORES[config.score], prioritise)
        num_scored = buffer.num_episodes - state.buffer.num_episodes
        num_unscored = state.num_unscored + jnp.sum(usable(episodes), dtype=jnp.int32) - num_scored
        return PlrState(buffer=buffer, num_unscored=num_unscored), jnp.int32(0)

    def report(state: PlrState) -> PlrReport:
        buffer = state.buffer
        return PlrReport(
            tasks=buffer.tasks,
            scores=buffer.scores,
            replay_probs=buffer.replay_probs,
            num_filled=buffer.num_filled,
            num_episodes=buffer.num_episodes,
            num_unscored=state.num_unscored,
        )

    return Teacher(
        name="robust-plr" if config.robust else "plr",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=config.score in OF_CRITIC,
        config=config,
    )


def replay_prob(buffer: LevelBuffer, config: PlrConfig) -> jax.Array:
    """The probability that a proposal replays a level now, [] (0 from an empty buffer)."""
    share = buffer.num_filled / config.capacity
    prob = config.replay_prob
    if config.schedule == "proportionate":
        prob = jnp.minimum(share, prob)
    is_ready = (buffer.num_filled > 0) & (share >= config.least_filled)
    return jnp.where(is_ready, prob, 0.0)


def _new_tasks(space: Space, config: PlrConfig):
    """(key, num) -> tasks [num, ...] of new levels."""
    if config.initial_mean is None:
        return lambda key, num: jax.vmap(space.sample)(jax.random.split(key, num))
    if not isinstance(space, Box):
        raise ValueError(
            "PlrConfig.initial_mean must be None where the task space is not a Box, got"
            f" {config.initial_mean}."
        )
    check_task(config, "initial_mean", space)
    return lambda key, num: easy_tasks(key, space, config.initial_mean, config.initial_std, num)
