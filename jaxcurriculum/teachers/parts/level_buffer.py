"""A buffer of levels (task and seed), replayed the more the higher and older their score.

    P    = (1 - staleness) P_S + staleness P_T
    P_S ~ 1 / rank(score)^(1 / temperature)    ("rank", the highest score has rank 1)
    P_S ~ max(score, 0)^(1 / temperature)      ("power")
    P_T ~ visits of any level since the level was last scored

Source: M. Jiang, E. Grefenstette, T. Rocktäschel, "Prioritized level replay", ICML 2021; what a
full buffer gives up: M. Jiang, M. Dennis, J. Parker-Holder, J. Foerster, E. Grefenstette, T.
Rocktäschel, "Replay-guided adversarial environment design", NeurIPS 2021.
"""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.device.xla import write_row
from jaxcurriculum.records import Key, Proposals, PyTree
from jaxcurriculum.spaces import Space
from jaxcurriculum.teachers.parts.level_scores import Score
from jaxcurriculum.teachers.parts.ring import valid_first
from jaxcurriculum.teachers.parts.sampling import in_proportion, without_repeats
from jaxcurriculum.teachers.parts.visits import Visits


class LevelBuffer(struct.PyTreeNode):
    """Levels in slots 0 to `num_filled` - 1; a level keeps its slot until another one takes it."""

    tasks: PyTree  # [capacity, ...]
    seeds: jax.Array  # [capacity], uint32
    scores: jax.Array  # [capacity], -inf where empty
    # [capacity], what the score remembers of the level (its best return, for example)
    memory: jax.Array
    # [capacity], int32, 1 for the highest score; of equal ones the lower slot comes first
    ranks: jax.Array
    scored_at: jax.Array  # [capacity], int32, num_visits when the level was last scored
    replay_probs: jax.Array  # [capacity], sum to 1 unless the buffer is empty; 0 where empty
    num_filled: jax.Array  # [], int32
    # [], int32, visits with a score so far, whether the level was kept or not
    num_visits: jax.Array


Prioritise = Callable[[LevelBuffer], jax.Array]  # (buffer) -> replay_probs [capacity]


def empty(space: Space, capacity: int) -> LevelBuffer:
    """A buffer of `capacity` slots without a level."""
    task = jax.eval_shape(space.sample, jax.eval_shape(lambda: jax.random.key(0)))
    return LevelBuffer(
        tasks=tree.blank(task, capacity),
        seeds=jnp.zeros((capacity,), jnp.uint32),
        scores=jnp.full((capacity,), -jnp.inf, jnp.float32),
        memory=jnp.zeros((capacity,), jnp.float32),
        ranks=jnp.ones((capacity,), jnp.int32),
        scored_at=jnp.zeros((capacity,), jnp.int32),
        replay_probs=jnp.zeros((capacity,), jnp.float32),
        num_filled=jnp.int32(0),
        num_visits=jnp.int32(0),
    )


def replay_probs(
    buffer: LevelBuffer,
    prioritisation: str,
    temperature: float | jax.Array,
    staleness: float | jax.Array,
) -> jax.Array:
    """The probability with which each level is replayed next, [capacity].

    P_S is uniform where no score is positive ("power"), P_T where no level is stale.

    >>> from jaxcurriculum.spaces import Box
    >>> buffer = empty(Box(names=("height",), low=(0.0,), high=(3.0,)), capacity=3).replace(
    ...     scores=jnp.array([1.0, 3.0, -jnp.inf]),
    ...     ranks=jnp.array([2, 1, 3]),
    ...     scored_at=jnp.array([4, 9, 0]),
    ...     num_filled=jnp.int32(2),
    ...     num_visits=jnp.int32(9),
    ... )
    >>> replay_probs(buffer, "power", temperature=1.0, staleness=0.0).tolist()
    [0.25, 0.75, 0.0]
    >>> replay_probs(buffer, "rank", temperature=1.0, staleness=1.0).tolist()
    [1.0, 0.0, 0.0]
    """
    filled = jnp.arange(buffer.seeds.shape[0]) < buffer.num_filled
    if prioritisation == "rank":
        # a table, the same for all seeds
        table = jnp.arange(1.0, filled.shape[0] + 1) ** (-1 / temperature)
        weights = table[buffer.ranks - 1]
    else:
        positive = jnp.maximum(buffer.scores, 0.0)
        # a ratio to the highest neither vanishes nor overflows at a low temperature
        highest = jnp.max(positive)
        ratio = positive / jnp.where(highest > 0, highest, 1.0)
        weights = jnp.where(positive > 0, ratio ** (1 / temperature), 0.0)
    age = (buffer.num_visits - buffer.scored_at).astype(jnp.float32)
    by_score = _proportional(weights, filled, buffer.num_filled)
    by_age = _proportional(age, filled, buffer.num_filled)
    return (1 - staleness) * by_score + staleness * by_age


def sample(key: Key, buffer: LevelBuffer, num: int, distinct: bool) -> jax.Array:
    """Slots ([num] int32) drawn from `buffer.replay_probs`; slot 0 from an empty buffer.

    Where they are to be `distinct` no level comes again before all others that can have come.
    """
    if distinct:
        return without_repeats(key, buffer.replay_probs, num)
    places = jax.random.uniform(key, (num,))
    return in_proportion(places, buffer.replay_probs, jnp.maximum(buffer.num_filled, 1))


