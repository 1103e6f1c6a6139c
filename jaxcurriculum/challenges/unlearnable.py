"""Tasks in a box teach nothing."""

from __future__ import annotations

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.configs import Config, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Student
from jaxcurriculum.spaces import Box


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
        if self.low is None or self.high is None:
            return
        is_below = [low <= high for low, high in zip(self.low, self.high)]
        if len(self.low) != len(self.high) or not all(is_below):
            raise ValueError(
                f"UnlearnableConfig.low must not lie above high on any axis, got low={self.low}"
                f" and high={self.high}."
            )


def unlearnable(student: Student, config: UnlearnableConfig | None = None) -> Student:
    """`student`, but a task in the box from `low` to `high` teaches nothing.

    Its weight counts as 0, its return is what it is. (Cells of the toy grid that are drawn for each
    seed: `ToyGridConfig.unlearnable`.)

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
    low = np.array(config.low, np.float32)
    high = np.array(config.high, np.float32)

    def train(
        key: Key, state: PyTree, proposals: Proposals, round: jax.Array
    ) -> tuple[PyTree, Episodes]:
        is_inside = (proposals.tasks >= low[None]) & (proposals.tasks <= high[None])
        weight = jnp.where(jnp.all(is_inside, axis=1), 0.0, proposals.weight)
        return student.train(key, state, proposals.replace(weight=weight), round)

    return dataclasses.replace(student, name=f"{student.name}, partly unlearnable", train=train)
