"""GRADIENT: stages on the straight way of optimal transport from easy tasks to a target.

    propose: a random one of the stage's tasks x, with a little noise
    next stage:  $x <- x + alpha (y_{sigma} - x),  alpha = 1 / (stages left)$
                 when the mean return of the stage's episodes is above `threshold`,
                 or after `max_stage_steps`;
                 $sigma$ assigns the tasks to as many target tasks y at the least sum of
                 squared distances

For two sets of one size that step is their Wasserstein barycenter. Everything is in the unit cube
of the task space, without its axes of zero width.

Source: P. Huang, M. Xu, J. Zhu, L. Shi, F. Fang, D. Zhao, "Curriculum reinforcement learning using
optimal transport via gradual domain adaptation", NeurIPS 2022.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Swept, field
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts.particles import (
    ParticlesConfig,
    drawn_tasks,
    initial_particles,
)
from jaxcurriculum.teachers.parts.performance import PERFORMANCE_HELP, Performance, performance_of
from jaxcurriculum.teachers.parts.sampling import check_task, from_free
from jaxcurriculum.teachers.parts.target import Target, target_sampler
from jaxcurriculum.teachers.parts.transport import assign, squared_distances


@dataclasses.dataclass(frozen=True, kw_only=True)
class GradientConfig(ParticlesConfig):
    """The published stages; the threshold is that of its mazes, which return 1 for the goal."""

    num_stages: int = field(10, low=1, help="moves from the first tasks to the target")
    threshold: Swept = field(0.5, help="mean performance above which the next stage comes")
    performance: Performance = field("return", help=PERFORMANCE_HELP)
    episodes_per_judgement: int = field(
        8, low=1, help="fewest episodes of a stage whose mean is compared with the threshold"
    )
    max_stage_steps: int = field(
        100_000,
        low=1,
        help="environment steps (episodes for simulated students) after which a stage ends anyway",
    )


class GradientState(struct.PyTreeNode):
    """The tasks of the stage and where they are to end, and how the stage goes."""

    particles: jax.Array  # [num_particles, axes]
    targets: jax.Array  # [num_particles, axes]
    stage: jax.Array  # [], int32, 0 to num_stages
    started_at: jax.Array  # [], int32, steps when the stage began
    total: jax.Array  # [], sum of the performances since the last judgement
    num: jax.Array  # [], int32, how many these are


def gradient(
    task_space: Box, config: GradientConfig | None = None, target: Target | None = None
) -> Teacher:
    """A teacher that moves its tasks in equal steps to a target, one step whenever they are solved.

    The target tasks are drawn once. A proposal's `origin` is its stage, so that episodes of an
    earlier one do not count. At most one stage comes a round, and the last one stays.

    Differs from the paper: the stage's own training episodes are judged, where its code plays eight
    more, also with the sampled policy, and asks for the best mean so far. Distances are fractions
    of the axes' ranges; the paper can also learn an encoding in which they tell returns apart.

    Args:
      target: (key) -> a task of the target, clipped to the space; None: the Gaussian of the
          configuration.

    Raises:
      ValueError: when `initial_mean` or `target_mean` is no task of the space, `target_std` has not
          one entry an axis, or `target` gives no tasks.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = gradient(space, GradientConfig(initial_mean=(0.0, 6.0), initial_std=0.0))
    >>> state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)
    >>> proposals.origin.tolist(), teacher.report(state)["mean"].tolist()
    ([0, 0, 0, 0], [0.0, 6.0])
    """
    check_kind("gradient.task_space", task_space, Box)
    config = given(config, GradientConfig)
    check_task(config, "initial_mean", task_space)
    sample_target = target_sampler(config, task_space, target)

    def init(key: Key) -> GradientState:
        key_particles, key_target = jax.random.split(key)
        return GradientState(
            particles=initial_particles(key_particles, task_space, config),
            targets=sample_target(key_target, config.num_particles),
            stage=jnp.int32(0),
            started_at=jnp.int32(0),
            total=jnp.zeros(()),
            num=jnp.int32(0),
        )

    def propose(key: Key, state: GradientState, num: int) -> tuple[GradientState, Proposals]:
        key_tasks, key_seeds = jax.random.split(key)
        tasks = drawn_tasks(key_tasks, state.particles, num, task_space, config)
        origin = jnp.broadcast_to(state.stage, (num,))
        return state, fresh_proposals(key_seeds, tasks).replace(origin=origin)

    def update(
        key: Key, state: GradientState, episodes: Episodes, context: Context
    ) -> tuple[GradientState, jax.Array]:
        performances, usable = performance_of(episodes, config.performance)
        counts = usable & (episodes.origin == state.stage)
        total = state.total + jnp.sum(jnp.where(counts, performances, 0.0))
        num = state.num + jnp.sum(counts, dtype=jnp.int32)
        is_judged = num >= config.episodes_per_judgement
        is_solved = is_judged & (total > config.threshold * num)
        is_late = context.num_steps - state.started_at >= config.max_stage_steps
        due = (is_solved | (is_late & jnp.any(usable))) & (state.stage < config.num_stages)

        def moved() -> jax.Array:
            matched = state.targets[assign(squared_distances(state.particles, state.targets))]
            share = 1 / jnp.maximum(config.num_stages - state.stage, 1)
            particles = state.particles + share * (matched - state.particles)
            return jnp.where(due, particles, state.particles)

        particles = jax.lax.cond(shared_max(due), moved, lambda: state.particles)
        begins_anew = due | is_judged
        return state.replace(
            particles=particles,
            stage=state.stage + due,
            started_at=jnp.where(due, context.num_steps, state.started_at),
            total=jnp.where(begins_anew, 0.0, total),
            num=jnp.where(begins_anew, 0, num),
        ), jnp.int32(0)

    def report(state: GradientState) -> dict[str, jax.Array]:
        return {
            "particles": jax.vmap(lambda point: from_free(task_space, point))(state.particles),
            "mean": from_free(task_space, jnp.mean(state.particles, axis=0)),
            "stage": state.stage,
        }

    return Teacher(
        name="gradient",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=config.performance == "discounted-return",
        config=config,
    )
