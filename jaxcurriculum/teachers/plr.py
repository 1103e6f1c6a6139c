"""Prioritised level replay (PLR), and robust PLR, which trains on replayed levels alone.

    propose: with probability $p$, once the buffer is filled enough, a level of the buffer $~ P$;
             else a new one, drawn at random
             $P = (1 - staleness) P_S + staleness P_T$    by score and by age, see `level_buffer.py`
    update:  every level that was played is scored, and kept if it scores as high as the level least
             likely to be replayed

Source: M. Jiang, E. Grefenstette, T. Rocktäschel, "Prioritized level replay", ICML 2021; robust PLR
and MaxMC: M. Jiang, M. Dennis, J. Parker-Holder, J. Foerster, E. Grefenstette, T. Rocktäschel,
"Replay-guided adversarial environment design", NeurIPS 2021; parallel PLR: M. Jiang, M. Dennis, E.
Grefenstette, T. Rocktäschel, "minimax: efficient baselines for autocurricula in JAX", 2023.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import given, is_number
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Space
from jaxcurriculum.teachers.parts import level_buffer, variety
from jaxcurriculum.teachers.parts.level_buffer import LevelBuffer
from jaxcurriculum.teachers.parts.level_scores import OF_CRITIC, SCORES, ScoreName
from jaxcurriculum.teachers.parts.replays import proposer
from jaxcurriculum.teachers.parts.variety import Variety
from jaxcurriculum.teachers.parts.visits import visits_of


@dataclasses.dataclass(frozen=True, kw_only=True)
class PlrConfig(Config):
    """The defaults are the published numbers for walkers, with gradients on new levels too."""

    robust: bool = field(False, help="new levels are rolled out and scored, but not trained on")
    capacity: int = field(1000, low=1, help="levels remembered")
    rounds: Literal["mixed", "alternating", "parallel"] = field(
        "mixed",
        help=(
            "mixed: each proposal is new or a replay by itself; alternating: a round as a whole;"
            " parallel: half of each round"
        ),
    )
    replay_prob: Swept = field(
        0.5,
        low=0,
        high=1,
        help="share of proposals that replay a level, once there are enough; not if parallel",
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
        help="what a level is replayed for; without a critic: the last three",
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
    distinct: bool = field(False, help="a round replays no level twice while there are others")
    seeds_from_tasks: bool = field(
        False,
        help="equal tasks are one level: for worlds that draw nothing of their own, such as mazes",
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

    def __post_init__(self):
        super().__post_init__()
        if self.robust and is_number(self.replay_prob) and self.replay_prob == 0:
            raise ValueError(
                "PlrConfig.replay_prob must be above 0 where robust is True, as replayed levels"
                f" alone are trained on, got {self.replay_prob}."
            )

    @classmethod
    def bipedal(cls) -> PlrConfig:
        """Robust PLR as published for the bipedal walker."""
        return cls(robust=True)

    @classmethod
    def maze(cls) -> PlrConfig:
        """Robust PLR for mazes: the numbers of `jaxued`, in mixed rounds of distinct levels."""
        return dataclasses.replace(cls.jaxued(), rounds="mixed", distinct=True)

    @classmethod
    def jaxued(cls) -> PlrConfig:
        """Robust PLR of jaxued's mazes (S. Coward et al., "JaxUED", 2024)."""
        return dataclasses.replace(cls.minimax(), replay_prob=0.8)

    @classmethod
    def minimax(cls) -> PlrConfig:
        """Robust PLR of minimax's mazes (M. Jiang et al., "minimax", 2023)."""
        return dataclasses.replace(cls.dcd(), schedule="fixed", score="max_mc")

    @classmethod
    def dcd(cls) -> PlrConfig:
        """Robust PLR of the original code (dcd), as published for mazes of 60 blocks."""
        return cls(
            robust=True,
            capacity=4000,
            rounds="alternating",
            temperature=0.3,
            staleness=0.3,
            seeds_from_tasks=True,
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
    """The levels, what could not be scored, and how varied the replays are."""

    buffer: LevelBuffer
    num_unscored: jax.Array  # [], int32, visits whose score was not finite
    variety: Variety


class PlrReport(struct.PyTreeNode):
    """The buffer as a picture shows it, and what `PlrState` and `Variety` count."""

    tasks: PyTree  # [capacity, ...]
    scores: jax.Array  # [capacity], -inf where empty
    replay_probs: jax.Array  # [capacity]
    num_filled: jax.Array  # [], int32
    num_visits: jax.Array  # [], int32
    num_unscored: jax.Array  # [], int32
    effective_levels: jax.Array  # [], 0 before the first replay
    effective_share: jax.Array  # [], 1 where no level was ever twice in a round


def plr(task_space: Space, config: PlrConfig | None = None) -> Teacher:
    """A teacher that replays the levels with the highest score.

        positive_value_loss   mean over the steps of max(0, advantage)
        l1_value_loss         mean |advantage|
        signed_gae            mean advantage
        max_mc                the level's highest return so far - mean value
                              (signed, as published for mazes)
        return_change         |return - the level's last return|, 0 at its first visit
        learnability          q (1 - q),  q <- (q + share solved) / 2 from 1/2
        true_regret           the highest return that is possible - return

    A round's episodes on one level are one visit, scored by their means. The first four need a
    critic, the last one a world that knows its `optimal_return`: a loop refuses them a student
    without. A visit whose score is not finite leaves the buffer as it is and is counted in
    `num_unscored`.

    The rank weights are steep: at temperature 0.3 the best of 4,000 levels has 87 % of their sum,
    so that independent draws replay little else. `distinct` draws have as many levels as replays;
    the report's `effective_levels` and `effective_share` tell how varied the replays were.

    Differs from the paper: each proposal is new or a replay by itself, so that a round mixes both
    (`rounds` says otherwise), and all are drawn before its episodes are known. A level's age counts
    visits since it was last scored, not since it was last drawn, as a rollout may leave a proposal
    unused. `max_mc` and the value losses are as the student gives them, undiscounted or not.

    Raises:
      ValueError: when `initial_mean` is no task of the space, or new levels are too few ever to
          fill the buffer by `least_filled`.

    >>> from jaxcurriculum.spaces import Box
    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = plr(space, PlrConfig.bipedal())
    >>> _, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 3)
    >>> proposals.origin.tolist(), proposals.weight.tolist()
    ([-1, -1, -1], [0.0, 0.0, 0.0])
    """
    config = given(config, PlrConfig)
    propose_levels = proposer(task_space, config)

    def prioritise(buffer: LevelBuffer) -> jax.Array:
        return level_buffer.replay_probs(
            buffer, config.prioritisation, config.temperature, config.staleness
        )

    def init(key: Key) -> PlrState:
        return PlrState(
            buffer=level_buffer.empty(task_space, config.capacity),
            num_unscored=jnp.int32(0),
            variety=variety.nothing_replayed(),
        )

    def propose(key: Key, state: PlrState, num: int) -> tuple[PlrState, Proposals]:
        proposals = propose_levels(key, state.buffer, num)
        varied = variety.replay(state.variety, proposals.origin, config.capacity)
        return state.replace(variety=varied), proposals

    def update(
        key: Key, state: PlrState, episodes: Episodes, context: Context
    ) -> tuple[PlrState, jax.Array]:
        visits = visits_of(episodes)
        if config.score == "true_regret":
            assert context.optimal_return is not None, "the loop refuses a world without"
            visits = visits.replace(optimal_return=jax.vmap(context.optimal_return)(visits.tasks))
        buffer = level_buffer.observe(state.buffer, visits, SCORES[config.score], prioritise)
        num_scored = buffer.num_visits - state.buffer.num_visits
        num_unscored = jnp.sum(visits.valid, dtype=jnp.int32) - num_scored
        state = state.replace(buffer=buffer, num_unscored=state.num_unscored + num_unscored)
        return state, jnp.int32(0)

    def report(state: PlrState) -> PlrReport:
        buffer = state.buffer
        return PlrReport(
            tasks=buffer.tasks,
            scores=buffer.scores,
            replay_probs=buffer.replay_probs,
            num_filled=buffer.num_filled,
            num_visits=buffer.num_visits,
            num_unscored=state.num_unscored,
            effective_levels=state.variety.levels,
            effective_share=state.variety.share,
        )

    return Teacher(
        name="robust-plr" if config.robust else "plr",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=config.score in OF_CRITIC,
        needs_optimal_return=config.score == "true_regret",
        most_proposals=config.capacity,
        config=config,
    )
