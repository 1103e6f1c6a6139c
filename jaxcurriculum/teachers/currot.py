"""CURROT: tasks move to a target by optimal transport, as far as the student keeps up.

    propose: a random one of `num_particles` particles x, with a little noise
    update:  after every `episodes_per_update` episodes,
             keep:      successes in a buffer, in the end those nearest to the target
             predict:   $p(x) = sum_i w_i y_i / sum_i w_i,  w_i = exp(-|x - x_i|^2 / (2 l^2))$
                        over the buffer and the latest failures, $l = 0.3 epsilon$
             replace:   particles with $p(x) < delta$ by tasks near members of the buffer,
                        assigned at the least sum of squared distances
             aim:       $g = x + mean_k (u_k . y_{sigma_k} - u_k . x) u_k$, the sliced Wasserstein
                        step to fresh target tasks y along random directions u
             move:      of `num_candidates` points of the half ball towards g, of radius
                        $min(epsilon, |g - x|)$, to the nearest to g with $p > delta$;
                        where there is none to the one with the highest p
             with       $delta$ = `threshold` and $epsilon$ = `max_move`

Everything is in the unit cube of the task space, without its axes of zero width.

Source: P. Klink, H. Yang, C. D'Eramo, J. Peters, J. Pajarinen, "Curriculum reinforcement learning
via constrained optimal transport", ICML 2022, in the form of the code that its authors maintain.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Swept, field
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts import ring, success_buffer
from jaxcurriculum.teachers.parts.kernel_regression import nadaraya_watson
from jaxcurriculum.teachers.parts.moves import (
    Predict,
    points_of_unit_ball,
    replace_failures,
    step_to_goals,
    unit_vectors,
)
from jaxcurriculum.teachers.parts.particles import (
    ParticlesConfig,
    drawn_tasks,
    initial_particles,
)
from jaxcurriculum.teachers.parts.performance import PERFORMANCE_HELP, Performance, performance_of
from jaxcurriculum.teachers.parts.sampling import check_task, free_axes, from_free
from jaxcurriculum.teachers.parts.success_buffer import SuccessBuffer
from jaxcurriculum.teachers.parts.target import Target, target_sampler
from jaxcurriculum.teachers.parts.transport import sliced_move

KERNEL_LENGTH = 0.3  # of max_move
SMALLEST_NOISE = 0.005  # of max_move, on a member of the buffer


@dataclasses.dataclass(frozen=True, kw_only=True)
class CurrotConfig(ParticlesConfig):
    """The published sizes; `gate()` and `ring_maze()` are the settings of its two worlds."""

    threshold: Swept = field(0.5, help="performance from which on a task is mastered")
    performance: Performance = field("return", help=PERFORMANCE_HELP)
    max_move: Swept = field(
        0.09, low=1e-6, high=1, help="longest move of a particle, fraction of each axis' range"
    )
    episodes_per_update: int = field(20, low=1, high=1000, help="episodes between two updates")
    wait_for_threshold: bool = field(
        False,
        help="leave the particles where they begin until they are mastered on average",
    )
    num_candidates: int = field(100, low=1, high=1000, help="points where a particle may move to")
    num_directions: int = field(100, low=1, high=1000, help="directions of sliced transport")

    @classmethod
    def gate(cls) -> CurrotConfig:
        """The point mass that passes a gate: a discounted return of 4 is a success."""
        return cls(threshold=4.0, performance="discounted-return", wait_for_threshold=True)

    @classmethod
    def ring_maze(cls) -> CurrotConfig:
        """The maze in a ring, where success is judged after every 50 episodes."""
        return cls(threshold=0.8, performance="success", max_move=0.068, episodes_per_update=50)


class CurrotState(struct.PyTreeNode):
    """The particles, and what is known of the student; tasks are points of the free axes."""

    particles: jax.Array  # [num_particles, axes]
    buffer: SuccessBuffer  # as large
    failures: ring.History  # rows (task, performance), the latest that are not in the buffer
    begun: jax.Array  # [], bool: the particles were mastered on average once
    waiting: jax.Array  # [episodes_per_update, axes + 1], rows that await the next update
    num_waiting: jax.Array  # [], int32
    num_updates: jax.Array  # [], int32


def currot(
    task_space: Box, config: CurrotConfig | None = None, target: Target | None = None
) -> Teacher:
    """A teacher whose particles move to a target through tasks that the student masters.

    The buffer has as many slots as there are particles. Until the median of its performances is
    above the threshold what is at least as good as the median replaces its worse half; from then on
    successes replace failures, and once there are none, those members stay that are assigned to
    fresh target tasks. Failures count from when the particles were mastered on average.

    Differs from the paper: it poses the move as a constrained optimisation, which the maintained
    code replaces by the choice among candidates. Distances are fractions of the axes' ranges, not
    in their units. All tasks of a round are proposed before the updates that its episodes bring.

    Args:
      target: (key) -> a task of the target, clipped to the space; None: the Gaussian of the
          configuration.

    Raises:
      ValueError: when `initial_mean` or `target_mean` is no task of the space, `target_std` has not
          one entry an axis, or `target` gives no tasks.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> hard = lambda key: jnp.array([3.0, 0.0]) + 0.01 * jax.random.normal(key, (2,))
    >>> teacher = currot(space, CurrotConfig(initial_mean=(0.0, 6.0), initial_std=0.0), hard)
    >>> state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)
    >>> proposals.tasks.shape, teacher.report(state)["mean"].tolist()
    ((4, 2), [0.0, 6.0])
    """
    check_kind("currot.task_space", task_space, Box)
    config = given(config, CurrotConfig)
    check_task(config, "initial_mean", task_space)
    sample_target = target_sampler(config, task_space, target)
    axes, num = free_axes(task_space), config.episodes_per_update

    def init(key: Key) -> CurrotState:
        return CurrotState(
            particles=initial_particles(key, task_space, config),
            buffer=success_buffer.empty(config.num_particles, len(axes)),
            failures=ring.empty(len(axes) + 1, config.num_particles),
            begun=jnp.bool_(False),
            waiting=jnp.zeros((num, len(axes) + 1)),
            num_waiting=jnp.int32(0),
            num_updates=jnp.int32(0),
        )

    def propose(key: Key, state: CurrotState, num: int) -> tuple[CurrotState, Proposals]:
        key_tasks, key_seeds = jax.random.split(key)
        tasks = drawn_tasks(key_tasks, state.particles, num, task_space, config)
        return state, fresh_proposals(key_seeds, tasks)

    def update(
        key: Key, state: CurrotState, episodes: Episodes, context: Context
    ) -> tuple[CurrotState, jax.Array]:
        performances, usable = performance_of(episodes, config.performance)
        tasks = jax.vmap(task_space.to_unit)(episodes.tasks)[:, axes]
        rows = jnp.concatenate([tasks, performances[:, None]], axis=1)
        is_row = jnp.concatenate([jnp.arange(num) < state.num_waiting, usable])
        order, num_rows = ring.valid_first(is_row)
        rows = jnp.concatenate([state.waiting, rows])[order]
        num_batches = num_rows // num
        keys = jax.random.split(key, rows.shape[0] // num)

        def one_batch(index: jax.Array, state: CurrotState) -> CurrotState:
            batch = jax.lax.dynamic_slice_in_dim(rows, index * num, num)
            new = _updated(keys[index], state, batch, sample_target, config)
            return jax.tree.map(lambda x, y: jnp.where(index < num_batches, x, y), new, state)

        state = jax.lax.fori_loop(0, shared_max(num_batches), one_batch, state)
        padded = jnp.concatenate([rows, jnp.zeros_like(state.waiting)])
        left = jax.lax.dynamic_slice_in_dim(padded, num_batches * num, num)
        num_waiting = num_rows % num
        is_left = jnp.arange(num)[:, None] < num_waiting
        waiting = jnp.where(is_left, left, 0.0)
        return state.replace(waiting=waiting, num_waiting=num_waiting), jnp.int32(0)

    def report(state: CurrotState) -> dict[str, jax.Array]:
        return {
            "particles": jax.vmap(lambda point: from_free(task_space, point))(state.particles),
            "mean": from_free(task_space, jnp.mean(state.particles, axis=0)),
            "mastered": state.begun,
            "num_updates": state.num_updates,
        }

    return Teacher(
        name="currot",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=config.performance == "discounted-return",
        config=config,
    )


def _updated(
    key: Key,
    state: CurrotState,
    batch: jax.Array,
    sample_target: Callable[[Key, int], jax.Array],
    config: CurrotConfig,
) -> CurrotState:
    """`state` after an update from a batch of rows (task, performance)."""
    key_assigned, key_members, key_target, key_move = jax.random.split(key, 4)
    threshold = jnp.asarray(config.threshold, jnp.float32)
    assigned = sample_target(key_assigned, config.num_particles)
    buffer, is_member = success_buffer.insert(
        state.buffer, batch[:, :-1], batch[:, -1], assigned, threshold
    )
    order, num_failed = ring.valid_first(~is_member & state.begun)
    failures = ring.insert(state.failures, batch[order].T, num_failed)
    predict = _predictor(buffer, failures, config)
    begun = state.begun | (jnp.mean(predict(state.particles)) >= threshold)

    noise = SMALLEST_NOISE * jnp.asarray(config.max_move)
    members = success_buffer.noisy_members(key_members, buffer, threshold, noise)
    start, is_mastered = replace_failures(state.particles, members, predict, threshold)
    targets = sample_target(key_target, config.num_particles)
    key_directions, key_ball = jax.random.split(key_move)
    directions = unit_vectors(key_directions, config.num_directions, start.shape[1])
    goals = start + sliced_move(start, targets, directions)
    ball = points_of_unit_ball(key_ball, config.num_candidates, start.shape[1])
    moved = step_to_goals(start, goals, is_mastered, ball, predict, threshold, config.max_move)
    stays = config.wait_for_threshold & ~begun
    return state.replace(
        particles=jnp.where(stays, state.particles, moved),
        buffer=buffer,
        failures=failures,
        begun=begun,
        num_updates=state.num_updates + 1,
    )


def _predictor(buffer: SuccessBuffer, failures: ring.History, config: CurrotConfig) -> Predict:
    """What performance to expect of a task, from the buffer and the latest failures."""
    size = config.num_particles
    is_failure = jnp.arange(size) < failures.num_rows
    return functools.partial(
        nadaraya_watson,
        known=jnp.concatenate([buffer.tasks, failures.values[:-1].T]),
        values=jnp.concatenate([buffer.performances, failures.values[-1]]),
        valid=jnp.concatenate([jnp.arange(size) < success_buffer.num_members(buffer), is_failure]),
        length=KERNEL_LENGTH * jnp.asarray(config.max_move),
    )
