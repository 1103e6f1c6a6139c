"""ACCEL: robust level replay whose replayed levels are edited, so that they grow harder in steps.

    with $p$ the replay probability and $m$ = `edits_per_replay`, proposals are
        $new : replayed : edited = (1 - p) : p : m p$
    edited level = `num_edits` random edits of a level that was replayed lately, with a new seed;
    only replayed levels are trained on

Source: J. Parker-Holder, M. Jiang, M. Dennis, M. Samvelyan, J. Foerster, E. Grefenstette, T.
Rocktäschel, "Evolving curricula with regret-based environment design", ICML 2022.
"""

from __future__ import annotations

import dataclasses
from typing import Any, Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, random_seeds
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box, Space
from jaxcurriculum.teachers.parts import level_buffer
from jaxcurriculum.teachers.parts.level_buffer import LevelBuffer
from jaxcurriculum.teachers.parts.ring import usable, valid_first
from jaxcurriculum.teachers.plr import PlrConfig, PlrReport, PlrState, plr, replay_prob

EDITED = -2  # origin of an edited level; a replayed one has its slot, a new one `plr.NEW`


@dataclasses.dataclass(frozen=True, kw_only=True)
class AccelConfig(Config):
    """The numbers for the bipedal walker; `replay.initial_mean` tells of easy levels."""

    replay: PlrConfig = field(
        PlrConfig(robust=True, replay_prob=0.9),
        help="the replay; its initial_mean is the easy level to begin with",
    )
    edits_per_replay: Swept = field(1.0, low=0, help="edited levels proposed for each replayed one")
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
                "AccelConfig.replay must be a robust PlrConfig (gradients on replayed levels"
                f" alone), got {self.replay}."
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
    def minigrid(cls) -> AccelConfig:
        """The settings published for mazes: every level of the latest batch of 32 is edited."""
        replay = dataclasses.replace(PlrConfig.minigrid(), replay_prob=0.8)
        return cls(replay=replay, num_edits=5, num_candidates=32, num_parents=32)

    @classmethod
    def maze(cls) -> AccelConfig:
        """The settings published for mazes of 25 walls (S. Coward et al., "JaxUED", 2024).

        Every level of the latest batch of 32 is edited. One mutation of a maze is five edits
        (`envs.Mazes.num_edits`), which is all of them.
        """
        return cls(replay=PlrConfig.maze(), num_edits=1, num_candidates=32, num_parents=32)


class Candidates(struct.PyTreeNode):
    """The latest replayed levels, a ring: number n, from the first ever, in slot n mod size."""

    tasks: PyTree  # [num_candidates, ...]
    ease: jax.Array  # [num_candidates], return minus score, at its latest replay
    num: jax.Array  # [], int32, ever written


class AccelState(struct.PyTreeNode):
    """The replay's state, and who may become a parent."""

    replay: PlrState
    candidates: Candidates


