"""Self-paced deep reinforcement learning (SPDL): a Gaussian moves from easy to target tasks.

    propose: $task ~ N(mean, L L^T)$, clipped to the space
    update:  maximise    $mean_i (p_new(c_i) / p_old(c_i)) V_i - alpha KL(p_new || target)$
             subject to  $KL(p_old || p_new) <= epsilon$ = `max_kl`
             by one natural-gradient step with a line search,
             over the tasks $c_i$ and values $V_i$ since the last update;
             $alpha = 0$ at first, later $alpha = zeta max(0, R) / KL(p_old || target)$,
             $R$: mean return since the last update

Everything is in the unit cube of the task space, without its axes of zero width.

Source: P. Klink, C. D'Eramo, J. Peters, J. Pajarinen, "Self-paced deep reinforcement learning",
NeurIPS 2020; in the form of C. Romac et al., "TeachMyAgent: a benchmark for automatic curriculum
learning in Deep RL", ICML 2021, and the code published with it.
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
from jaxcurriculum.teachers.parts import ring
from jaxcurriculum.teachers.parts.sampling import check_task, free_axes, from_free
from jaxcurriculum.teachers.parts.target import TargetConfig, gaussian_target
from jaxcurriculum.teachers.parts.trust_region import (
    Gaussian,
    factor,
    kl,
    log_density,
    trust_region_step,
)

FEWEST_EPISODES = 2  # an update waits until the buffer holds so many
MAX_ALPHA = 1e5
SMALLEST_KL = 1e-10  # in the denominator of alpha


@dataclasses.dataclass(frozen=True, kw_only=True)
class SelfPacedConfig(TargetConfig):
    """TeachMyAgent's teacher; `teach_my_agent()` gives the tuned settings."""

    offset_steps: int = field(
        100_000,
        low=0,
        help="environment steps (episodes for simulated students) before which nothing is updated",
    )
    update_every_steps: int = field(
        100_000,
        low=1,
        help="environment steps (episodes for simulated students) between two updates",
    )
    max_kl: Swept = field(0.1, low=0, help="bound of KL(p_old || p_new) at every update, nats")
    alpha_offset: int = field(10, low=0, help="updates before the target begins to attract")
    zeta: Swept = field(
        0.25,
        low=0,
        help="strength of the target's attraction, as a fraction of the mean return",
    )
    buffer_size: int = field(
        1000,
        low=FEWEST_EPISODES,
        help="episodes that an update learns from at most, the latest since the last one",
    )
    initial_mean: tuple[float, ...] | None = field(
        None,
        help="an easy task, in the axes' units, where the Gaussian begins; None: a random one",
    )
    initial_std: Swept = field(
        0.1,
        low=1e-6,
        help="of the Gaussian at the beginning, fraction of each axis' range",
    )

    @classmethod
    def teach_my_agent(cls) -> SelfPacedConfig:
        """The tuned settings of TeachMyAgent, 2021: later and more frequent updates."""
        return cls(
            offset_steps=200_000,
            update_every_steps=50_000,
            max_kl=0.1,
            zeta=0.25,
            alpha_offset=10,
        )


class SelfPacedState(struct.PyTreeNode):
    """The Gaussian over the free axes of the unit cube, and what came since its update."""

    gaussian: Gaussian
    buffer: ring.History  # rows (task, value), emptied by an update
    total_return: jax.Array  # [], sum of the (discounted) returns since the last update
    num_returns: jax.Array  # [], int32, how many these are
    # [], int32, periods of update_every_steps that had ended at the last update
    num_periods: jax.Array
    num_updates: jax.Array  # [], int32


