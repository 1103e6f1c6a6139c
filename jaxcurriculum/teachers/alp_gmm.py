"""ALP-GMM: tasks are drawn where the student's absolute learning progress is high.

    $ALP(task, r) = |r - r_nearest|$    $r_nearest$: the return of the nearest past task
    fit:     every `fit_every` episodes a Gaussian mixture of the latest (task, ALP),
             its number of components chosen by AIC
    propose: with probability `exploration` uniform,
             else component $k$ ~ mean ALP of $k$, $(task, ALP) ~ N(mean_k, covariance_k)$

Source: R. Portelas, C. Colas, K. Hofmann, P.-Y. Oudeyer, "Teacher algorithms for curriculum
learning of Deep RL in continuously parameterized environments", CoRL 2019. Second preset: C. Romac
et al., "TeachMyAgent: a benchmark for automatic curriculum learning in Deep RL", ICML 2021.
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
from jaxcurriculum.teachers.parts.neighbours import nearest_before
from jaxcurriculum.teachers.parts.sampling import check_task

FEWEST_ITEMS = 5  # with this many past episodes or fewer the learning progress is 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlpGmmConfig(MixtureConfig):
    """The settings of 2019; `teach_my_agent()` gives those of the later benchmark."""

    history: int = field(20_000, low=1, help="episodes remembered for the nearest neighbour")

    def __post_init__(self):
        super().__post_init__()
        if self.history < self.num_rows:
            raise ValueError(
                f"AlpGmmConfig.history must hold at least the {self.num_rows} episodes of a fit,"
                f" got {self.history}."
            )

    @classmethod
    def paper(cls) -> AlpGmmConfig:
        """The settings of 2019 (the defaults)."""
        return cls()

    @classmethod
    def teach_my_agent(cls) -> AlpGmmConfig:
        """The tuned settings of TeachMyAgent, 2021: quicker fits, less exploration, raw returns."""
        return cls(fit_every=150, max_components=9, exploration=0.05, return_range=None)


class AlpGmmState(MixtureState):
    """The window holds rows (task, ALP), over which the mixture is fitted."""

    history: ring.History  # rows (task, return), the past in which neighbours are searched


class AlpGmmReport(MixtureReport):
    """The mixture over (task, ALP), and how much progress there is."""

    mean_alp: jax.Array  # [], over the episodes of the window


def alp_gmm(task_space: Box, config: AlpGmmConfig | None = None) -> Teacher:
    """A teacher that follows absolute learning progress with a Gaussian mixture.

    The learning progress is 0 for the first six episodes. Drawn tasks are clipped to the box, which
    piles some of them on its faces; tasks are uniform until the first fit, or drawn about
    `initial_mean` where an expert knows an easy task.

    Differs from the paper: the history is a ring of the latest `history` episodes. A batch of
    episodes is taken in its order (each sees those before it), but is followed by one fit at most,
    on the latest rows, even if it holds several times `fit_every` episodes. Of tasks
    equally near the most recent counts. If no Gaussian shows progress each is equally likely.

    Raises:
      ValueError: when `initial_mean` is no task of the space.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = alp_gmm(space, AlpGmmConfig.teach_my_agent())
    >>> state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)
    >>> proposals.tasks.shape, proposals.origin.tolist()
    ((4, 2), [-1, -1, -1, -1])
    """
    check_kind("alp_gmm.task_space", task_space, Box)
    config = given(config, AlpGmmConfig)
    check_task(config, "initial_mean", task_space)
    dims = task_space.dims

    def init(key: Key) -> AlpGmmState:
        return AlpGmmState(
            history=ring.empty(dims + 1, config.history),
            window=ring.empty(dims + 1, config.num_rows),
            mixture=gmm.empty(config.max_components, dims + 1),
            num_unfitted=jnp.int32(0),
            num_fits=jnp.int32(0),
        )

    def preference(state: AlpGmmState) -> jax.Array:
        return state.mixture.means[:, -1]

    def propose(key: Key, state: AlpGmmState, num: int) -> tuple[AlpGmmState, Proposals]:
        return state, mixture.propose(key, state, preference(state), num, task_space, config)

    def update(
        key: Key, state: AlpGmmState, episodes: Episodes, context: Context
    ) -> tuple[AlpGmmState, jax.Array]:
        rows, num_valid = mixture.to_rows(episodes, task_space, config)
        history = ring.insert(state.history, rows, num_valid)
        alp = _learning_progress(history, rows, state.history.num_rows)
        state = state.replace(history=history)
        rows = rows.at[-1].set(alp)
        return mixture.learn(key, state, rows, num_valid, config), jnp.int32(0)

    def report(state: AlpGmmState) -> AlpGmmReport:
        num_latest = jnp.clip(state.window.num_rows, 1, config.num_rows).astype(jnp.float32)
        mean_alp = jnp.sum(state.window.values[-1]) / num_latest  # slots not yet written are 0
        shown = mixture.describe(state, preference(state), task_space, config)
        return AlpGmmReport(mean_alp=mean_alp, **shown)

    return Teacher(
        name="alp-gmm",
        init=init,
        propose=propose,
        update=update,
        report=report,
        config=config,
    )


def _learning_progress(history: ring.History, batch: jax.Array, num_before: jax.Array) -> jax.Array:
    """ALP [num] of `batch` [dims + 1, num] (task, return), which stands in `history`.

    Batch and past lie in one ring, so one search serves both: a row sees those with a lower number.
    """
    tasks, returns = batch[:-1], batch[-1]
    numbers = num_before + jnp.arange(returns.shape[0], dtype=jnp.int32)
    slot = nearest_before(tasks, numbers, history)
    before = history.values[-1, jnp.maximum(slot, 0)]
    progress = jnp.abs(returns - before)
    return jnp.where((numbers > FEWEST_ITEMS) & (slot >= 0), progress, 0.0)
