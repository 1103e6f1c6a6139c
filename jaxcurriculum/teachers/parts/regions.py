"""Boxes of a task space in a binary tree, each with its latest episodes and their learning
progress, and the cutting of a box.

    ALP(region)  =  |mean(older half) - mean(newer half)|   of the latest `max_items` returns in it
    (0 for two or fewer)

Every function is about one seed, but for `Cutting.all_seeds`.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.records import Key
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.teachers.parts.sampling import exact_product, running_sum

BLOCK = 16  # entries of a running count that are taken at once


class Regions(struct.PyTreeNode):
    """The tree of regions, in the unit cube. Region 0 is the whole space, and the halves of a
    region have consecutive numbers.

    A region's rows are those on its side of the cut that made it and all that came since; it
    remembers the latest max_items + 1. Row n, counted from its first, lies in slot n mod (max_items
    + 2), which says what item it is: regions that contain the same episode share one. The slot to
    be written next still names the item that was dropped last. If a leaf drops an item nobody
    remembers it, as the regions above got all of the leaf's later rows too. It is spare then, so
    there need be no more items than leaves can remember.
    """

    low: jax.Array  # [max_regions, dims]
    high: jax.Array  # [max_regions, dims]
    axis: jax.Array  # [max_regions], int32, across which the region is cut
    threshold: jax.Array  # [max_regions], where; a task on it belongs to the lower half
    child: jax.Array  # [max_regions], int32, the lower half, the upper is the next; 0: a leaf
    items: jax.Array  # [most leaves * (max_items + 1) + 1, dims + 1], (task, return)
    num_items: jax.Array  # [], int32, items ever used
    spare: jax.Array  # [], int32, the item of the next episode
    # [max_regions, max_items + 2], the item of each row; uint16 if that is enough, else int32
    slots: jax.Array
    num_rows: jax.Array  # [max_regions], int32, rows ever written
    first_row: jax.Array  # [max_regions], int32, rows before this one are forgotten
    # [max_regions, 4], sum and rounding error of the window's older half, and of its newer one
    sums: jax.Array
    alp: jax.Array  # [max_regions], 0 beyond num_regions
    num_regions: jax.Array  # [], int32


def empty(max_regions: int, max_items: int, dims: int) -> Regions:
    """The whole space as one region, without any episode."""
    integers, numbers = jnp.zeros((max_regions,), jnp.int32), jnp.zeros((max_regions,), jnp.float32)
    most_items = (max_regions + 1) // 2 * (max_items + 1) + 1
    return Regions(
        low=jnp.zeros((max_regions, dims), jnp.float32),
        high=jnp.zeros((max_regions, dims), jnp.float32).at[0].set(1.0),
        axis=integers,
        threshold=numbers,
        child=integers,
        items=jnp.zeros((most_items, dims + 1), jnp.float32),
        num_items=jnp.int32(1),
        spare=jnp.int32(0),
        slots=jnp.zeros(
            (max_regions, max_items + 2), jnp.uint16 if most_items <= 2**16 else jnp.int32
        ),
        num_rows=integers,
        first_row=integers,
        sums=jnp.zeros((max_regions, 4), jnp.float32),
        alp=numbers,
        num_regions=jnp.int32(1),
    )


def cut_draws(key: Key, num_draws: int, num_axes: int) -> tuple[jax.Array, jax.Array]:
    """The random numbers of one cut: axes ([num_draws] int32, in [0, num_axes)) and places
    between the bounds ([num_draws], in [0, 1)).
    """
    key_axis, key_place = jax.random.split(key)
    return jax.random.randint(key_axis, (num_draws,), 0, num_axes), jax.random.uniform(
        key_place, (num_draws,)
    )


def num_rows_held(state: Regions, region: jax.Array) -> jax.Array:
    """How many rows `region` remembers, at most max_items + 1."""
    return jnp.minimum(state.num_rows[region] - state.first_row[region], state.slots.shape[1] - 1)


def add(state: Regions, row: jax.Array, present: jax.Array) -> tuple[Regions, jax.Array]:
    """Write `row` (task, return) into every region that contains its task, from the whole space
    down to the leaf, which is returned.
    """
    max_regions, num_slots = state.slots.shape
    capacity, spare = num_slots - 1, state.spare
    state = state.replace(
        items=state.items.at[jnp.where(present, spare, len(state.items))].set(row, mode="drop")
    )

    def visit(carry):
        _, region, present, dropped, state = carry
        written = jnp.where(present, region, max_regions)
        num_held, number = num_rows_held(state, region), state.num_rows[region]
        slots = state.slots.at[written, number % num_slots].set(
            spare.astype(state.slots.dtype), mode="drop"
        )
        item = lambda number: slots[region, number % num_slots].astype(jnp.int32)
        dropped = jnp.where(present, item(number + 1), dropped)
        num_window = jnp.minimum(num_held, capacity - 1)
        full = num_window == capacity - 1
        # The halves of an even window give their border to the older one when a row is added; at
        # full length all rows move on.
        passes_on = full | (num_window % 2 == 0)
        border = jnp.where(passes_on, state.items[item(number - num_window // 2), -1], 0.0)
        leaving = jnp.where(full, state.items[item(number - num_window), -1], 0.0)
        older, older_error, newer, newer_error = state.sums[region]
        sums = jnp.stack(
            [
                *_plus(*_plus(older, older_error, border), -leaving),
                *_plus(*_plus(newer, newer_error, row[-1]), -border),
            ]
        )
        state = state.replace(
            slots=slots,
            num_rows=state.num_rows.at[written].set(number + 1, mode="drop"),
            sums=state.sums.at[written].set(sums, mode="drop"),
            alp=state.alp.at[written].set(
                progress(sums, jnp.minimum(num_held + 1, capacity - 1)), mode="drop"
            ),
        )
        child = state.child[region]
        goes_on = present & (child > 0)
        upper = row[state.axis[region]] > state.threshold[region]
        return (
            shared_max(goes_on),
            jnp.where(goes_on, child + upper.astype(jnp.int32), region),
            goes_on,
            dropped,
            state,
        )

    start = (shared_max(present), jnp.int32(0), present, spare, state)
    _, leaf, _, dropped, state = jax.lax.while_loop(lambda carry: carry[0], visit, start)
    grows = present & (state.num_rows[leaf] <= capacity)
    num_items = state.num_items + grows.astype(jnp.int32)
    return state.replace(
        num_items=num_items, spare=jnp.where(grows, state.num_items, dropped)
    ), leaf


def _plus(total: jax.Array, error: jax.Array, value: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`total` + `value`, and in `error` what rounding lost so far, so that a sum that slides
    for ever does not drift.
    """
    new = total + value
    taken = new - total
    return new, error + ((total - (new - taken)) + (value - taken))


