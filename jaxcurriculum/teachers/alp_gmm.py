"""ALP-GMM: tasks are drawn where the student's absolute learning progress is high.

    ALP(task, r) = |r - r_nearest|                        r_nearest: the return of the nearest past task
    every `fit_every` episodes: a Gaussian mixture of the latest (task, ALP), its number of components chosen by AIC
    propose: with probability `exploration` uniform, else component k ~ mean ALP of k, (task, alp) ~ N(mean_k, covariance_k)

Source: R. Portelas, C. Colas, K. Hofmann, P.-Y. Oudeyer, "Teacher algorithms for curriculum learning of Deep RL in
continuously parameterized environments", CoRL 2019. Second preset: C. Romac et al., "TeachMyAgent: a benchmark for automatic
curriculum learning in Deep RL", ICML 2021.
"""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.fields import check_integers, check_numbers
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.space import Box
from jaxcurriculum.teachers import gmm
from jaxcurriculum.teachers import history as ring
from jaxcurriculum.teachers.batching import shared_max
from jaxcurriculum.teachers.choice import log_proportional
from jaxcurriculum.teachers.neighbours import nearest_before
from jaxcurriculum.types import Episodes, Key, Proposals, fresh_proposals

UNIFORM = -1  # origin of a task that was drawn uniformly; otherwise the index of its Gaussian
FEWEST_ITEMS = 5  # with this many past episodes or fewer the learning progress is 0


@dataclasses.dataclass(frozen=True, kw_only=True)
class AlpGmmConfig:
    """The defaults are the settings of 2019; `AlpGmmConfig.teach_my_agent()` gives those of the later benchmark."""

    fit_every: int = 250  # episodes between two fits, and rows in a fit
    min_components: int = 2  # fewest Gaussians tried
    max_components: int = 10  # most Gaussians tried
    exploration: float | jax.Array = 0.2  # share of tasks drawn uniformly
    return_range: tuple[float, float] | None = (-150.0, 350.0)  # returns mapped to [0, 1] and clipped; None: raw returns
    unit_cube: bool = False  # neighbours and mixture in the unit cube rather than in the axes' own units
    history: int = 20_000  # episodes remembered for the nearest neighbour

    def __post_init__(self):
        check_integers(self, fit_every=2, min_components=1, max_components=1, history=1)
        check_numbers(self, exploration=(0, 1))
        if not 1 <= self.min_components <= self.max_components <= self.fit_every:
            raise ValueError(
                "AlpGmmConfig must have 1 <= min_components <= max_components <= fit_every, "
                f"got {self.min_components}, {self.max_components} and {self.fit_every}."
            )
        if self.return_range is not None and not self.return_range[0] < self.return_range[1]:
            raise ValueError(f"AlpGmmConfig.return_range must be (low, high) with low < high, or None, got {self.return_range}.")
        if self.history < self.fit_every:
            raise ValueError(f"AlpGmmConfig.history must hold at least fit_every={self.fit_every} episodes, got {self.history}.")

    @classmethod
    def paper(cls) -> AlpGmmConfig:
        """The settings of 2019 (the defaults)."""
        return cls()

    @classmethod
    def teach_my_agent(cls) -> AlpGmmConfig:
        """The tuned settings of TeachMyAgent, 2021: quicker fits, less exploration, raw returns."""
        return cls(fit_every=150, max_components=9, exploration=0.05, return_range=None)


class AlpGmmState(struct.PyTreeNode):
    """Everything the teacher remembers, in its own units: tasks as they are or in the unit cube, returns as they are or scaled."""

    history: ring.History  # rows (task, return), the past in which neighbours are searched
    window: ring.History  # rows (task, ALP), the latest fit_every
    mixture: gmm.Mixture  # max_components Gaussians over (task, ALP)
    num_unfitted: jax.Array  # [], int32, episodes since the last fit
    num_fits: jax.Array  # [], int32


class AlpGmmReport(struct.PyTreeNode):
    """The mixture as a picture shows it, in the units of the task space and of the (scaled) return."""

    weights: jax.Array  # [max_components]
    means: jax.Array  # [max_components, dims + 1], task and ALP
    covariances: jax.Array  # [max_components, dims + 1, dims + 1]
    valid: jax.Array  # [max_components], bool: the Gaussians that the mixture has
    mean_alp: jax.Array  # [], over the latest fit_every episodes
    num_fits: jax.Array  # [], int32
    num_episodes: jax.Array  # [], int32


