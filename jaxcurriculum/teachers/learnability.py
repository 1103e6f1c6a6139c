"""Sampling for learnability (SFL): practise levels that the student solves half of the time.

    every `refresh_every` rounds, on the student as it is:
        $p$ = share of `num_attempts` attempts that solve a level,
        for `num_candidates` random levels;
        the `capacity` levels of the highest $p (1 - p)$ replace those of before
    each proposal: with probability `replay_prob` one of these levels, uniformly; else a random one
    (no level twice in a round while there are others)

Source: A. Rutherford, M. Beukman, T. Willi, B. Lacerda, N. Hawes, J. Foerster, "No regrets:
investigating and improving regret approximations for curriculum discovery", NeurIPS 2024.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, fresh_proposals, random_seeds
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Space
from jaxcurriculum.teachers.parts.probing import check_attempts, spent_steps, success_rates
from jaxcurriculum.teachers.parts.sampling import without_repeats

RANDOM = -1  # origin of a random level; otherwise the slot of the buffer


@dataclasses.dataclass(frozen=True, kw_only=True)
class LearnabilityConfig(Config):
    """Smaller than the published thousands of candidates: probes count as steps."""

    refresh_every: int = field(
        50,
        low=1,
        help="rounds between two probes of the student; the first follows the first round",
    )
    num_candidates: int = field(250, low=1, help="random levels probed")
    num_attempts: int = field(5, low=2, help="episodes on each of them")
    capacity: int = field(50, low=1, help="levels kept")
    replay_prob: Swept = field(0.5, low=0, high=1, help="share of proposals that come from these")

    @classmethod
    def published(cls) -> LearnabilityConfig:
        """For mazes, as published: a quarter of a million episodes a probe."""
        return cls(refresh_every=100, num_candidates=25_000, num_attempts=10, capacity=1000)

    def __post_init__(self):
        super().__post_init__()
        check_attempts(self, "num_candidates")
        if self.capacity > self.num_candidates:
            raise ValueError(
                f"LearnabilityConfig.capacity must be at most num_candidates={self.num_candidates},"
                f" got {self.capacity}."
            )


class LearnabilityState(struct.PyTreeNode):
    """The levels of the latest probe, the most learnable first."""

    tasks: PyTree  # [capacity, ...]
    seeds: jax.Array  # [capacity], uint32
    learnability: jax.Array  # [capacity], p (1 - p), in [0, 0.25]
    num_filled: jax.Array  # [], int32, 0 before the first probe


def learnability(task_space: Space, config: LearnabilityConfig | None = None) -> Teacher:
    """A teacher that probes the student on random levels and replays those of intermediate success.

    A level whose attempts all ended invalid is not kept; of levels equally learnable the first
    drawn are kept. The episodes of training change nothing.

    Differs from the paper: each proposal is random or replayed by itself. An attempt is an episode,
    however many steps it takes (the paper fixes the steps). The probe's environment steps are
    returned as `probe_steps`, the sum of its episodes' lengths, and so count beside those of
    training. A student whose attempts cannot differ, as the simulated ones without noise, has no
    learnable level: then the kept levels are random ones.

    >>> from jaxcurriculum.spaces import Box
    >>> teacher = learnability(Box(names=("height",), low=(0.0,), high=(3.0,)))
    >>> _, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 3)
    >>> proposals.tasks.shape, proposals.origin.tolist()
    ((3, 1), [-1, -1, -1])
    """
    config = given(config, LearnabilityConfig)

    def draw(key: Key, num: int) -> PyTree:
        return jax.vmap(task_space.sample)(jax.random.split(key, num))

    def init(key: Key) -> LearnabilityState:
        def none(leaf: jax.ShapeDtypeStruct) -> jax.Array:
            return jnp.zeros((config.capacity, *leaf.shape), leaf.dtype)

        return LearnabilityState(
            tasks=jax.tree.map(none, jax.eval_shape(task_space.sample, key)),
            seeds=jnp.zeros((config.capacity,), jnp.uint32),
            learnability=jnp.zeros((config.capacity,), jnp.float32),
            num_filled=jnp.int32(0),
        )

    def propose(
        key: Key, state: LearnabilityState, num: int
    ) -> tuple[LearnabilityState, Proposals]:
        key_random, key_seeds, key_replay, key_slots = jax.random.split(key, 4)
        fresh = fresh_proposals(key_seeds, draw(key_random, num))
        replayed = jax.random.uniform(key_replay, (num,)) < config.replay_prob
        replayed = replayed & (state.num_filled > 0)
        filled = jnp.arange(config.capacity) < state.num_filled
        drawn = without_repeats(key_slots, 1.0 * filled, num)
        slots = drawn[jnp.maximum(jnp.cumsum(replayed) - 1, 0)]
        held_tasks = jax.tree.map(lambda leaf: leaf[slots], state.tasks)
        return state, fresh.replace(
            tasks=tree.where(replayed, held_tasks, fresh.tasks),
            seeds=tree.where(replayed, state.seeds[slots], fresh.seeds),
            origin=jnp.where(replayed, slots, RANDOM),
        )

    def probed(key: Key, context: Context) -> tuple[LearnabilityState, jax.Array]:
        key_tasks, key_seeds, key_probe = jax.random.split(key, 3)
        tasks = draw(key_tasks, config.num_candidates)
        seeds = random_seeds(key_seeds, config.num_candidates)
        episodes = context.probe(key_probe, tasks, seeds, config.num_attempts, False)
        rate, num = success_rates(episodes, config.num_attempts)
        score = jnp.where(num > 0, rate * (1 - rate), -1.0)  # -1: no attempt counts
        best, chosen = jax.lax.top_k(score, config.capacity)
        state = LearnabilityState(
            tasks=jax.tree.map(lambda leaf: leaf[chosen], tasks),
            seeds=seeds[chosen],
            learnability=jnp.maximum(best, 0.0),
            num_filled=jnp.sum(best >= 0, dtype=jnp.int32),
        )
        return state, spent_steps(episodes)

    def update(
        key: Key, state: LearnabilityState, episodes: Episodes, context: Context
    ) -> tuple[LearnabilityState, jax.Array]:
        due = context.round % config.refresh_every == 0  # not mapped over seeds: a true branch
        return jax.lax.cond(due, lambda: probed(key, context), lambda: (state, jnp.int32(0)))

    def report(state: LearnabilityState) -> LearnabilityState:
        return state

    return Teacher(
        name="learnability",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )
