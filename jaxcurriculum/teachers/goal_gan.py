"""GoalGAN: a generative adversarial network proposes tasks of intermediate difficulty.

    propose: with probability `p_old` a task that was once mastered, else one of the generator;
             both with Gaussian noise, clipped
    label:   after `num_rollouts` attempts a generated task is good iff
                 its mean success lies between `min_success` and `max_success`;
             above `max_success` it joins the mastered ones, unless it lies too near to one of them
    train:   after `update_every` labels, if any is good, `num_iterations` of a least-squares GAN
             (`gan.py`) on them; then they go

Everything is in the unit cube of the task space, without its axes of zero width.

Source: C. Florensa, D. Held, X. Geng, P. Abbeel, "Automatic goal generation for reinforcement
learning agents", ICML 2018; in the form of C. Romac et al., "TeachMyAgent: a benchmark for
automatic curriculum learning in Deep RL", ICML 2021.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Swept, field
from jaxcurriculum.device.lanes import all_seeds_at_once, shared_max
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.teachers.parts.gan import Gan, GanState
from jaxcurriculum.teachers.parts.goals import GoalGanState, GoalsConfig, draw, judge
from jaxcurriculum.teachers.parts.sampling import check_task, free_axes, from_free

NUM_SHOWN = 64  # generated tasks in a report


@dataclasses.dataclass(frozen=True, kw_only=True)
class GoalGanConfig(GoalsConfig):
    """The defaults are the settings of TeachMyAgent, 2021."""

    update_every: int = field(100, low=1, help="labelled tasks from one training to the next")
    num_iterations: int = field(
        250,
        low=0,
        high=1_000_000,  # the keys of all are drawn before the first
        help="of a training",
    )
    num_pretraining_tasks: int = field(
        1000,
        low=1,
        high=1_000_000,  # drawn at once, and no part of the state
        help="easy tasks on which the networks are trained before the first proposal",
    )
    pretrain_iterations: int = field(
        500,
        low=0,
        high=1_000_000,  # the keys of all are drawn before the first
        help="of the training on easy tasks; 0: the networks start as they are initialised",
    )
    batch_size: int = field(
        64,
        low=1,
        high=1_000_000,  # drawn at once, and no part of the state
        help="labelled and generated tasks in an iteration, so many of each",
    )
    learning_rate: Swept = field(1e-3, low=0, help="of RMSProp, both networks")
    generator_hidden: tuple[int, ...] = field(
        (256, 256),
        low=1,
        help="widths of the generator's hidden layers",
    )
    discriminator_hidden: tuple[int, ...] = field(
        (128, 128),
        low=1,
        help="widths of the discriminator's hidden layers",
    )
    mastered_capacity: int = field(1000, low=1, help="mastered tasks kept, the latest")
    open_slots: int = field(
        1024,
        low=1,
        help="generated tasks whose attempts may be awaited at one time, the latest",
    )
    initial_mean: tuple[float, ...] | None = field(
        None,
        help="an easy task, in the axes' units; None: a random one, differing between seeds",
    )
    initial_std: Swept = field(
        0.1,
        low=0,
        help="spread of the easy tasks about it, fraction of each axis' range",
    )

    @classmethod
    def teach_my_agent(cls) -> GoalGanConfig:
        """The tuned settings of TeachMyAgent, 2021 (the defaults)."""
        return cls()


class GoalGanReport(struct.PyTreeNode):
    """Where the generator is, and what its tasks were worth."""

    # [64, dims of the space], tasks of the generator in the axes' units, without noise
    generated: jax.Array
    good_fraction: jax.Array  # [], of the tasks labelled since the last training, 0 if none was
    num_mastered: jax.Array  # [], int32, tasks kept
    num_trainings: jax.Array  # [], int32


def goal_gan(task_space: Box, config: GoalGanConfig | None = None) -> Teacher:
    """A teacher whose generative network learns to propose tasks that the student solves sometimes.

    A generated task is proposed `num_rollouts` times in a row, over several rounds where one is too
    short, with a level seed of its own each time. Its number is the proposals' `origin`, by which
    its episodes are found, in whatever round they end; attempts beyond `num_rollouts` do not count.
    Mastered tasks are proposed once, with origin -1, and not judged. At most the latest
    `open_slots` generated tasks are awaited: a task whose attempts are not all seen by then is
    never labelled.

    The networks start from `pretrain_iterations` on easy tasks, all labelled good: a Gaussian about
    `initial_mean`, or about a random task where no expert knows an easy one. Without a good task
    among `update_every` the networks stay as they are. Only the seeds that are due are trained, one
    after another.

    Differs from the paper: the tasks of a round are drawn before its episodes; a batch of episodes
    is judged in its order but followed by one training at most, on the latest `update_every`
    labels. Batches are drawn with replacement. The mastered tasks are a ring of the latest, told
    apart in the unit cube. TeachMyAgent's generator covers twice the box and is clipped, which
    piles tasks on the faces; here the range of the tanh is the box. On a logarithmic axis
    everything is about the logarithm.

    Raises:
      ValueError: when `initial_mean` is no task of the space.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = goal_gan(space, GoalGanConfig(pretrain_iterations=10))
    >>> state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 5)
    >>> proposals.tasks.shape, proposals.origin.tolist()
    ((5, 2), [0, 0, 1, 1, 2])
    """
    check_kind("goal_gan.task_space", task_space, Box)
    config = given(config, GoalGanConfig)
    check_task(config, "initial_mean", task_space)
    axes = free_axes(task_space)
    gan = Gan(
        dims=len(axes),
        generator_hidden=tuple(config.generator_hidden),
        discriminator_hidden=tuple(config.discriminator_hidden),
        batch_size=config.batch_size,
    )
    train_where = _trainer(gan, config)

    def to_tasks(unit: jax.Array) -> jax.Array:
        return jax.vmap(lambda point: from_free(task_space, point))(unit)

    def init(key: Key) -> GoalGanState:
        key_networks, key_mean, key_tasks, key_train = jax.random.split(key, 4)
        points = 2 * _easy_points(key_mean, key_tasks, task_space, config) - 1
        good = jnp.ones((config.num_pretraining_tasks,), bool)
        rate = jnp.asarray(config.learning_rate, jnp.float32)
        networks = gan.init(key_networks)
        return GoalGanState(
            gan=gan.train(key_train, networks, points, good, config.pretrain_iterations, rate),
            open_tasks=jnp.zeros((config.open_slots, len(axes) + 2)),
            num_opened=jnp.int32(0),
            num_unproposed=jnp.int32(0),
            labelled=ring.empty(len(axes) + 1, config.update_every),
            mastered=ring.empty(len(axes), config.mastered_capacity),
            num_trainings=jnp.int32(0),
        )

    def propose(key: Key, state: GoalGanState, num: int) -> tuple[GoalGanState, Proposals]:
        key_draws, key_seeds = jax.random.split(key)
        state, tasks, origin = draw(key_draws, state, num, gan, config)
        return state, fresh_proposals(key_seeds, to_tasks(tasks)).replace(origin=origin)

    def update(
        key: Key, state: GoalGanState, episodes: Episodes, context: Context
    ) -> tuple[GoalGanState, jax.Array]:
        order, num_valid = ring.valid_first(ring.usable(episodes))
        origin, solved = episodes.origin[order], episodes.solved[order]

        def learn(index: jax.Array, state: GoalGanState) -> GoalGanState:
            return judge(state, origin[index], solved[index], index < num_valid, config)

        state = jax.lax.fori_loop(0, shared_max(num_valid), learn, state)
        labelled = state.labelled
        full = labelled.num_rows >= config.update_every
        needed = full & jnp.any(labelled.values[-1] > 0)
        rate = jnp.asarray(config.learning_rate, jnp.float32)
        state = state.replace(
            gan=train_where(needed, key, rate, state.gan, labelled.values),
            labelled=labelled.replace(num_rows=jnp.where(full, 0, labelled.num_rows)),
            num_trainings=state.num_trainings + needed.astype(jnp.int32),
        )
        return state, jnp.int32(0)

    def report(state: GoalGanState) -> GoalGanReport:
        num_labelled = jnp.minimum(state.labelled.num_rows, config.update_every)
        is_held = jnp.arange(config.update_every) < num_labelled
        good = jnp.where(is_held, state.labelled.values[-1], 0.0)
        generated = gan.sample(jax.random.key(0), state.gan, NUM_SHOWN)
        return GoalGanReport(
            generated=to_tasks((generated + 1) / 2),
            good_fraction=jnp.sum(good) / jnp.maximum(num_labelled, 1).astype(jnp.float32),
            num_mastered=jnp.minimum(state.mastered.num_rows, config.mastered_capacity),
            num_trainings=state.num_trainings,
        )

    return Teacher(
        name="goal-gan",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def _easy_points(key_mean: Key, key_tasks: Key, space: Box, config: GoalGanConfig) -> jax.Array:
    """Easy tasks, points of the unit cube of the free axes, [num_pretraining_tasks, free dims]."""
    axes = free_axes(space)
    if config.initial_mean is None:
        mean = jax.random.uniform(key_mean, (len(axes),))
    else:
        mean = space.to_unit(jnp.array(config.initial_mean, jnp.float32))[axes]
    shape = (config.num_pretraining_tasks, len(axes))
    noise = config.initial_std * jax.random.normal(key_tasks, shape)
    return jnp.clip(mean[None] + noise, 0.0, 1.0)


def _trainer(gan: Gan, config: GoalGanConfig) -> Callable[..., GanState]:
    """What trains the networks where that is needed.

        (needed [] bool, key, learning rate [], networks, labelled rows [dims + 1, num]) -> networks

    The seeds that need it are trained one after another: the others wait for different labels, and
    would be trained for nothing.
    """

    def function(
        needed: jax.Array, keys: Key, rates: jax.Array, gans: GanState, rows: jax.Array
    ) -> GanState:
        order, num_needed = ring.valid_first(needed)

        def train_one(index: jax.Array, gans: GanState) -> GanState:
            seed = order[index]
            points = 2 * rows[seed, :-1].T - 1
            good = rows[seed, -1] > 0
            before = jax.tree.map(lambda leaf: leaf[seed], gans)
            after = gan.train(keys[seed], before, points, good, config.num_iterations, rates[seed])
            return jax.tree.map(lambda leaf, new: leaf.at[seed].set(new), gans, after)

        return jax.lax.fori_loop(0, num_needed, train_one, gans)

    return all_seeds_at_once(function)
