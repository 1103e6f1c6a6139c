"""How a full region is cut in two: the best of some random cuts, or none.

Every function is about one seed, but for `Cutting.all_seeds`.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.device.xla import exact_product, running_sum
from jaxcurriculum.records import Key
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.teachers.parts.regions import Regions, progress

BLOCK = 16  # entries of a running count that are taken at once


class Cut(struct.PyTreeNode):
    """The best of some cuts of a full region."""

    axis: jax.Array  # [], int32
    threshold: jax.Array  # []
    # [max_items + 1], int32, running count of the rows on the lower side, from the oldest row on
    count: jax.Array
    sums: jax.Array  # [4, 2], of both sides
    alp: jax.Array  # [2]
    found: jax.Array  # [], bool: there is any


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cutting:
    """How a full leaf is cut."""

    axes: tuple[int, ...]  # that can be cut
    max_draws: int
    num_attempts: int
    min_items: float  # on each side
    num_forgotten: int  # oldest rows, after a cut in vain
    weigh_populations: bool

    def best(
        self, key: Key, rows: jax.Array, low: jax.Array, high: jax.Array, min_side: jax.Array
    ) -> Cut:
        """The best of the first `num_attempts` cuts that leave `min_items` on each side."""
        axis, place = cut_draws(key, self.max_draws, len(self.axes))
        axis = jnp.array(self.axes, jnp.int32)[axis]
        threshold = low[axis] + place * (high[axis] - low[axis])
        num_lower = jnp.sum(rows[:, axis] <= threshold[None], axis=0)
        enough = jnp.minimum(num_lower, len(rows) - num_lower) >= self.min_items
        attempts = ring.valid_first(enough)[0][: self.num_attempts]
        axis, threshold, enough = axis[attempts], threshold[attempts], enough[attempts]
        lower = rows.T[axis] <= threshold[:, None]
        sums, populations, count = _side_sums(rows[:, -1], lower)
        alp = progress(sums, populations)
        score = jnp.abs(alp[0] - alp[1])
        if self.weigh_populations:
            score = score * (populations[0] * populations[1]).astype(jnp.float32)
        valid = enough & (threshold - low[axis] >= min_side)
        valid = valid & (high[axis] - threshold >= min_side)
        # of equally good ones the last
        score = jnp.where(valid, score, -1.0)
        best = self.num_attempts - 1 - jnp.argmax(score[::-1])
        return Cut(
            axis=axis[best],
            threshold=threshold[best],
            count=count[best],
            sums=sums[:, :, best],
            alp=alp[:, best],
            found=jnp.any(valid),
        )

    def one(
        self,
        states: Regions,
        seed: jax.Array,
        region: jax.Array,
        number: jax.Array,
        key: Key,
        min_side: jax.Array,
    ) -> Regions:
        """Cut the full `region` of `seed`, or let it forget its oldest rows."""
        num_slots = states.slots.shape[2]
        capacity = num_slots - 1
        held = (number - capacity + jnp.arange(capacity)) % num_slots  # the oldest first
        items = states.slots[seed, region][held].astype(jnp.int32)
        rows = states.items[seed, items]
        low, high = states.low[seed, region], states.high[seed, region]
        cut = self._if_large(key, rows, low, high, min_side)
        num_lower = cut.count[-1]
        divided = _divided(rows, items, cut, states.slots.dtype)
        across = jnp.arange(len(low)) == cut.axis
        kept_sums, num_kept = self._kept_sums(rows[:, -1])
        new = states.num_regions[seed]

        def in_parent(array: jax.Array, value: jax.Array) -> jax.Array:
            return _put(array, (seed, region), [value], cut.found)

        def in_halves(array: jax.Array, lower: jax.Array, upper: jax.Array) -> jax.Array:
            return _put(array, (seed, new), [lower, upper], cut.found)

        def in_leaf(array: jax.Array, value: jax.Array) -> jax.Array:
            return _put(array, (seed, region), [value], ~cut.found)

        sums = in_halves(states.sums, *cut.sums.T)
        alp = in_halves(states.alp, *cut.alp)
        return states.replace(
            low=in_halves(states.low, low, jnp.where(across, cut.threshold, low)),
            high=in_halves(states.high, jnp.where(across, cut.threshold, high), high),
            axis=in_parent(states.axis, cut.axis),
            threshold=in_parent(states.threshold, cut.threshold),
            child=in_parent(states.child, new),
            slots=in_halves(states.slots, divided, jnp.roll(divided, -num_lower)),
            num_rows=in_halves(states.num_rows, num_lower, capacity - num_lower),
            first_row=in_leaf(states.first_row, number - capacity + self.num_forgotten),
            sums=in_leaf(sums, kept_sums),
            alp=in_leaf(alp, progress(kept_sums, jnp.int32(num_kept))),
            num_regions=states.num_regions.at[seed].add(2 * cut.found.astype(jnp.int32)),
        )

    def _if_large(
        self, key: Key, rows: jax.Array, low: jax.Array, high: jax.Array, min_side: jax.Array
    ) -> Cut:
        """The best cut; none, and no work, where the region is too small to be cut."""
        asked = (key, rows, low, high, min_side)
        shapes = jax.eval_shape(self.best, *asked)

        def none(*_) -> Cut:
            return jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)

        is_large = jnp.any(high - low >= 2 * min_side)  # later in a run most full leaves are not
        return jax.lax.cond(is_large, self.best, none, *asked)

    def _kept_sums(self, returns: jax.Array) -> tuple[jax.Array, int]:
        """Sums ([4]) and number of the rows of a leaf that it keeps after a cut in vain."""
        kept = _two_parts(returns)[self.num_forgotten :]
        halves = jnp.split(kept, [len(kept) - len(kept) // 2])
        return jnp.concatenate([jnp.sum(half, axis=0) for half in halves]), len(kept)

    def all_seeds(
        self, states: Regions, leaf: jax.Array, needed: jax.Array, keys: Key, min_side: jax.Array
    ) -> Regions:
        """All seeds' regions, each `leaf` cut where `needed`, one after the other."""
        order, num_needed = ring.valid_first(needed)
        num_episodes = states.num_rows[:, 0]
        number = states.num_rows[jnp.arange(len(leaf)), leaf]

        def one(index: jax.Array, states: Regions) -> Regions:
            seed = order[index]
            key = jax.random.fold_in(keys[seed], num_episodes[seed])
            return self.one(states, seed, leaf[seed], number[seed], key, min_side[seed])

        return jax.lax.fori_loop(0, num_needed, one, states)