def self_paced(task_space: Box, config: SelfPacedConfig | None = None) -> Teacher:
    """A teacher whose Gaussian moves to where values are high, then on to a target.

    Updates come at the multiples of `update_every_steps` from `offset_steps` on, and each empties
    the buffer. R is the mean discounted return (the plain return where there is none). V is the
    critic's value of an episode's first observation; a student without a critic has none, and its
    episode's return stands in for it. A critic sees no task parameters, so its values tell tasks
    apart only as far as the first observation does. With a negative R the target does not attract
    at all. Nothing keeps the Gaussian from growing narrow, nor its mean from leaving the space
    where values are negative: tasks are clipped and lie on its faces then.

    An update that comes due in a round without an episode, or with fewer than two in the buffer,
    waits for the next round that has them; of several periods that pass in one round one counts. A
    step is taken whole or halved up to ten times, the first that keeps KL(p_old || p_new) <= max_kl
    and does not make the objective worse; if none does the Gaussian stays as it is.

    Differs from the paper: TeachMyAgent's code takes a step that keeps KL <= 1.5 max_kl OR does not
    make the objective worse, so nearly always the whole one; this teacher asks for both, without
    the factor. There an update without an episode is left out, not put off, and an axis of zero
    width has a variance of 1e-6; here it has no part in the Gaussian. On a logarithmic axis the
    Gaussian is one of the logarithm. The method of 2020 could also bound the standard deviation
    from below; the benchmark did not.

    Raises:
      ValueError: when `initial_mean` or `target_mean` is no task of the space, or `target_std` has
          not one entry an axis.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = self_paced(space, SelfPacedConfig(initial_mean=(0.0, 6.0)))
    >>> state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)
    >>> proposals.tasks.shape, teacher.report(state)["mean"].tolist()
    ((4, 2), [0.0, 6.0])
    """
    check_kind("self_paced.task_space", task_space, Box)
    config = given(config, SelfPacedConfig)
    check_task(config, "initial_mean", task_space)
    axes = free_axes(task_space)
    target = _axis_aligned(*gaussian_target(config, task_space))
    # periods that end before offset_steps
    num_early = (max(config.offset_steps, 1) - 1) // config.update_every_steps

    def init(key: Key) -> SelfPacedState:
        if config.initial_mean is None:
            mean = jax.random.uniform(key, (len(axes),))
        else:
            mean = task_space.to_unit(jnp.array(config.initial_mean, jnp.float32))[axes]
        return SelfPacedState(
            gaussian=_axis_aligned(mean, jnp.asarray(config.initial_std, jnp.float32)),
            buffer=ring.empty(len(axes) + 1, config.buffer_size),
            total_return=jnp.zeros(()),
            num_returns=jnp.int32(0),
            num_periods=jnp.int32(0),
            num_updates=jnp.int32(0),
        )

    def propose(key: Key, state: SelfPacedState, num: int) -> tuple[SelfPacedState, Proposals]:
        key_tasks, key_seeds = jax.random.split(key)
        noise = jax.random.normal(key_tasks, (num, len(axes)))
        drawn = state.gaussian.mean[None] + noise @ factor(state.gaussian).T
        tasks = jax.vmap(lambda point: from_free(task_space, point))(jnp.clip(drawn, 0.0, 1.0))
        return state, fresh_proposals(key_seeds, tasks)

    def update(
        key: Key, state: SelfPacedState, episodes: Episodes, context: Context
    ) -> tuple[SelfPacedState, jax.Array]:
        usable = ring.usable(episodes)
        order, num_valid = ring.valid_first(usable)
        values, returns = _judged(episodes)
        unit = jax.vmap(task_space.to_unit)(episodes.tasks)[:, axes]
        rows = jnp.concatenate([unit, values[:, None]], axis=1)
        state = state.replace(
            buffer=ring.insert(state.buffer, rows[order].T, num_valid),
            total_return=state.total_return + jnp.sum(jnp.where(usable, returns, 0.0)),
            num_returns=state.num_returns + num_valid,
        )
        num_periods = jnp.maximum(context.num_steps // config.update_every_steps - num_early, 0)
        due = (num_periods > state.num_periods) & (num_valid > 0)
        due = due & (state.num_returns >= FEWEST_EPISODES)

        def moved() -> SelfPacedState:
            new = _updated(state, target, config).replace(num_periods=num_periods)
            return jax.tree.map(lambda new, old: jnp.where(due, new, old), new, state)

        return jax.lax.cond(shared_max(due), moved, lambda: state), jnp.int32(0)

    def report(state: SelfPacedState) -> dict[str, jax.Array]:
        variance = jnp.sum(factor(state.gaussian) ** 2, axis=1)
        # fraction of each axis' range
        std = jnp.zeros((task_space.dims,)).at[axes].set(jnp.sqrt(variance))
        mean = from_free(task_space, state.gaussian.mean)  # in the axes' units, clipped
        return {
            "mean": mean,
            "std": std,
            "kl_to_target": kl(state.gaussian, target),
            "num_updates": state.num_updates,
        }

    return Teacher(
        name="self-paced",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def _judged(episodes: Episodes) -> tuple[jax.Array, jax.Array]:
    """The value of each episode and its return, [num] both: the critic's where it gave any."""
    returns, critic = episodes.returns, episodes.critic
    if critic is None:
        return returns, returns
    value, discounted = critic.initial_value, critic.discounted_returns
    values = jnp.where(ring.is_measured(value), value, returns)
    return values, jnp.where(ring.is_measured(discounted), discounted, returns)


def _updated(state: SelfPacedState, target: Gaussian, config: SelfPacedConfig) -> SelfPacedState:
    """`state` after an update from what is in its buffer."""
    old = state.gaussian
    tasks, values = state.buffer.values[:-1], state.buffer.values[-1]
    in_buffer = jnp.arange(config.buffer_size, dtype=jnp.int32) < state.buffer.num_rows
    num = jnp.maximum(jnp.sum(in_buffer), 1).astype(jnp.float32)
    mean_return = state.total_return / jnp.maximum(state.num_returns, 1).astype(jnp.float32)
    distance = jnp.maximum(kl(old, target), SMALLEST_KL)
    attraction = config.zeta * jnp.maximum(mean_return, 0.0) / distance
    is_early = state.num_updates < config.alpha_offset
    alpha = jnp.where(is_early, 0.0, jnp.minimum(attraction, MAX_ALPHA))
    log_old = log_density(old, tasks)

    def objective(new: Gaussian) -> jax.Array:
        log_ratio = jnp.where(in_buffer, log_density(new, tasks) - log_old, 0.0)
        gain = jnp.sum(jnp.where(in_buffer, jnp.exp(log_ratio) * values, 0.0)) / num
        return gain - alpha * kl(new, target)

    return state.replace(
        gaussian=trust_region_step(old, objective, config.max_kl),
        buffer=state.buffer.replace(num_rows=jnp.int32(0)),
        total_return=jnp.zeros(()),
        num_returns=jnp.int32(0),
        num_updates=state.num_updates + 1,
    )


def _axis_aligned(mean: jax.Array, std: jax.Array) -> Gaussian:
    """The Gaussian without correlations, `std` [] or [dims]."""
    dims = mean.shape[0]
    return Gaussian(
        mean=mean,
        log_diagonal=jnp.broadcast_to(jnp.log(std), (dims,)),
        below=jnp.zeros((dims * (dims - 1) // 2,)),
    )
