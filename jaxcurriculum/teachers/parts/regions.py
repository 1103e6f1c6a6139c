"""Boxes of a task space in a binary tree, each with its latest episodes and their progress.

    ALP(region) = |mean(older half) - mean(newer half)|   of the latest `max_items` returns in it
                  (0 for two or fewer)

Every function is about one seed. How a box is cut: `cutting.py`.
"""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.device.lanes import shared_max


class Regions(struct.PyTreeNode):
    """The tree of regions, in the unit cube.

    Region 0 is the whole space, and the halves of a region have consecutive numbers. A region's
    rows are those on its side of the cut that made it and all that came since; it remembers the
    latest max_items + 1. Row n, counted from its first, lies in slot n mod (max_items + 2), which
    says what item it is: regions that contain the same episode share one. The slot to be written
    next still names the item that was dropped last. If a leaf drops an item nobody remembers it, as
    the regions above got all of the leaf's later rows too. It is spare then, so there need be no
    more items than leaves can remember.
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
    integers = jnp.zeros((max_regions,), jnp.int32)
    numbers = jnp.zeros((max_regions,), jnp.float32)
    most_items = (max_regions + 1) // 2 * (max_items + 1) + 1
    slot_dtype = jnp.uint16 if most_items <= 2**16 else jnp.int32
    return Regions(
        low=jnp.zeros((max_regions, dims), jnp.float32),
        high=jnp.zeros((max_regions, dims), jnp.float32).at[0].set(1.0),
        axis=integers,
        threshold=numbers,
        child=integers,
        items=jnp.zeros((most_items, dims + 1), jnp.float32),
        num_items=jnp.int32(1),
        spare=jnp.int32(0),
        slots=jnp.zeros((max_regions, max_items + 2), slot_dtype),
        num_rows=integers,
        first_row=integers,
        sums=jnp.zeros((max_regions, 4), jnp.float32),
        alp=numbers,
        num_regions=jnp.int32(1),
    )


def num_rows_held(state: Regions, region: jax.Array) -> jax.Array:
    """How many rows `region` remembers, at most max_items + 1."""
    num_written = state.num_rows[region] - state.first_row[region]
    return jnp.minimum(num_written, state.slots.shape[1] - 1)


def add(state: Regions, row: jax.Array, present: jax.Array) -> tuple[Regions, jax.Array]:
    """Write `row` (task, return) into all regions of its task, down to the leaf, returned."""
    max_regions, num_slots = state.slots.shape
    capacity, spare = num_slots - 1, state.spare
    place = jnp.where(present, spare, len(state.items))
    state = state.replace(items=state.items.at[place].set(row, mode="drop"))

    def visit(carry):
        _, region, present, dropped, state = carry
        written = jnp.where(present, region, max_regions)
        num_held = num_rows_held(state, region)
        number = state.num_rows[region]
        slots = state.slots.at[written, number % num_slots].set(
            spare.astype(state.slots.dtype), mode="drop"
        )

        def item(number: jax.Array) -> jax.Array:
            return slots[region, number % num_slots].astype(jnp.int32)

        dropped = jnp.where(present, item(number + 1), dropped)
        num_window = jnp.minimum(num_held, capacity - 1)
        full = num_window == capacity - 1
        # The halves of an even window give their border to the older one when a row is added; at
        # full length all rows move on.
        passes_on = full | (num_window % 2 == 0)
        border = jnp.where(passes_on, state.items[item(number - num_window // 2), -1], 0.0)
        leaving = jnp.where(full, state.items[item(number - num_window), -1], 0.0)
        sums = _moved(state.sums[region], row[-1], border, leaving)
        alp = progress(sums, jnp.minimum(num_held + 1, capacity - 1))
        state = state.replace(
            slots=slots,
            num_rows=state.num_rows.at[written].set(number + 1, mode="drop"),
            sums=state.sums.at[written].set(sums, mode="drop"),
            alp=state.alp.at[written].set(alp, mode="drop"),
        )
        child = state.child[region]
        goes_on = present & (child > 0)
        upper = row[state.axis[region]] > state.threshold[region]
        region = jnp.where(goes_on, child + upper.astype(jnp.int32), region)
        return shared_max(goes_on), region, goes_on, dropped, state

    start = (shared_max(present), jnp.int32(0), present, spare, state)
    _, leaf, _, dropped, state = jax.lax.while_loop(lambda carry: carry[0], visit, start)
    grows = present & (state.num_rows[leaf] <= capacity)
    num_items = state.num_items + grows.astype(jnp.int32)
    spare = jnp.where(grows, state.num_items, dropped)
    return state.replace(num_items=num_items, spare=spare), leaf


def _moved(sums: jax.Array, newest: jax.Array, border: jax.Array, leaving: jax.Array) -> jax.Array:
    """The `sums` ([4]) of a window's halves after one more return.

    `border` goes from the newer half to the older one, `leaving` is forgotten.
    """
    older, older_error, newer, newer_error = sums
    older, older_error = _plus(*_plus(older, older_error, border), -leaving)
    newer, newer_error = _plus(*_plus(newer, newer_error, newest), -border)
    return jnp.stack([older, older_error, newer, newer_error])


def _plus(total: jax.Array, error: jax.Array, value: jax.Array) -> tuple[jax.Array, jax.Array]:
    """`total` + `value`, and in `error` what rounding lost, so that no sum drifts."""
    new = total + value
    taken = new - total
    return new, error + ((total - (new - taken)) + (value - taken))


def progress(sums: jax.Array, num: jax.Array) -> jax.Array:
    """ALP of `num` returns whose halves have these sums ([4, ...])."""
    num_newer = num // 2
    num_older = jnp.maximum(num - num_newer, 1).astype(jnp.float32)
    num_newer = jnp.maximum(num_newer, 1).astype(jnp.float32)
    older = (sums[0] + sums[1]) / num_older
    newer = (sums[2] + sums[3]) / num_newer
    return jnp.where(num > 2, jnp.abs(older - newer), 0.0)


def worst_task(state: Regions, region: jax.Array) -> jax.Array:
    """The task [dims] of lowest return that `region` remembers; of equals the oldest."""
    num_slots = state.slots.shape[1]
    num_rows, num_held = state.num_rows[region], num_rows_held(state, region)
    slots = state.slots[region].astype(jnp.int32)
    age = (jnp.arange(num_slots) - num_rows + num_held) % num_slots
    returns = jnp.where(age < num_held, state.items[slots, -1], jnp.inf)
    youth = jnp.min(jnp.where(returns == jnp.min(returns), age, num_slots))
    return state.items[slots[(num_rows - num_held + youth) % num_slots], :-1]