def accel(task_space: Space, config: AccelConfig | None = None) -> Teacher:
    """A teacher that replays levels of high score and proposes edits of them.

    An edit moves one axis of the task, drawn uniformly, by -u, 0 or +u, u ~ U(0, edit_size) of its
    range (the box' own scale on logarithmic axes), clipped to the box; in a space that is no Box it
    is `space.mutate` with scale `edit_size`. The parent is one of the `num_parents` easiest of the
    latest `num_candidates` replayed levels.

    Differs from the paper: new levels are uniform unless `replay.initial_mean` says where easy ones
    lie. Proposals are new, replayed or edited each by itself, in the published proportions, where
    the paper has rounds of one kind. The published size of an edit differs from axis to axis (0.04
    to 0.125 of the range, of random size on one of them). The authors' code edits the levels of the
    lowest return minus score, although its comment says highest: `parents="hardest"`. A level that
    has left the buffer before its episode ended is no candidate.

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

    def init(key: Key) -> AccelState:
        state = replay.init(key)
        candidates = _no_candidates(state.buffer, config.num_candidates)
        return AccelState(replay=state, candidates=candidates)

    def propose(key: Key, state: AccelState, num: int) -> tuple[AccelState, Proposals]:
        key_replay, key_edited, key_parents, key_edits, key_seeds = jax.random.split(key, 5)
        _, proposals = replay.propose(key_replay, state.replay, num)
        edits = config.edits_per_replay * replay_prob(state.replay.buffer, config.replay)
        edited = jax.random.uniform(key_edited, (num,)) < edits / (1 + edits)
        edited = edited & (state.candidates.num > 0)
        parents = _parents(key_parents, state.candidates, config, num)
        children = _edit(key_edits, task_space, parents, config)
        return state, Proposals(
            tasks=tree.where(edited, children, proposals.tasks),
            seeds=tree.where(edited, random_seeds(key_seeds, num), proposals.seeds),
            origin=jnp.where(edited, EDITED, proposals.origin),
            weight=jnp.where(edited, 0.0, proposals.weight),
        )

    def update(
        key: Key, state: AccelState, episodes: Episodes, context: Context
    ) -> tuple[AccelState, jax.Array]:
        replay_state, probe_steps = replay.update(key, state.replay, episodes, context)
        candidates = _collect(state.candidates, replay_state.buffer, episodes)
        return AccelState(replay=replay_state, candidates=candidates), probe_steps

    def report(state: AccelState) -> PlrReport:
        return replay.report(state.replay)

    return Teacher(
        name="accel",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=replay.needs_critic,
        config=config,
    )


def _no_candidates(buffer: LevelBuffer, num: int) -> Candidates:
    def none(leaf: jax.Array) -> jax.Array:
        return jnp.zeros((num, *leaf.shape[1:]), leaf.dtype)

    tasks = jax.tree.map(none, buffer.tasks)
    ease = jnp.zeros((num,), jnp.float32)
    return Candidates(tasks=tasks, ease=ease, num=jnp.int32(0))


def _collect(candidates: Candidates, buffer: LevelBuffer, episodes: Episodes) -> Candidates:
    """Add the replayed levels of `episodes` still in their slot, with their present score."""
    slots = jnp.maximum(episodes.origin, 0)
    holds = jax.vmap(level_buffer.holds, in_axes=(None, 0, 0, 0))
    held = holds(buffer, slots, episodes.tasks, episodes.seeds)
    order, num_replayed = valid_first(usable(episodes) & (episodes.origin >= 0) & held)
    size = candidates.ease.shape[0]
    num = candidates.num + num_replayed
    # Each place asks for the latest episode that belongs there: no scatters (`xla.write_row`).
    latest = num_replayed - 1 - (num - 1 - jnp.arange(size, dtype=jnp.int32)) % size
    episode = order[jnp.maximum(latest, 0)]

    def write(old: jax.Array, new: jax.Array) -> jax.Array:
        is_written = (latest >= 0).reshape(size, *[1] * (old.ndim - 1))
        return jnp.where(is_written, new[episode], old)

    return Candidates(
        tasks=jax.tree.map(write, candidates.tasks, episodes.tasks),
        ease=write(candidates.ease, episodes.returns - buffer.scores[slots]),
        num=num,
    )


def _parents(key: Key, candidates: Candidates, config: AccelConfig, num: int) -> PyTree:
    """Tasks of `num` parents, each one of the `num_parents` that are best, [num, ...]."""
    slots = jnp.arange(config.num_candidates)
    merit = candidates.ease if config.parents == "easiest" else -candidates.ease
    merit = jnp.where(slots < candidates.num, merit, -jnp.inf)
    is_earlier = slots[None] < slots[:, None]
    is_equal = merit[None] == merit[:, None]
    ahead = (merit[None] > merit[:, None]) | (is_equal & is_earlier)
    place = jnp.sum(ahead, axis=1)  # 0 for the best
    num_eligible = jnp.clip(candidates.num, 1, config.num_parents)
    drawn = (jax.random.uniform(key, (num,)) * num_eligible).astype(jnp.int32)
    drawn = jnp.minimum(drawn, num_eligible - 1)
    chosen = jnp.argmax(place[None] == drawn[:, None], axis=1)
    return jax.tree.map(lambda leaf: leaf[chosen], candidates.tasks)


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
