"""ACCEL: robust level replay whose replayed levels are edited, so that they grow harder in steps.

    with $p$ the replay probability and $m$ = `edits_per_replay`, proposals are
        $new : replayed : edited = (1 - p) : p : m p$
    edited level = `num_edits` random edits of a level that was replayed lately, with a new seed;
    only replayed levels are trained on

Source: J. Parker-Holder, M. Jiang, M. Dennis, M. Samvelyan, J. Foerster, E. Grefenstette, T.
Rocktäschel, "Evolving curricula with regret-based environment design", ICML 2022; parallel ACCEL:
M. Jiang, M. Dennis, E. Grefenstette, T. Rocktäschel, "minimax: efficient baselines for
autocurricula in JAX", 2023.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import given, is_number
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, random_seeds
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box, Space
from jaxcurriculum.teachers.parts import variety
from jaxcurriculum.teachers.parts.new_levels import with_level_seeds
from jaxcurriculum.teachers.parts.parents import Candidates, collect, no_candidates, parents_of
from jaxcurriculum.teachers.parts.replays import proposer, replay_prob
from jaxcurriculum.teachers.parts.visits import visits_of
from jaxcurriculum.teachers.plr import PlrConfig, PlrReport, PlrState, plr

EDITED = -2  # origin of an edited level; a replayed one has its slot, a new one -1


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccelConfig(Config):
    """The numbers for the bipedal walker; `replay.initial_mean` tells of easy levels."""

    replay: PlrConfig = field(
        PlrConfig(robust=True, replay_prob=0.9),
        help="the replay; its initial_mean is the easy level to begin with",
    )
    edits_per_replay: Swept = field(
        1.0,
        low=0,
        help="edited levels proposed for each replayed one; 1 in parallel rounds",
    )
    num_edits: int = field(
        3,
        low=1,
        high=100,  # each is written out in the compiled program
        help="edits of one level",
    )
    edit_size: Swept = field(0.06, low=0, high=1, help="largest edit, fraction of the axis' range")
    num_candidates: int = field(
        16,
        low=1,
        high=10_000,  # each is compared with each
        help="latest replayed levels among which parents are chosen",
    )
    num_parents: int = field(4, low=1, help="how many of these are parents; num_candidates: all")
    parents: Literal["easiest", "hardest"] = field(
        "easiest",
        help="easiest: highest return minus score; hardest: the lowest",
    )

    def __post_init__(self):
        super().__post_init__()
        if not self.replay.robust:
            raise ValueError(
                "AccelConfig.replay must be robust, as ACCEL trains on replayed levels alone, got"
                " PlrConfig.robust=False."
            )
        edits, is_parallel = self.edits_per_replay, self.replay.rounds == "parallel"
        if is_parallel and is_number(edits) and edits != 1:
            raise ValueError(
                f"AccelConfig.edits_per_replay must be 1 in parallel rounds, got {edits}."
            )
        if self.num_parents > self.num_candidates:
            raise ValueError(
                f"AccelConfig.num_parents must be at most num_candidates={self.num_candidates}, got"
                f" {self.num_parents}."
            )

    @classmethod
    def bipedal(cls) -> AccelConfig:
        """The settings published for the bipedal walker (the defaults)."""
        return cls()

    @classmethod
    def maze(cls) -> AccelConfig:
        """ACCEL for mazes: the numbers of `jaxued`, in mixed rounds of distinct levels."""
        return dataclasses.replace(cls.jaxued(), replay=PlrConfig.maze())

    @classmethod
    def jaxued(cls) -> AccelConfig:
        """ACCEL of jaxued's mazes (S. Coward et al., "JaxUED", 2024).

        Every level of the latest round of 32 is edited. One mutation of a maze is five edits
        (`envs.Mazes.num_edits`), which is all of them.
        """
        return cls(replay=PlrConfig.jaxued(), num_edits=1, num_candidates=32, num_parents=32)

    @classmethod
    def minimax(cls) -> AccelConfig:
        """ACCEL of minimax's mazes (M. Jiang et al., "minimax", 2023).

        One mutation of its mazes (`envs.Mazes.minimax`) is twenty edits, which is all of them.
        """
        replay = dataclasses.replace(PlrConfig.minimax(), replay_prob=0.8, staleness=0.5)
        return dataclasses.replace(cls.jaxued(), replay=replay)

    @classmethod
    def dcd(cls) -> AccelConfig:
        """ACCEL of the original code (dcd), for mazes of 60 blocks: 4 parents of 8 children."""
        replay = dataclasses.replace(PlrConfig.dcd(), replay_prob=0.8)
        few = dataclasses.replace(cls.jaxued(), replay=replay, num_parents=4)
        return dataclasses.replace(few, parents="hardest")


class AccelState(struct.PyTreeNode):
    """The replay's state, and who may become a parent."""

    replay: PlrState
    candidates: Candidates
    edits_due: jax.Array  # [], bool: the next one of alternating rounds is of edited levels


