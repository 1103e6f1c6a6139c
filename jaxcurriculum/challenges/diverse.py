"""Every seed is a different student."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum.fields import check_kind
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Student
from jaxcurriculum.students.wrapped import with_state


class DiverseState(struct.PyTreeNode):
    """Who the student is, and what it has learned."""

    parameters: PyTree
    student: PyTree


def diverse(make: Callable[[PyTree], Student], sample: Callable[[Key], PyTree]) -> Student:
    """Every seed its own student: parameters are drawn when it begins and stay for life.

    Whatever a configuration allows as an array can be drawn: the growth of a simulated learner, a
    learning rate of PPO, or numbers of an environment that `make` builds around them. What is a
    shape cannot (layers, legs of a body, another algorithm): train those as runs of their own and
    pool them, as the benchmark does with its two bodies and two algorithms.

    Args:
      make: (parameters) -> student; task space and sizes must be the same for all parameters.
      sample: (key) -> parameters, a pytree of arrays.

    >>> from jaxcurriculum.students.simulated import AbilitiesConfig, abilities
    >>> student = diverse(
    ...     make=lambda rate: abilities(AbilitiesConfig(growth=rate)),
    ...     sample=lambda key: jax.random.uniform(key, (), maxval=0.1),
    ... )
    >>> keys = jax.random.split(jax.random.key(0), 3)
    >>> len(set(jax.vmap(student.init)(keys).parameters.tolist()))
    3
    """
    for name, function in (("make", make), ("sample", sample)):
        if not callable(function):
            raise TypeError(f"diverse.{name} must be a function, got {function!r}.")
    example = make(sample(jax.random.key(0)))
    check_kind("What diverse.make returns", example, Student)

    def fixed(leaf: PyTree) -> jax.Array:  # no weak type
        return jnp.asarray(leaf, jnp.asarray(leaf).dtype)

    def init(key: Key) -> DiverseState:
        key_parameters, key_student = jax.random.split(key)
        parameters = jax.tree.map(fixed, sample(key_parameters))
        return DiverseState(parameters=parameters, student=make(parameters).init(key_student))

    def train(
        key: Key, state: DiverseState, proposals: Proposals, round: jax.Array
    ) -> tuple[DiverseState, Episodes]:
        learner, episodes = make(state.parameters).train(key, state.student, proposals, round)
        return state.replace(student=learner), episodes

    return with_state(example, "diverse", init, train, lambda state: make(state.parameters))
