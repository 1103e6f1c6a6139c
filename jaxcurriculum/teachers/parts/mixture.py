"""What ALP-GMM and Covar-GMM share: a mixture of a window of episodes, to draw tasks from.

    fit:     every `fit_every` episodes a mixture of the latest rows, as many of them or `window`,
             its number of components chosen by AIC
    propose: with probability `exploration` uniform,
             else component k ~ preference of k, row ~ N(mean_k, covariance_k)

Such a teacher decides what a row holds beside the task, and which components it prefers.
Coordinates of the task come first.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from operator import attrgetter
from typing import TypeVar

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.configs import Config, Range, Swept, field
from jaxcurriculum.device.lanes import shared_max
from jaxcurriculum.records import Episodes, Key, Proposals, fresh_proposals
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts import gmm, ring
from jaxcurriculum.teachers.parts.sampling import easy_tasks, log_proportional

EXPLORED = -1  # origin of a task that no Gaussian gave; otherwise the index of its Gaussian


@dataclasses.dataclass(frozen=True, kw_only=True)
class MixtureConfig(Config):
    """The defaults are the settings of 2019."""

    fit_every: int | jax.Array = field(
        250,
        low=2,
        high=100_000,  # every row meets every component of every candidate at once
        help="episodes between two fits, and rows in a fit where window is not given",
    )
    window: int | None = field(
        None,
        low=2,
        high=100_000,  # as above
        help="latest episodes whose rows are fitted; None: fit_every",
    )
    min_components: int = field(2, low=1, help="fewest Gaussians tried")
    max_components: int = field(10, low=1, high=1000, help="most Gaussians tried")  # as above
    exploration: Swept = field(0.2, low=0, high=1, help="share of tasks drawn uniformly")
    return_range: Range | None = field(
        (-150.0, 350.0),
        help="returns mapped to [0, 1] and clipped; None: raw returns",
    )
    unit_cube: bool = field(
        False,
        help="measure tasks in the unit cube rather than in the axes' own units",
    )
    initial_mean: tuple[float, ...] | None = field(
        None,
        help="an easy task, in the axes' units: tasks are drawn about it until the first fit",
    )
    initial_std: Swept = field(
        0.1,
        low=0,
        high=10,
        help="standard deviation of those tasks, fraction of each axis' range",
    )

    def __post_init__(self):
        super().__post_init__()
        if not 1 <= self.min_components <= self.max_components <= self.num_rows:
            raise ValueError(
                f"{type(self).__name__} must have 1 <= min_components <= max_components <= rows in"
                f" a fit, got {self.min_components}, {self.max_components} and {self.num_rows}."
            )

    @property
    def num_rows(self) -> int:
        """Rows in a fit.

        Raises:
          ValueError: when only an array tells them, on which no size can depend.
        """
        if self.window is not None:
            return self.window
        if isinstance(self.fit_every, jax.Array):
            kind = type(self).__name__
            raise ValueError(f"{kind}.window must be given where fit_every is an array, got None.")
        return self.fit_every


class MixtureState(struct.PyTreeNode):
    """A window of rows and the mixture fitted to it, in the teacher's own units."""

    window: ring.History  # the latest rows, as many as a fit has
    # max_components Gaussians over what is fitted, the coordinates of the task first
    mixture: gmm.Mixture
    num_unfitted: jax.Array  # [], int32, episodes since the last fit
    num_fits: jax.Array  # [], int32


class MixtureReport(struct.PyTreeNode):
    """The mixture as a picture shows it, in the units of tasks and (scaled) returns."""

    weights: jax.Array  # [max_components]
    means: jax.Array  # [max_components, width], task and what is fitted beside it
    covariances: jax.Array  # [max_components, width, width]
    valid: jax.Array  # [max_components], bool: the Gaussians that the mixture has
    preference: jax.Array  # [max_components], at least 0: Gaussians are drawn in proportion to it
    num_fits: jax.Array  # [], int32
    num_episodes: jax.Array  # [], int32


State = TypeVar("State", bound=MixtureState)