def cut_draws(key: Key, num_draws: int, num_axes: int) -> tuple[jax.Array, jax.Array]:
    """The random numbers of one cut: axes [num_draws] int32 and places [num_draws] in [0, 1)."""
    key_axis, key_place = jax.random.split(key)
    axes = jax.random.randint(key_axis, (num_draws,), 0, num_axes)
    return axes, jax.random.uniform(key_place, (num_draws,))


def _divided(rows: jax.Array, items: jax.Array, cut: Cut, dtype: jnp.dtype) -> jax.Array:
    """The `items` of a region, those of the lower half first, and one slot more."""
    num_lower, capacity = cut.count[-1], len(items)
    is_lower = rows[:, cut.axis] <= cut.threshold
    upper_place = num_lower + jnp.arange(capacity) - cut.count
    place = jnp.where(is_lower, cut.count - 1, upper_place)
    return jnp.zeros((capacity + 1,), dtype).at[place].set(items.astype(dtype))


def _side_sums(returns: jax.Array, lower: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Sums, numbers and running counts on both sides of cuts.

    A cut is given by the rows on its lower side ([num_cuts, num] bool). Returned are `sums` ([4, 2,
    num_cuts]), the number ([2, num_cuts]) of rows on both sides, and the running count of those on
    the lower one ([num_cuts, num]).
    """
    num_lower = _running_count(lower)
    num_upper = jnp.arange(1, len(returns) + 1)[None] - num_lower
    ranks = jnp.stack([num_lower, num_upper])
    populations = ranks[..., -1]
    is_older = ranks <= (populations - populations // 2)[..., None]
    sides = jnp.stack([lower, ~lower])
    halves = jnp.stack([sides & is_older, sides & ~is_older]).astype(jnp.float32)
    sums = exact_product(halves, _two_parts(returns))  # [half, side, num_cuts, part]
    sums = jnp.moveaxis(sums, 3, 1).reshape(4, *populations.shape)
    return sums, populations, num_lower


def _two_parts(returns: jax.Array) -> jax.Array:
    """`returns` as coarse numbers, whose sums are exact in any order, and remainders, [num, 2]."""
    large = jnp.max(jnp.abs(returns)) * 2.0 ** (2 + int(np.log2(len(returns))))
    coarse = (returns + large) - large
    return jnp.stack([coarse, returns - coarse], axis=1)


def _running_count(members: jax.Array) -> jax.Array:
    """How many of each row of `members` are among its first 1, 2, ... entries."""
    num_sets, num = members.shape
    padded = jnp.pad(members, ((0, 0), (0, -num % BLOCK)))
    within = running_sum(padded.reshape(num_sets, -1, BLOCK).astype(jnp.float32))
    before = running_sum(within[..., -1]) - within[..., -1]
    counts = (within + before[..., None]).reshape(num_sets, -1)
    return counts[:, :num].astype(jnp.int32)


def _put(
    array: jax.Array, place: tuple[jax.Array, jax.Array], values: list, wanted: jax.Array
) -> jax.Array:
    """`array` ([num_seeds, max_regions, ...]) with `values` from `place` on where `wanted`.

    A place is a seed and a region. By slices, not by scatters: of these XLA's CPU compiler fuses
    several into one loop, and ends the process (jaxlib 0.10).
    """
    start = (*place, *[0] * (array.ndim - 2))
    old = jax.lax.dynamic_slice(array, start, (1, len(values), *array.shape[2:]))
    new = jnp.where(wanted, jnp.stack(values)[None], old)
    return jax.lax.dynamic_update_slice(array, new, start)