def progress(sums: jax.Array, num: jax.Array) -> jax.Array:
    """ALP of `num` returns whose halves have these sums ([4, ...])."""
    num_newer = num // 2
    older = (sums[0] + sums[1]) / jnp.maximum(num - num_newer, 1).astype(jnp.float32)
    newer = (sums[2] + sums[3]) / jnp.maximum(num_newer, 1).astype(jnp.float32)
    return jnp.where(num > 2, jnp.abs(older - newer), 0.0)


def worst_task(state: Regions, region: jax.Array) -> jax.Array:
    """The task of lowest return that `region` remembers, in the unit cube, [dims]; of equally
    low ones the oldest.
    """
    num_slots = state.slots.shape[1]
    num_held, slots = num_rows_held(state, region), state.slots[region].astype(jnp.int32)
    age = (jnp.arange(num_slots) - state.num_rows[region] + num_held) % num_slots
    returns = jnp.where(age < num_held, state.items[slots, -1], jnp.inf)
    youth = jnp.min(jnp.where(returns == jnp.min(returns), age, num_slots))
    return state.items[slots[(state.num_rows[region] - num_held + youth) % num_slots], :-1]


def _running_count(members: jax.Array) -> jax.Array:
    """How many of each row of `members` ([num_sets, num] bool) are among its first 1, 2, ...
    entries, int32.
    """
    num_sets, num = members.shape
    blocks = (
        jnp.pad(members, ((0, 0), (0, -num % BLOCK)))
        .reshape(num_sets, -1, BLOCK)
        .astype(jnp.float32)
    )
    within = running_sum(blocks)
    before = running_sum(within[..., -1]) - within[..., -1]
    return (within + before[..., None]).reshape(num_sets, -1)[:, :num].astype(jnp.int32)


def _two_parts(returns: jax.Array) -> jax.Array:
    """`returns` ([num]) as coarse numbers, whose sums are exact in any order, and small
    remainders, [num, 2].
    """
    large = jnp.max(jnp.abs(returns)) * 2.0 ** (2 + int(np.log2(len(returns))))
    coarse = (returns + large) - large
    return jnp.stack([coarse, returns - coarse], axis=1)


