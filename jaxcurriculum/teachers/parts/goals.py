"""GoalGAN's tasks: those that await attempts, how they are labelled, and those mastered."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.records import Key
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.teachers.parts.gan import Gan, GanState


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalsConfig(Config):
    """How tasks are drawn and labelled."""

    noise: Swept = field(
        0.1,
        low=0,
        help="standard deviation of the noise on a task, fraction of each axis' range",
    )
    p_old: Swept = field(
        0.1,
        low=0,
        high=1,
        help="probability of a mastered task, once there is one",
    )
    num_rollouts: int = field(
        2,
        low=1,
        high=1000,  # the attempts at all proposals of a round are counted in int32
        help="attempts at a generated task, after which it is labelled",
    )
    min_success: Swept = field(
        0.25,
        low=0,
        high=1,
        help="mean success from which on a task is good",
    )
    max_success: Swept = field(
        0.75,
        low=0,
        high=1,
        help="mean success up to which a task is good; above it is mastered",
    )
    min_distance: Swept = field(
        0.01,
        low=0,
        high=1,
        help="least distance of mastered tasks, fraction of the unit cube's diagonal",
    )

    def __post_init__(self):
        super().__post_init__()
        thresholds = (self.min_success, self.max_success)
        is_swept = any(isinstance(x, jax.Array) for x in thresholds)
        if not is_swept and self.min_success > self.max_success:
            raise ValueError(
                f"{type(self).__name__}.max_success must be at least"
                f" min_success={self.min_success}, got {self.max_success}."
            )


class GoalGanState(struct.PyTreeNode):
    """Tasks are points of the unit cube of the free axes; number n has slot n mod slots."""

    gan: GanState
    # [slots, dims + 2], the latest generated ones: task with its noise, attempts seen and solved
    open_tasks: jax.Array
    num_opened: jax.Array  # [], int32, tasks generated so far
    num_unproposed: jax.Array  # [], int32, proposals that the latest generated task still lacks
    labelled: ring.History  # rows (task, 1 if good else 0) since the last training
    mastered: ring.History  # rows (task)
    num_trainings: jax.Array  # [], int32


def draw(
    key: Key, state: GoalGanState, num: int, gan: Gan, config: GoalsConfig
) -> tuple[GoalGanState, jax.Array, jax.Array]:
    """`num` tasks [num, dims] and origins [num]: what the latest task lacks, then new draws."""
    slots, dims = state.open_tasks.shape[0], gan.dims
    tasks, is_new, rank = _new_draws(key, state, num, gan, config)
    lengths = jnp.where(is_new, config.num_rollouts, 1)
    lengths = jnp.concatenate([state.num_unproposed[None], lengths])
    ends = jnp.cumsum(lengths, dtype=jnp.int32)
    draw = jnp.repeat(jnp.arange(num + 1, dtype=jnp.int32), lengths, total_repeat_length=num)
    latest = state.num_opened - 1
    origins = jnp.where(is_new, state.num_opened + rank, -1)
    latest_task = state.open_tasks[latest % slots, :dims]
    all_tasks = jnp.concatenate([latest_task[None], tasks])
    all_origins = jnp.concatenate([latest[None], origins])

    is_opened = is_new & (ends[:-1] < num)
    num_opened = state.num_opened + jnp.sum(is_opened, dtype=jnp.int32)
    is_kept = is_opened & (origins >= num_opened - slots)
    slot = jnp.where(is_kept, origins % slots, slots)
    unseen = jnp.concatenate([tasks, jnp.zeros((num, 2))], axis=1)
    state = state.replace(
        open_tasks=state.open_tasks.at[slot].set(unseen, mode="drop"),
        num_opened=num_opened,
        num_unproposed=ends[draw[-1]] - num,
    )
    return state, all_tasks[draw], all_origins[draw]


def _new_draws(
    key: Key, state: GoalGanState, num: int, gan: Gan, config: GoalsConfig
) -> tuple[jax.Array, jax.Array, jax.Array]:
    """Tasks [num, dims], which of them the generator gave, and their rank among these."""
    key_old, key_row, key_latent, key_noise = jax.random.split(key, 4)
    num_mastered = jnp.minimum(state.mastered.num_rows, state.mastered.values.shape[1])
    is_new = ~(jax.random.bernoulli(key_old, config.p_old, (num,)) & (num_mastered > 0))
    rank = jnp.cumsum(is_new, dtype=jnp.int32) - 1
    num_generated = -(-num // config.num_rollouts)  # no more than these find room
    generated = (gan.sample(key_latent, state.gan, num_generated) + 1) / 2
    generated = generated[jnp.clip(rank, 0, num_generated - 1)]
    row = jax.random.randint(key_row, (num,), 0, jnp.maximum(num_mastered, 1))
    tasks = jnp.where(is_new[:, None], generated, state.mastered.values[:, row].T)
    noise = config.noise * jax.random.normal(key_noise, (num, gan.dims))
    return jnp.clip(tasks + noise, 0.0, 1.0), is_new, rank


def judge(
    state: GoalGanState,
    origin: jax.Array,
    solved: jax.Array,
    usable: jax.Array,
    config: GoalsConfig,
) -> GoalGanState:
    """Count an attempt at generated task number `origin`, and label it after its last."""
    slots = state.open_tasks.shape[0]
    slot = jnp.maximum(origin, 0) % slots
    is_latest = (origin >= state.num_opened - slots) & (origin < state.num_opened)
    is_awaited = (origin >= 0) & is_latest
    task = state.open_tasks[slot, :-2]
    num_seen, num_solved = state.open_tasks[slot, -2:]
    counts = usable & is_awaited & (num_seen < config.num_rollouts)
    num_seen = num_seen + counts
    num_solved = num_solved + (counts & solved)
    is_labelled = counts & (num_seen == config.num_rollouts)
    success = num_solved / config.num_rollouts
    good = (success >= config.min_success) & (success <= config.max_success)
    is_far = _is_far(state.mastered, task, config.min_distance)
    is_kept = is_labelled & (success > config.max_success) & is_far
    row = jnp.concatenate([task, good[None].astype(jnp.float32)])
    return state.replace(
        open_tasks=state.open_tasks.at[slot, -2:].set(jnp.stack([num_seen, num_solved])),
        labelled=ring.insert(state.labelled, row[:, None], is_labelled.astype(jnp.int32)),
        mastered=ring.insert(state.mastered, task[:, None], is_kept.astype(jnp.int32)),
    )


def _is_far(mastered: ring.History, task: jax.Array, min_distance: Swept) -> jax.Array:
    """Whether `task` lies farther from all mastered ones than the smallest distance."""
    dims, capacity = mastered.values.shape
    squared = jnp.sum((mastered.values - task[:, None]) ** 2, axis=0)
    is_held = jnp.arange(capacity) < mastered.num_rows
    return ~jnp.any((squared <= min_distance**2 * dims) & is_held)
