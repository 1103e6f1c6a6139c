"""REPAIRED: a builder makes the new levels of robust replay, each student replays its own.

    propose: a round as a whole is, with probability $p$ = `replay_prob` (once everybody has levels
             enough), a replay: each student gets levels of its own buffer; else all get the levels
             that PAIRED's builder has built, which are scored and not trained on
    update:  every student's episodes go to its own buffer; those on levels that were built this
             round tell the builder what they were worth

Source: M. Jiang, M. Dennis, J. Parker-Holder, J. Foerster, E. Grefenstette, T. Rocktäschel,
"Replay-guided adversarial environment design", NeurIPS 2021.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, field
from jaxcurriculum.editors import Editor
from jaxcurriculum.fields import given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.teachers.paired import PairedConfig, PairedReport, PairedState, paired
from jaxcurriculum.teachers.parts.new_levels import with_level_seeds
from jaxcurriculum.teachers.parts.replays import replay_prob
from jaxcurriculum.teachers.plr import PlrConfig, PlrReport, PlrState, plr

BUILT, REPLAYED = 0, 1  # origin mod 2; the rest of it is the builder's or the replay's


@dataclasses.dataclass(frozen=True, kw_only=True)
class RepairedConfig(Config):
    """The published settings for mazes, but for the builder's memory."""

    builder: PairedConfig = field(PairedConfig(), help="who builds new levels")
    replay: PlrConfig = field(
        PlrConfig(
            robust=True,
            capacity=4000,
            replay_prob=0.95,
            score="max_mc",
            temperature=0.1,
            staleness=0.3,
        ),
        help="every student's replay",
    )


class RepairedState(struct.PyTreeNode):
    """The builder, and a buffer of levels for each student."""

    builder: PairedState
    replays: tuple[PlrState, ...]


class RepairedReport(struct.PyTreeNode):
    """What the parts report."""

    builder: PairedReport
    replays: tuple[PlrReport, ...]


def repaired(editor: Editor, config: RepairedConfig | None = None) -> Teacher:
    """PAIRED's builder with a buffer of levels for each of the students.

    It teaches `population(student, 2, share=False)`: the first half of a round's proposals is the
    protagonist's, the second the antagonist's, alike where the levels are new. `max_mc` thus goes
    by each student's own highest return.

    Differs from the paper: the builder learns in rounds of new levels alone; the published code
    updates it in rounds of replay, too, with old episodes and the regret of replayed levels.

    Raises:
      ValueError: from `propose`, when a student has fewer proposals a round than levels are built.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.parts.box_editor import box_editor
    >>> teacher = repaired(box_editor(Box(names=("height",), low=(0.0,), high=(3.0,))))
    >>> teacher.name, teacher.num_learners, teacher.share
    ('repaired', 2, False)
    """
    config = given(config, RepairedConfig)
    builder = paired(editor, config.builder)
    replay = plr(editor.task_space, config.replay)
    always = dataclasses.replace(config.replay, replay_prob=1.0, schedule="fixed")
    replay_all = plr(editor.task_space, always)
    num_students = config.builder.num_students

    def init(key: Key) -> RepairedState:
        key_builder, *keys = jax.random.split(key, 1 + num_students)
        replays = tuple(replay.init(key) for key in keys)
        return RepairedState(builder.init(key_builder), replays)

    def propose(key: Key, state: RepairedState, num: int) -> tuple[RepairedState, Proposals]:
        key_build, key_coin, *keys = jax.random.split(key, 2 + num_students)
        each = num // num_students
        built_by, built = builder.propose(key_build, state.builder, each)
        weight = jnp.zeros_like(built.weight) if config.replay.robust else built.weight
        built = built.replace(origin=2 * built.origin + BUILT, weight=weight)
        built = with_level_seeds(config.replay, built)
        parts = zip(keys, state.replays)
        drawn = [replay_all.propose(key, mine, each) for key, mine in parts]
        held = [levels.replace(origin=2 * levels.origin + REPLAYED) for _, levels in drawn]
        drawn_from = tuple(mine for mine, _ in drawn)
        probs = [replay_prob(mine.buffer, config.replay) for mine in state.replays]
        replays = jax.random.uniform(key_coin) < jnp.min(jnp.stack(probs))
        new, old = _joined([built] * num_students), _joined(held)
        state = RepairedState(built_by, tree.where(replays, drawn_from, state.replays))
        return state, tree.where(replays, old, new)

    def update(
        key: Key, state: RepairedState, episodes: Episodes, context: Context
    ) -> tuple[RepairedState, jax.Array]:
        key_build, *keys = jax.random.split(key, 1 + num_students)
        is_built = episodes.origin % 2 == BUILT
        built = episodes.replace(
            valid=episodes.valid & is_built, origin=episodes.origin // 2, critic=None
        )
        built_by, steps = builder.update(key_build, state.builder, built, context)
        replays = []
        for number, (key, mine) in enumerate(zip(keys, state.replays)):
            own = episodes.replace(valid=episodes.valid & (episodes.learner == number))
            replays.append(replay.update(key, mine, own, context)[0])
        return RepairedState(built_by, tuple(replays)), steps

    def report(state: RepairedState) -> RepairedReport:
        replays = tuple(replay.report(mine) for mine in state.replays)
        return RepairedReport(builder.report(state.builder), replays)

    return Teacher(
        name="repaired",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=replay.needs_critic,
        needs_optimal_return=replay.needs_optimal_return,
        most_proposals=num_students * replay.most_proposals,
        num_learners=num_students,
        share=False,
        needs_every_level=True,
        config=config,
    )


def _joined(blocks: list[Proposals]) -> PyTree:
    """The proposals of every student, one block after the other."""
    return jax.tree.map(lambda *leaves: jnp.concatenate(leaves), *blocks)