def _side_sums(returns: jax.Array, lower: jax.Array) -> tuple[jax.Array, jax.Array, jax.Array]:
    """For cuts given by the rows on their lower sides ([num_cuts, num] bool): `sums` ([4, 2,
    num_cuts]) and number ([2, num_cuts]) of the rows on both sides, and the running count of those
    on the lower one ([num_cuts, num]).
    """
    num_lower = _running_count(lower)
    ranks = jnp.stack([num_lower, jnp.arange(1, len(returns) + 1)[None] - num_lower])
    populations = ranks[..., -1]
    is_older = ranks <= (populations - populations // 2)[..., None]
    sides = jnp.stack([lower, ~lower])
    halves = jnp.stack([sides & is_older, sides & ~is_older]).astype(jnp.float32)
    sums = exact_product(halves, _two_parts(returns))  # [half, side, num_cuts, part]
    return jnp.moveaxis(sums, 3, 1).reshape(4, *populations.shape), populations, num_lower


def _put(
    array: jax.Array, seed: jax.Array, region: jax.Array, values: list[jax.Array], wanted: jax.Array
) -> jax.Array:
    """`array` ([num_seeds, max_regions, ...]) with `values` from `region` on where `wanted`.

    By slices, not by scatters: of these XLA's CPU compiler fuses several into one loop, and ends
    the process (jaxlib 0.10).
    """
    start = (seed, region, *[0] * (array.ndim - 2))
    old = jax.lax.dynamic_slice(array, start, (1, len(values), *array.shape[2:]))
    return jax.lax.dynamic_update_slice(
        array, jnp.where(wanted, jnp.stack(values)[None], old), start
    )


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
        sums, populations, count = _side_sums(rows[:, -1], rows.T[axis] <= threshold[:, None])
        alp = progress(sums, populations)
        score = jnp.abs(alp[0] - alp[1])
        if self.weigh_populations:
            score = score * (populations[0] * populations[1]).astype(jnp.float32)
        valid = enough & (threshold - low[axis] >= min_side) & (high[axis] - threshold >= min_side)
        # of equally good ones the last
        best = self.num_attempts - 1 - jnp.argmax(jnp.where(valid, score, -1.0)[::-1])
        return Cut(
            axis[best], threshold[best], count[best], sums[:, :, best], alp[:, best], jnp.any(valid)
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
        """Cut the full `region` of `seed`, into which `number` rows were ever written, or let
        it forget its oldest rows.
        """
        num_slots = states.slots.shape[2]
        capacity = num_slots - 1
        items = states.slots[seed, region][
            (number - capacity + jnp.arange(capacity)) % num_slots
        ].astype(jnp.int32)  # the oldest first
        rows = states.items[seed, items]
        low, high = states.low[seed, region], states.high[seed, region]
        shapes = jax.eval_shape(self.best, key, rows, low, high, min_side)
        none = lambda *_: jax.tree.map(lambda leaf: jnp.zeros(leaf.shape, leaf.dtype), shapes)
        large_enough = jnp.any(
            high - low >= 2 * min_side
        )  # later in a run most full leaves are not
        cut = jax.lax.cond(large_enough, self.best, none, key, rows, low, high, min_side)
        num_lower, new = cut.count[-1], states.num_regions[seed]
        place = jnp.where(
            rows[:, cut.axis] <= cut.threshold,
            cut.count - 1,
            num_lower + jnp.arange(capacity) - cut.count,
        )
        divided = (
            jnp.zeros((num_slots,), states.slots.dtype)
            .at[place]
            .set(items.astype(states.slots.dtype))
        )  # the lower half's first
        across = jnp.arange(len(low)) == cut.axis
        kept = _two_parts(rows[:, -1])[self.num_forgotten :]
        kept_sums = jnp.concatenate(
            [jnp.sum(half, axis=0) for half in jnp.split(kept, [len(kept) - len(kept) // 2])]
        )
        in_parent = lambda array, value: _put(array, seed, region, [value], cut.found)
        in_halves = lambda array, lower, upper: _put(array, seed, new, [lower, upper], cut.found)
        in_leaf = lambda array, value: _put(array, seed, region, [value], ~cut.found)
        return states.replace(
            low=in_halves(states.low, low, jnp.where(across, cut.threshold, low)),
            high=in_halves(states.high, jnp.where(across, cut.threshold, high), high),
            axis=in_parent(states.axis, cut.axis),
            threshold=in_parent(states.threshold, cut.threshold),
            child=in_parent(states.child, new),
            slots=in_halves(states.slots, divided, jnp.roll(divided, -num_lower)),
            num_rows=in_halves(states.num_rows, num_lower, capacity - num_lower),
            first_row=in_leaf(states.first_row, number - capacity + self.num_forgotten),
            sums=in_leaf(in_halves(states.sums, *cut.sums.T), kept_sums),
            alp=in_leaf(in_halves(states.alp, *cut.alp), progress(kept_sums, jnp.int32(len(kept)))),
            num_regions=states.num_regions.at[seed].add(2 * cut.found.astype(jnp.int32)),
        )

    def all_seeds(
        self, states: Regions, leaf: jax.Array, needed: jax.Array, keys: Key, min_side: jax.Array
    ) -> Regions:
        """All seeds' regions, with `leaf` ([num_seeds]) cut where `needed`, one seed after the
        other: in a round few need it.
        """
        order, num_needed = ring.valid_first(needed)
        num_episodes, number = states.num_rows[:, 0], states.num_rows[jnp.arange(len(leaf)), leaf]

        def one(index: jax.Array, states: Regions) -> Regions:
            seed = order[index]
            key = jax.random.fold_in(keys[seed], num_episodes[seed])
            return self.one(states, seed, leaf[seed], number[seed], key, min_side[seed])

        return jax.lax.fori_loop(0, num_needed, one, states)
