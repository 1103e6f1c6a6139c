"""PAIRED: a builder that learns to make the levels in which two students differ.

    propose: the builder's policy, a recurrent PPO agent, builds levels in an editor, move by
             move; protagonist and antagonist practise all of them
    update:  the last move of a level is rewarded with its regret, and PPO learns from the episodes
             that built this round's levels
             $regret = max(0, max R_antagonist - mean R_protagonist)$    over a level's episodes

Source: M. Dennis, N. Jaques, E. Vinitsky, A. Bayen, S. Russell, A. Critch, S. Levine, "Emergent
complexity and zero-shot transfer via unsupervised environment design", NeurIPS 2020; other
objectives: see `teachers.parts.regret`.
"""

from __future__ import annotations

import dataclasses
from typing import Literal

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import learners, tree
from jaxcurriculum.checks import check_environment
from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.editors import Editor
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.learners.ppo import PpoConfig
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, random_seeds
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.teachers.parts.building import Moves, build, no_moves, relive
from jaxcurriculum.teachers.parts.regret import regret_by_origin

NUM_NUMBERS = 1000  # rounds are numbered 0 to 999 and again: episodes of other rounds do not count


@dataclasses.dataclass(frozen=True, kw_only=True)
class BuilderConfig(PpoConfig):
    """PPO as the builder learns by it, in minibatches of whole levels."""

    hidden: tuple[int, ...] = field((32,), low=1, help="width of each hidden layer of the heads")
    memory: Literal["none", "gru", "lstm", "s5"] = field(
        "gru", help="what the builder remembers moves with"
    )
    memory_size: int = field(64, low=1, help="features of each layer of memory; even for s5")
    standardise: bool = field(False, help="standardise observations by running statistics")
    minibatch_size: int = field(
        32, low=1, help="levels a gradient step, with all their moves; divides num_levels"
    )
    discount: Swept = field(0.995, low=0, high=1, help="per move")
    gae_lambda: Swept = field(
        0.98, low=0, high=1, help="0: one-step advantage, 1: Monte-Carlo return"
    )
    entropy_coefficient: Swept = field(0.05, low=0, help="weight of the policy's entropy, nats")

    @classmethod
    def published(cls, gae_lambda: float = 0.98, entropy: float = 0.05) -> BuilderConfig:
        """What dcd, minimax and jaxued have in common, and the two numbers that differ."""
        return cls(
            memory="lstm",
            memory_size=256,
            learning_rate=1e-4,
            gae_lambda=gae_lambda,
            entropy_coefficient=entropy,
        )


@dataclasses.dataclass(frozen=True, kw_only=True)
class PairedConfig(Config):
    """Which regret the builder raises, and how it learns."""

    objective: Literal["paired", "flexible", "population", "mean", "minimax"] = field(
        "paired",
        help="what a level is worth; minimax: that students fail, which needs one of them alone",
    )
    clamp: bool = field(True, help="negative regret counts as 0 (minimax is as it is)")
    num_students: int = field(2, low=1, high=100, help="students who practise the levels")
    num_levels: int = field(
        32,
        low=1,
        high=100_000,  # times 1,000, which `origin` has room for
        help="levels built a round; a round of more proposals has them again",
    )
    builder: BuilderConfig = field(BuilderConfig(), help="how the builder learns")

    def __post_init__(self):
        super().__post_init__()
        if self.objective != "minimax" and self.num_students < 2:
            raise ValueError(
                "PairedConfig.num_students must be at least 2, as regret compares students, got"
                f" {self.num_students} (minimax needs one alone)."
            )
        if self.num_levels % self.builder.minibatch_size:
            raise ValueError(
                f"BuilderConfig.minibatch_size must divide num_levels={self.num_levels}, got"
                f" {self.builder.minibatch_size}."
            )

    @classmethod
    def dcd(cls) -> PairedConfig:
        """For mazes, as in dcd: no bonus for entropy."""
        return cls(builder=BuilderConfig.published(gae_lambda=0.95, entropy=0.0))

    @classmethod
    def minimax(cls) -> PairedConfig:
        """For mazes, as in the package minimax: a strong bonus for entropy."""
        return cls(builder=BuilderConfig.published())

    @classmethod
    def jaxued(cls) -> PairedConfig:
        """For mazes, as in jaxued: regret may be negative."""
        return cls(clamp=False, builder=BuilderConfig.published(entropy=1e-3))


class PairedState(struct.PyTreeNode):
    """The builder, and this round's levels."""

    learner: PyTree
    key: Key  # [], of the levels
    moves: Moves  # [num_moves, num_levels, ...]
    number: jax.Array  # [], int32, of the round
    regret: jax.Array  # [num_levels], at the last update; 0 where it is not known
    known: jax.Array  # [num_levels], bool