def alp_gmm(task_space: Box, config: AlpGmmConfig | None = None) -> Teacher:
    """A teacher that follows absolute learning progress with a Gaussian mixture.

    The learning progress is 0 for the first six episodes. Drawn tasks are clipped to the box, which piles some of them on its
    faces; tasks are uniform until the first fit.

    Differs from the paper: the history is a ring of the latest `history` episodes. A batch of episodes is taken in its order
    (each sees those before it), but is followed by one fit at most, on the latest `fit_every` rows, even if it holds several times
    as many episodes. Of tasks equally near the most recent counts. If no Gaussian shows progress each is equally likely.

    >>> space = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0), units=("steps", "m"))
    >>> teacher = alp_gmm(space, AlpGmmConfig.teach_my_agent())
    >>> state, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)
    >>> proposals.tasks.shape, proposals.origin.tolist()
    ((4, 2), [-1, -1, -1, -1])
    """
    config = AlpGmmConfig() if config is None else config
    candidates = tuple(range(config.min_components, config.max_components + 1))
    dims = task_space.dims
    to_own = task_space.to_unit if config.unit_cube else lambda task: task
    from_own = task_space.from_unit if config.unit_cube else task_space.clip

    def init(key: Key) -> AlpGmmState:
        return AlpGmmState(
            history=ring.empty(dims + 1, config.history),
            window=ring.empty(dims + 1, config.fit_every),
            mixture=gmm.empty(config.max_components, dims + 1),
            num_unfitted=jnp.int32(0),
            num_fits=jnp.int32(0),
        )

    def propose(key: Key, state: AlpGmmState, num: int) -> tuple[AlpGmmState, Proposals]:
        key_uniform, key_explore, key_component, key_draw, key_seeds = jax.random.split(key, 5)
        uniform = jax.vmap(task_space.sample)(jax.random.split(key_uniform, num))
        by_progress = log_proportional(state.mixture.means[:, -1], state.mixture.valid)
        component = jax.random.categorical(key_component, by_progress, shape=(num,)).astype(jnp.int32)
        drawn = gmm.sample(key_draw, state.mixture, component)[:, :dims]
        explores = (jax.random.uniform(key_explore, (num,)) < config.exploration) | (state.num_fits == 0)
        tasks = jnp.where(explores[:, None], uniform, jax.vmap(from_own)(drawn))
        return state, fresh_proposals(key_seeds, tasks).replace(origin=jnp.where(explores, UNIFORM, component))

    def update(key: Key, state: AlpGmmState, episodes: Episodes, context: Context) -> tuple[AlpGmmState, jax.Array]:
        order, num_valid = ring.valid_first(ring.usable(episodes))
        returns = _scaled(episodes.returns[order], config.return_range)
        batch = jnp.concatenate([jax.vmap(to_own)(episodes.tasks[order]), returns[:, None]], axis=1).T
        history = ring.insert(state.history, batch, num_valid)
        alp = _learning_progress(history, batch, state.history.num_rows)
        window = ring.insert(state.window, batch.at[-1].set(alp), num_valid)
        num_unfitted = state.num_unfitted + num_valid
        needed = num_unfitted >= config.fit_every
        state = AlpGmmState(
            history=history,
            window=window,
            mixture=_refit(key, window.values, state.mixture, candidates, needed),
            num_unfitted=jnp.where(needed, 0, num_unfitted),
            num_fits=state.num_fits + needed.astype(jnp.int32),
        )
        return state, jnp.int32(0)

    def report(state: AlpGmmState) -> AlpGmmReport:
        means = state.mixture.means
        spread = gmm.covariances(state.mixture)
        if config.unit_cube:
            width = jnp.array([high - low for low, high in zip(task_space.low, task_space.high)] + [1.0], jnp.float32)
            means = jnp.concatenate([jax.vmap(task_space.from_unit)(means[:, :dims]), means[:, dims:]], axis=1)
            spread = spread * (width[:, None] * width[None, :])[None]
        num_latest = jnp.clip(state.window.num_rows, 1, config.fit_every).astype(jnp.float32)
        return AlpGmmReport(
            weights=state.mixture.weights,
            means=means,
            covariances=spread,
            valid=state.mixture.valid,
            mean_alp=jnp.sum(state.window.values[-1]) / num_latest,  # slots not yet written are 0
            num_fits=state.num_fits,
            num_episodes=state.history.num_rows,
        )

    return Teacher(name="alp-gmm", init=init, propose=propose, update=update, report=report)


def _scaled(returns: jax.Array, return_range: tuple[float, float] | None) -> jax.Array:
    if return_range is None:
        return returns
    low, high = return_range
    return jnp.clip((returns - low) / (high - low), 0.0, 1.0)


def _learning_progress(history: ring.History, batch: jax.Array, num_before: jax.Array) -> jax.Array:
    """ALP of the rows of `batch` ([dims + 1, num], task and return), which already stand in `history`, [num].

    Batch and past lie in one ring, so one search serves both: a row sees those with a lower number.
    """
    tasks, returns = batch[:-1], batch[-1]
    numbers = num_before + jnp.arange(returns.shape[0], dtype=jnp.int32)
    slot = nearest_before(tasks, numbers, history)
    progress = jnp.abs(returns - history.values[-1, jnp.maximum(slot, 0)])
    return jnp.where((numbers > FEWEST_ITEMS) & (slot >= 0), progress, 0.0)


def _refit(key: Key, rows: jax.Array, mixture: gmm.Mixture, candidates: tuple[int, ...], needed: jax.Array) -> gmm.Mixture:
    """The mixture of `rows` ([dims + 1, fit_every]) where `needed`, else `mixture`; no work if no mapped seed needs it."""

    def refit() -> gmm.Mixture:
        fitted = gmm.fit(key, rows.T, candidates, needed)
        return jax.tree.map(lambda new, old: jnp.where(needed, new, old), fitted, mixture)

    return jax.lax.cond(shared_max(needed), refit, lambda: mixture)
