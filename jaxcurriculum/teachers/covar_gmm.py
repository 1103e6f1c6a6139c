"""Covar-GMM: tasks are drawn where the student's return rises with time.

    fit:     every `fit_every` episodes a Gaussian mixture of the latest rows (task, t, return),
             its number of components chosen by AIC;
             $t = 0, 1/n, 2/n, ...$ with $n$ = `fit_every` is a row's place among them, oldest first
    propose: with probability `exploration` uniform,
             else component $k ~ max(0, covariance_k(t, return))$,
             $(task, t, return) ~ N(mean_k, covariance_k)$

Source: C. Moulin-Frier, S. M. Nguyen, P.-Y. Oudeyer, "Self-organization of early vocal development
in infants and machines: the role of intrinsic motivation", 2014, as set for tasks of deep
reinforcement learning by R. Portelas et al., "Teacher algorithms for curriculum learning of Deep RL
in continuously parameterized environments", CoRL 2019. Second preset: C. Romac et al.,
"TeachMyAgent: a benchmark for automatic curriculum learning in Deep RL", ICML 2021.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp

from jaxcurriculum.configs import field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts import gmm, mixture, ring
from jaxcurriculum.teachers.parts.mixture import MixtureConfig, MixtureReport, MixtureState
from jaxcurriculum.teachers.parts.sampling import check_task


@dataclasses.dataclass(frozen=True, kw_only=True)
class CovarGmmConfig(MixtureConfig):
    """The settings of 2019; `teach_my_agent()` gives those of the later benchmark."""

    absolute: bool = field(
        False,
        help="prefer tasks whose return falls as much as those whose return rises",
    )

    @classmethod
    def paper(cls) -> CovarGmmConfig:
        """The settings of 2019 (the defaults)."""
        return cls()

    @classmethod
    def teach_my_agent(cls) -> CovarGmmConfig:
        """The tuned settings of 2021: quicker fits, more Gaussians, less exploration."""
        return cls(fit_every=150, max_components=14, exploration=0.1, return_range=None)


def covar_gmm(task_space: Box, config: CovarGmmConfig | None = None) -> Teacher:
    """A teacher that follows the covariance of time and return with a Gaussian mixture.

    The window of its state (`MixtureState`) holds rows (task, return); the mixture is over (task,
    t, return). Drawn tasks are clipped to the box, which piles some of them on its faces; tasks are
    uniform until the first fit, or drawn about `initial_mean` where an expert knows an easy task.

    Differs from the paper: a batch of episodes is taken in its order, but is followed by one fit at
    most, on the latest rows, even if it holds several times `fit_every`; t counts from the oldest
    of these. If the return rises in no Gaussian each is equally likely.

    Raises:
      ValueError: when `initial_mean` is no task of the space.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = covar_gmm(space, CovarGmmConfig(initial_mean=(0.0, 6.0), initial_std=0.0))
    >>> state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 2)
    >>> proposals.tasks.tolist(), proposals.origin.tolist()
    ([[0.0, 6.0], [0.0, 6.0]], [-1, -1])
    """
    check_kind("covar_gmm.task_space", task_space, Box)
    config = given(config, CovarGmmConfig)
    check_task(config, "initial_mean", task_space)
    dims = task_space.dims

    def init(key: Key) -> MixtureState:
        return MixtureState(
            window=ring.empty(dims + 1, config.num_rows),
            mixture=gmm.empty(config.max_components, dims + 2),
            num_unfitted=jnp.int32(0),
            num_fits=jnp.int32(0),
        )

    def preference(state: MixtureState) -> jax.Array:
        time = state.mixture.scales[:, dims]
        episode_return = state.mixture.scales[:, dims + 1]
        covariance = jnp.sum(time * episode_return, axis=1)  # one entry of scale @ scale.T
        return jnp.abs(covariance) if config.absolute else covariance

    def propose(key: Key, state: MixtureState, num: int) -> tuple[MixtureState, Proposals]:
        return state, mixture.propose(key, state, preference(state), num, task_space, config)

    def update(
        key: Key, state: MixtureState, episodes: Episodes, context: Context
    ) -> tuple[MixtureState, jax.Array]:
        rows, num_valid = mixture.to_rows(episodes, task_space, config)
        return mixture.learn(key, state, rows, num_valid, config, _with_time), jnp.int32(0)

    def report(state: MixtureState) -> MixtureReport:
        return MixtureReport(**mixture.describe(state, preference(state), task_space, config))

    return Teacher(
        name="covar-gmm",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def _with_time(window: ring.History) -> jax.Array:
    """Rows (task, t, return) of a full window of rows (task, return), [dims + 2, window]."""
    size = window.values.shape[1]
    # the next slot to be written holds the oldest row
    place = (jnp.arange(size, dtype=jnp.int32) - window.num_rows) % size
    time = place.astype(jnp.float32) / size
    return jnp.concatenate([window.values[:-1], time[None], window.values[-1:]])