class PairedReport(struct.PyTreeNode):
    """What the builder was given, and how it learned from that."""

    mean_regret: jax.Array  # [], of the latest levels whose regret is known; nan if none is
    num_known: jax.Array  # [], int32
    builder: dict[str, jax.Array]  # PPO's metrics


def paired(editor: Editor, config: PairedConfig | None = None) -> Teacher:
    """A teacher that builds its levels in `editor`, for a `population` of students.

    The builder learns by the PPO that students have, with a memory. It is rewarded at the last
    move, where its episode ends, and learns from a round's own levels alone. A level where some
    student has not ended an episode in that round has no regret: weight 0. If there is no other,
    the builder stays as it is.

    Every student must meet every level: `make_loop` refuses students of an environment without a
    rollout with `assign="slot"` and `carry=False`. It has to have more steps than an episode, too,
    as a level has no regret before an episode of each student ends there. Both students' steps
    count as steps of training.

    Differs from the paper: regret goes by the episodes that are recorded, which with
    `assign="slot"` are each student's first two on a level in a round; others take all that end
    there. Levels of unknown regret are left out, where others have a student without an episode
    return 0. With more than two students PAIRED's antagonist is the best of all but the first.
    minimax rewards the mean return with its opposite, as the package minimax has it; dcd takes the
    highest. The builder's convolutions have the students' 16 filters, not 128.

    Raises:
      ValueError: from `propose`, when a round has fewer proposals than levels.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.parts.box_editor import box_editor
    >>> box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = paired(box_editor(box))
    >>> teacher.name, teacher.num_learners
    ('paired', 2)
    """
    check_kind("paired.editor", editor, Editor)
    config = given(config, PairedConfig)
    check_environment(editor.env)
    num = config.num_levels
    size = config.builder.minibatch_size * editor.num_moves
    builder = dataclasses.replace(config.builder, minibatch_size=size)
    learner = learners.ppo(editor.env, builder, num)

    def init(key: Key) -> PairedState:
        return PairedState(
            learner=learner.init(key),
            key=key,
            moves=no_moves(editor, learner, num),
            number=jnp.int32(0),
            regret=jnp.zeros((num,), jnp.float32),
            known=jnp.zeros((num,), bool),
        )

    def propose(key: Key, state: PairedState, num_asked: int) -> tuple[PairedState, Proposals]:
        if num_asked < num:
            raise ValueError(
                f"PairedConfig.num_levels must be at most {num_asked}, the proposals of a round,"
                f" got {num}."
            )
        key_build, key_seeds = jax.random.split(key)
        tasks, moves = build(key_build, editor, learner, state.learner, num)
        number = (state.number + 1) % NUM_NUMBERS
        level = jnp.arange(num_asked, dtype=jnp.int32) % num
        proposals = Proposals(
            tasks=jax.tree.map(lambda leaf: leaf[level], tasks),
            seeds=random_seeds(key_seeds, num)[level],
            origin=number * num + level,
            weight=jnp.ones((num_asked,), jnp.float32),
        )
        return state.replace(key=key_build, moves=moves, number=number), proposals

    def update(
        key: Key, state: PairedState, episodes: Episodes, context: Context
    ) -> tuple[PairedState, jax.Array]:
        is_own = episodes.origin // num == state.number
        own = episodes.replace(origin=jnp.where(is_own, episodes.origin % num, -1))
        regret, known = regret_by_origin(own, num, config.objective, config.num_students)
        if config.clamp and config.objective != "minimax":
            regret = jnp.maximum(regret, 0.0)
        weight = known.astype(jnp.float32)

        def learn() -> PyTree:
            experience = relive(state.key, editor, learner, state.moves, regret, weight)
            return learner.learn(key, state.learner, experience)[0]

        some_seed_learns = shared_max(jnp.sum(known)) > 0
        learned = jax.lax.cond(some_seed_learns, learn, lambda: state.learner)
        new = (learned, regret, known)
        old = (state.learner, state.regret, state.known)
        learned, regret, known = tree.where(jnp.any(known), new, old)
        return state.replace(learner=learned, regret=regret, known=known), jnp.int32(0)

    def report(state: PairedState) -> PairedReport:
        num_known = jnp.sum(state.known, dtype=jnp.int32)
        return PairedReport(
            mean_regret=jnp.sum(state.regret) / num_known,
            num_known=num_known,
            builder=learner.report(state.learner),
        )

    return Teacher(
        name="paired" if config.objective == "paired" else f"paired, {config.objective}",
        init=init,
        propose=propose,
        update=update,
        report=report,
        num_learners=config.num_students,
        needs_every_level=True,
        config=config,
    )