def accel(task_space: Space, config: AccelConfig | None = None) -> Teacher:
    """A teacher that replays levels of high score and proposes edits of them.

    An edit moves one axis of the task, drawn uniformly, by -u, 0 or +u, u ~ U(0, edit_size) of its
    range (the box' own scale on logarithmic axes), clipped to the box; in a space that is no Box it
    is `space.mutate` with scale `edit_size`. Parents are the `num_parents` easiest of the latest
    `num_candidates` replayed levels, in turn, so that each has as many children as the next.

    `replay.rounds` says what a round is made of:

        mixed        new, replayed and edited levels, each proposal by itself
        alternating  one kind; after a replay, with probability m, edited levels
        parallel     a third new, a third replayed, a third edits of the very levels replayed
                     beside them

    Differs from the paper: new levels are uniform unless `replay.initial_mean` says where easy ones
    lie. Rounds are mixed, in the published proportions, where the paper's alternate. The published
    size of an edit differs from axis to axis (0.04 to 0.125 of the range, of random size on one of
    them). The authors' code edits the levels of the lowest return minus score, although its comment
    says highest: `parents="hardest"`. A level is a candidate once a round, however often it was
    replayed; one that has left the buffer before its episode ended is none.

    Raises:
      ValueError: when `replay.initial_mean` is no task of the space.

    >>> from jaxcurriculum.spaces import Box
    >>> teacher = accel(Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0)))
    >>> _, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 3)
    >>> proposals.origin.tolist(), proposals.weight.tolist()
    ([-1, -1, -1], [0.0, 0.0, 0.0])
    """
    config = given(config, AccelConfig)
    replay = plr(task_space, config.replay)
    propose_levels = proposer(task_space, config.replay)

    def init(key: Key) -> AccelState:
        state = replay.init(key)
        candidates = no_candidates(state.buffer, config.num_candidates)
        return AccelState(replay=state, candidates=candidates, edits_due=jnp.bool_(False))

    def propose(key: Key, state: AccelState, num: int) -> tuple[AccelState, Proposals]:
        keys = jax.random.split(key, 6)
        key_replay, key_kinds, key_parents, key_edits, key_seeds, key_due = keys
        proposals = propose_levels(key_replay, state.replay.buffer, num, num_parts=3)
        edited, parents = families(key_kinds, key_parents, state, proposals)
        children = _edit(key_edits, task_space, parents, config)
        fresh = proposals.replace(tasks=children, seeds=random_seeds(key_seeds, num))
        seeds = with_level_seeds(config.replay, fresh).seeds
        proposals = Proposals(
            tasks=tree.where(edited, children, proposals.tasks),
            seeds=jnp.where(edited, seeds, proposals.seeds),
            origin=jnp.where(edited, EDITED, proposals.origin),
            weight=jnp.where(edited, 0.0, proposals.weight),
        )
        is_replay = jnp.any(proposals.origin >= 0)
        due = is_replay & (jax.random.uniform(key_due) < config.edits_per_replay)
        varied = variety.replay(state.replay.variety, proposals.origin, config.replay.capacity)
        replay_state = state.replay.replace(variety=varied)
        return state.replace(replay=replay_state, edits_due=due), proposals

    def families(key_kinds: Key, key_parents: Key, state: AccelState, proposals: Proposals):
        """Which proposals become edited levels, [num] bool, and of which parents, [num, ...]."""
        num = proposals.seeds.shape[0]
        if config.replay.rounds == "parallel":
            part = num // 3
            place = jnp.arange(num)
            beside = jnp.maximum(place - part, 0)
            edited = (place >= 2 * part) & (proposals.origin[beside] >= 0)
            return edited, tree.take(proposals.tasks, beside)
        if config.replay.rounds == "alternating":
            edited = jnp.broadcast_to(state.edits_due, (num,))
        else:
            edits = config.edits_per_replay * replay_prob(state.replay.buffer, config.replay)
            edited = jax.random.uniform(key_kinds, (num,)) < edits / (1 + edits)
        edited = edited & (state.candidates.num > 0)
        how = (config.num_parents, config.parents)
        return edited, parents_of(key_parents, state.candidates, edited, *how)

    def update(
        key: Key, state: AccelState, episodes: Episodes, context: Context
    ) -> tuple[AccelState, jax.Array]:
        replay_state, probe_steps = replay.update(key, state.replay, episodes, context)
        candidates = collect(state.candidates, replay_state.buffer, visits_of(episodes))
        return state.replace(replay=replay_state, candidates=candidates), probe_steps

    def report(state: AccelState) -> PlrReport:
        return replay.report(state.replay)

    return Teacher(
        name="accel",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=replay.needs_critic,
        needs_optimal_return=replay.needs_optimal_return,
        most_proposals=replay.most_proposals,
        config=config,
    )


def _edit(key: Key, space: Space, tasks: PyTree, config: AccelConfig) -> PyTree:
    """`tasks` ([num, ...]) after `num_edits` random edits each."""
    num = jax.tree.leaves(tasks)[0].shape[0]
    scale: Any = config.edit_size  # an array in a sweep
    if not isinstance(space, Box):
        for key_edit in jax.random.split(key, config.num_edits):
            keys = jax.random.split(key_edit, num)
            tasks = jax.vmap(lambda key, task: space.mutate(key, task, scale))(keys, tasks)
        return tasks
    unit = jax.vmap(space.to_unit)(tasks)
    uniform = jax.random.uniform(key, (config.num_edits, num, 3))
    for which, direction, size in jnp.moveaxis(uniform, -1, 1):
        axis = (which * space.dims).astype(jnp.int32)
        axis = jnp.minimum(axis, space.dims - 1)
        sign = jnp.clip(jnp.floor(3 * direction) - 1, -1, 1)
        step = scale * size * sign
        change = jax.nn.one_hot(axis, space.dims) * step[:, None]
        unit = jnp.clip(unit + change, 0.0, 1.0)
    return jax.vmap(space.from_unit)(unit)
