"""CURROT's memory of tasks that went well, first the best and later those nearest to the target."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.records import Key
from jaxcurriculum.teachers.parts.sampling import log_proportional
from jaxcurriculum.teachers.parts.transport import assign, squared_distances

EMPTY = -jnp.inf  # the performance of a slot without a member
FORBIDDEN = 1e3  # beyond all squared distances in a unit cube
LARGEST_STD = 0.25  # of the noise on a member that performs as badly as any
NUM_TRIES = 11  # of noise that stays in the cube


class SuccessBuffer(struct.PyTreeNode):
    """Tasks in the unit cube; slots without a member come last.

    Until `reached` the best come first.
    """

    tasks: jax.Array  # [size, dims]
    performances: jax.Array  # [size]
    reached: jax.Array  # [], bool: the median was above the threshold once
    lowest: jax.Array  # [], the worst performance of the first batch; inf before


def empty(size: int, dims: int) -> SuccessBuffer:
    """A buffer without members."""
    return SuccessBuffer(
        tasks=jnp.zeros((size, dims)),
        performances=jnp.full((size,), EMPTY, jnp.float32),
        reached=jnp.bool_(False),
        lowest=jnp.float32(jnp.inf),
    )


def num_members(buffer: SuccessBuffer) -> jax.Array:
    """How many members there are, [] int32."""
    return jnp.sum(buffer.performances > EMPTY, dtype=jnp.int32)


def insert(
    buffer: SuccessBuffer,
    tasks: jax.Array,
    performances: jax.Array,
    targets: jax.Array,
    threshold: jax.Array,
) -> tuple[SuccessBuffer, jax.Array]:
    """The buffer after a batch, and which of its tasks became members, [num] bool.

    Until the median has reached `threshold` what is at least as good as the median replaces the
    worse half. From then on successes replace failures, and once there are none in a full buffer
    those stay that are assigned to `targets` at the least sum of squared distances.

    Args:
      tasks, performances: [num, dims] and [num].
      targets: [size, dims], drawn afresh.
    """
    size, num = buffer.performances.shape[0], performances.shape[0]
    median = _median(buffer)
    all_tasks = jnp.concatenate([tasks, buffer.tasks])
    everything = jnp.concatenate([performances, buffer.performances])

    kept = jnp.concatenate(_better(buffer, performances, median))
    best = jax.lax.top_k(jnp.where(kept, everything, EMPTY), size)[1]

    succeeded = jnp.concatenate(_successes(buffer, performances, threshold))
    in_order = jnp.argsort(~succeeded, stable=True)[:size]
    costs = squared_distances(targets, all_tasks) + jnp.where(succeeded, 0.0, FORBIDDEN)[None]
    is_full = jnp.all(buffer.performances >= threshold)
    chosen = jnp.where(is_full, assign(costs), in_order)

    kept = jnp.where(buffer.reached, succeeded, kept)
    chosen = jnp.where(buffer.reached, chosen, best)
    is_member = jnp.zeros(size + num, bool).at[chosen].set(True) & kept
    lowest = jnp.where(jnp.isinf(buffer.lowest), jnp.min(performances), buffer.lowest)
    return SuccessBuffer(
        tasks=all_tasks[chosen],
        performances=jnp.where(kept, everything, EMPTY)[chosen],
        reached=buffer.reached | (median > threshold),
        lowest=lowest,
    ), is_member[:num]


def _median(buffer: SuccessBuffer) -> jax.Array:
    """The performance in the middle, of two the better; `EMPTY` without a member."""
    num = num_members(buffer)
    return buffer.performances[jnp.maximum(num - 1 - num // 2, 0)]


def _better(
    buffer: SuccessBuffer, performances: jax.Array, median: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Which of the batch are at least as good as the median, and which members stay beside them."""
    num = num_members(buffer)
    is_better = performances >= median
    num_dropped = jnp.minimum(num // 2 + 1, jnp.sum(is_better))
    rank = jnp.arange(buffer.performances.shape[0])
    return is_better, rank < num - num_dropped


def _successes(
    buffer: SuccessBuffer, performances: jax.Array, threshold: jax.Array
) -> tuple[jax.Array, jax.Array]:
    """Which of the batch succeed, and which members stay beside them: the worst failures go."""
    succeeds = performances >= threshold
    is_member = buffer.performances > EMPTY
    fails = is_member & (buffer.performances < threshold)
    worst_first = jnp.argsort(jnp.where(fails, buffer.performances, jnp.inf))
    rank = jnp.argsort(worst_first)
    return succeeds, is_member & ~(fails & (rank < jnp.sum(succeeds)))


def noisy_members(key: Key, buffer: SuccessBuffer, threshold: jax.Array, std: jax.Array):
    """As many tasks as the buffer has slots, near its members, [size, dims] in the unit cube.

    Until the threshold is reached they are drawn from the better half, in proportion to how much
    better a member is; later each member comes once, and slots without one are filled up at random.
    The noise has the deviation `std` and more the further a member lies below the threshold.
    """
    key_pick, key_fill, key_noise = jax.random.split(key, 3)
    size, dims = buffer.tasks.shape
    num = num_members(buffer)
    slots = jnp.arange(size)
    num_better = num - num // 2
    base = jnp.where(num > 1, buffer.performances[jnp.minimum(num_better, size - 1)], 0.0)
    is_better = slots < num_better
    scores = jnp.where(is_better, buffer.performances - base, 0.0)
    drawn = jax.random.categorical(key_pick, log_proportional(scores, is_better), shape=(size,))
    filled = jax.random.randint(key_fill, (size,), 0, jnp.maximum(num, 1))
    picked = jnp.where(buffer.reached, jnp.where(slots < num, slots, filled), drawn)

    shortfall = jnp.maximum(threshold - buffer.performances[picked], 0.0)
    scale = shortfall / jnp.maximum(threshold - buffer.lowest, 1e-6)
    deviations = std + LARGEST_STD * scale
    noise = jax.random.normal(key_noise, (NUM_TRIES, size, dims)) * deviations[None, :, None]
    tries = buffer.tasks[picked][None] + noise
    is_inside = jnp.all((tries >= 0) & (tries <= 1), axis=-1)
    first = jnp.argmax(is_inside, axis=0)
    return jnp.clip(tries[first, slots], 0.0, 1.0)