def to_rows(episodes: Episodes, space: Box, config: MixtureConfig) -> tuple[jax.Array, jax.Array]:
    """The usable episodes as rows [dims + 1, num] in the teacher's own units, and how many."""
    order, num_valid = ring.valid_first(ring.usable(episodes))
    tasks, returns = episodes.tasks[order], episodes.returns[order]
    if config.unit_cube:
        tasks = jax.vmap(space.to_unit)(tasks)
    if config.return_range is not None:
        low, high = config.return_range
        returns = jnp.clip((returns - low) / (high - low), 0.0, 1.0)
    return jnp.concatenate([tasks, returns[:, None]], axis=1).T, num_valid


def learn(
    key: Key,
    state: State,
    rows: jax.Array,
    num_valid: jax.Array,
    config: MixtureConfig,
    to_data: Callable[[ring.History], jax.Array] = attrgetter("values"),
) -> State:
    """`state` with the first `num_valid` of `rows` ([width, num]), fitted again if it is time.

    `to_data` makes what is fitted ([width, window]) of the full window. Where no mapped seed needs
    a fit, none is made.
    """
    window = ring.insert(state.window, rows, num_valid)
    num_unfitted = state.num_unfitted + num_valid
    needed = (num_unfitted >= config.fit_every) & (window.num_rows >= config.num_rows)

    def refit() -> gmm.Mixture:
        candidates = tuple(range(config.min_components, config.max_components + 1))
        fitted = gmm.fit(key, to_data(window).T, candidates, needed)
        return jax.tree.map(lambda new, old: jnp.where(needed, new, old), fitted, state.mixture)

    return state.replace(
        window=window,
        mixture=jax.lax.cond(shared_max(needed), refit, lambda: state.mixture),
        num_unfitted=jnp.where(needed, 0, num_unfitted),
        num_fits=state.num_fits + needed.astype(jnp.int32),
    )


def propose(
    key: Key,
    state: MixtureState,
    preference: jax.Array,
    num: int,
    space: Box,
    config: MixtureConfig,
) -> Proposals:
    """`num` tasks of the mixture, or explored.

    Components are drawn in proportion to `preference` ([max_components]). Without any preference
    above 0 each component is equally likely. Until the first fit all tasks are explored.
    """
    key_explored, key_explore, key_component, key_draw, key_seeds = jax.random.split(key, 5)
    fitted = state.num_fits > 0
    by_preference = log_proportional(preference, state.mixture.valid)
    component = jax.random.categorical(key_component, by_preference, shape=(num,)).astype(jnp.int32)
    drawn = gmm.sample(key_draw, state.mixture, component)[:, : space.dims]
    explores = (jax.random.uniform(key_explore, (num,)) < config.exploration) | ~fitted
    to_task = space.from_unit if config.unit_cube else space.clip
    explored = _explored(key_explored, space, config, fitted, num)
    drawn = jax.vmap(to_task)(drawn)
    tasks = jnp.where(explores[:, None], explored, drawn)
    origin = jnp.where(explores, EXPLORED, component)
    return fresh_proposals(key_seeds, tasks).replace(origin=origin)


def describe(
    state: MixtureState, preference: jax.Array, space: Box, config: MixtureConfig
) -> dict[str, jax.Array]:
    """The fields of a `MixtureReport`."""
    means, covariances = state.mixture.means, gmm.covariances(state.mixture)
    if config.unit_cube:
        num_others = means.shape[1] - space.dims
        low, high = space.bounds
        width = jnp.concatenate([high - low, jnp.ones(num_others)])
        tasks, others = jnp.split(means, [space.dims], axis=1)
        tasks = jax.vmap(space.from_unit)(tasks)
        means = jnp.concatenate([tasks, others], axis=1)
        covariances = covariances * (width[:, None] * width[None, :])[None]
    return {
        "weights": state.mixture.weights,
        "means": means,
        "covariances": covariances,
        "valid": state.mixture.valid,
        "preference": jnp.where(state.mixture.valid, jnp.maximum(preference, 0.0), 0.0),
        "num_fits": state.num_fits,
        "num_episodes": state.window.num_rows,
    }


def _explored(
    key: Key, space: Box, config: MixtureConfig, fitted: jax.Array, num: int
) -> jax.Array:
    """`num` uniform tasks, or before the first fit those that an expert knows as easy."""
    uniform = easy_tasks(key, space, None, 0.0, num)
    if config.initial_mean is None:
        return uniform
    # One key serves both: a state uses one or the other.
    return jnp.where(
        fitted, uniform, easy_tasks(key, space, config.initial_mean, config.initial_std, num)
    )
