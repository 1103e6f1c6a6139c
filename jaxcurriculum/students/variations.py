"""Students made harder to teach: each takes a student, simulated or not, and gives one."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Student
from jaxcurriculum.spaces import Box


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoisyConfig(Config):
    """How blurred returns are."""

    std: Swept = field(0.1, low=0, help="standard deviation of the noise, in units of the return")


def noisy(student: Student, config: NoisyConfig | None = None) -> Student:
    """`student`, but every return that it reports, in training and in evaluation, is blurred.

        return' = return + std N(0, 1)

    What it learns, and whether an episode counts as solved, are not.

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> blurred = noisy(toy_grid())
    >>> task, seed = jnp.full((1, 2), 0.5), jnp.zeros((1,), jnp.uint32)
    >>> float(blurred.evaluate(jax.random.key(1), blurred.init(jax.random.key(0)), task, seed, 1,
    ...     True).returns[0]) != 0
    True
    """
    check_kind("noisy.student", student, Student)
    config = given(config, NoisyConfig)

    def blur(key: Key, episodes: Episodes) -> Episodes:
        return episodes.replace(
            returns=episodes.returns + config.std * jax.random.normal(key, episodes.returns.shape)
        )

    def train(key: Key, state: PyTree, proposals: Proposals) -> tuple[PyTree, Episodes]:
        key_train, key_noise = jax.random.split(key)
        state, episodes = student.train(key_train, state, proposals)
        return state, blur(key_noise, episodes)

    def evaluate(
        key: Key,
        state: PyTree,
        tasks: PyTree,
        seeds: jax.Array,
        num_episodes: int,
        deterministic: bool,
    ) -> Episodes:
        key_evaluate, key_noise = jax.random.split(key)
        return blur(
            key_noise,
            student.evaluate(key_evaluate, state, tasks, seeds, num_episodes, deterministic),
        )

    return dataclasses.replace(
        student, name=f"{student.name}, noisy", train=train, evaluate=evaluate
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class UnlearnableConfig(Config):
    """A box inside the task space; by default none of it."""

    low: tuple[float, ...] | None = field(None, help="one bound an axis, inclusive, in its units")
    high: tuple[float, ...] | None = field(None, help="one bound an axis, inclusive, in its units")

    def __post_init__(self):
        super().__post_init__()
        if (self.low is None) != (self.high is None):
            raise ValueError(
                f"UnlearnableConfig.low and high must be given together, got low={self.low} and"
                f" high={self.high}."
            )
        if self.low is not None and self.high is not None:
            if len(self.low) != len(self.high) or not all(
                low <= high for low, high in zip(self.low, self.high)
            ):
                raise ValueError(
                    f"UnlearnableConfig.low must not lie above high on any axis, got low={self.low}"
                    f" and high={self.high}."
                )


def unlearnable(student: Student, config: UnlearnableConfig | None = None) -> Student:
    """`student`, but a task in the box from `low` to `high` teaches nothing: its weight counts as
    0, its return is what it is.

    (Cells of the toy grid that are drawn for each seed: `ToyGridConfig.unlearnable`.)

    Raises:
      ValueError: when the bounds have not one entry an axis of the student's task space, or that is
          no Box.

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> unlearnable(toy_grid(), UnlearnableConfig(low=(0.0, 0.0), high=(0.5, 0.5))).name
    'toy-grid, partly unlearnable'
    """
    check_kind("unlearnable.student", student, Student)
    config = given(config, UnlearnableConfig)
    if config.low is None or config.high is None:
        return student
    if not isinstance(student.task_space, Box) or len(config.low) != student.task_space.dims:
        raise ValueError(
            f"UnlearnableConfig.low must have one entry an axis of a Box, got {config.low} for"
            f" {student.task_space}."
        )
    low, high = np.array(config.low, np.float32), np.array(config.high, np.float32)

    def train(key: Key, state: PyTree, proposals: Proposals) -> tuple[PyTree, Episodes]:
        inside = jnp.all((proposals.tasks >= low[None]) & (proposals.tasks <= high[None]), axis=1)
        return student.train(
            key, state, proposals.replace(weight=jnp.where(inside, 0.0, proposals.weight))
        )

    return dataclasses.replace(student, name=f"{student.name}, partly unlearnable", train=train)