def with_replays(
    key: Key, buffer: LevelBuffer, new: Proposals, replayed: jax.Array, distinct: bool
) -> Proposals:
    """`new` proposals, but levels of the buffer where `replayed` ([num] bool), tagged by slot."""
    drawn = sample(key, buffer, replayed.shape[0], distinct)
    slots = drawn[jnp.maximum(jnp.cumsum(replayed) - 1, 0)]
    held = tree.take(buffer.tasks, slots)
    return new.replace(
        tasks=tree.where(replayed, held, new.tasks),
        seeds=jnp.where(replayed, buffer.seeds[slots], new.seeds),
        origin=jnp.where(replayed, slots, new.origin),
    )


def observe(
    buffer: LevelBuffer, visits: Visits, score: Score, prioritise: Prioritise
) -> LevelBuffer:
    """Score the levels of `visits` one after the other, as if each had come alone.

    A level that the buffer holds gets its new score, whatever slot it was drawn from. Any other one
    takes the next empty slot; once all are taken, that of the level least likely to be replayed, if
    it scores at least as high. Visits whose score is not finite change nothing.
    """
    order, num_valid = valid_first(visits.valid)
    in_order = tree.take(visits, order)

    def one(index: jax.Array, buffer: LevelBuffer) -> LevelBuffer:
        visit = tree.take(in_order, index)
        return _observe_one(buffer, visit, index < num_valid, score, prioritise)

    return jax.lax.fori_loop(0, shared_max(num_valid), one, buffer)


def holds(buffer: LevelBuffer, slot: jax.Array, task: PyTree, seed: jax.Array) -> jax.Array:
    """Whether `slot` ([] int32) holds the level of `task` and `seed` ([] uint32), [] bool."""
    same_seed = (slot < buffer.num_filled) & (buffer.seeds[slot] == seed)
    same = jax.tree.map(lambda held, asked: jnp.all(held[slot] == asked), buffer.tasks, task)
    return jax.tree.reduce(jnp.logical_and, same, same_seed)


def _observe_one(
    buffer: LevelBuffer, visit: Visits, valid: jax.Array, score: Score, prioritise: Prioritise
) -> LevelBuffer:
    capacity = buffer.seeds.shape[0]
    slot = jnp.minimum(_first(buffer.seeds == visit.seeds), capacity - 1)
    known = holds(buffer, slot, visit.tasks, visit.seeds)
    new_score, memory = score(visit, buffer.memory[slot], known)
    scored = valid & jnp.isfinite(new_score)
    weakest = _first(buffer.replay_probs == jnp.min(buffer.replay_probs))
    full = buffer.num_filled == capacity
    kept = known | ~full | (new_score >= buffer.scores[weakest])
    slot = jnp.where(known, slot, jnp.where(full, weakest, buffer.num_filled))
    slot = jnp.where(scored & kept, slot, capacity)
    num_visits = buffer.num_visits + scored.astype(jnp.int32)
    buffer = buffer.replace(
        ranks=_reranked(buffer, slot, new_score),
        tasks=write_row(buffer.tasks, slot, visit.tasks),
        seeds=write_row(buffer.seeds, slot, visit.seeds),
        scores=write_row(buffer.scores, slot, new_score),
        memory=write_row(buffer.memory, slot, memory),
        scored_at=write_row(buffer.scored_at, slot, num_visits),
        num_filled=buffer.num_filled + (scored & ~known & ~full).astype(jnp.int32),
        num_visits=num_visits,
    )
    return buffer.replace(replay_probs=prioritise(buffer))


def _reranked(buffer: LevelBuffer, slot: jax.Array, new_score: jax.Array) -> jax.Array:
    """The ranks after `slot` gets `new_score`: others move by one at most, no sort."""
    capacity = buffer.seeds.shape[0]
    slots = jnp.arange(capacity, dtype=jnp.int32)
    old_score = buffer.scores[jnp.minimum(slot, capacity - 1)]

    def below(score: jax.Array) -> jax.Array:
        is_equal = buffer.scores == score
        return (buffer.scores < score) | (is_equal & (slots > slot))

    below_new, below_old = below(new_score), below(old_score)
    is_above = ~below_new & (slots != slot) & (slots < buffer.num_filled)
    own = 1 + jnp.sum(is_above, dtype=jnp.int32)
    moved = buffer.ranks + below_new.astype(jnp.int32) - below_old.astype(jnp.int32)
    ranks = jnp.where(slots == slot, own, moved)
    return jnp.where(slot == capacity, buffer.ranks, ranks)


def _proportional(weights: jax.Array, filled: jax.Array, num_filled: jax.Array) -> jax.Array:
    """`weights` over their sum among the filled slots, uniform where all are 0."""
    weights = jnp.where(filled, weights, 0.0)
    total = jnp.sum(weights)
    uniform = filled / jnp.maximum(num_filled, 1).astype(jnp.float32)
    return jnp.where(total > 0, weights / jnp.where(total > 0, total, 1.0), uniform)


def _first(where: jax.Array) -> jax.Array:
    """The first index where `where` ([num] bool) holds, else `num`; argmax is slow on a CPU."""
    num = where.shape[0]
    return jnp.min(jnp.where(where, jnp.arange(num, dtype=jnp.int32), num))
