"""Returns are blurred."""

from __future__ import annotations

import dataclasses

import jax

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Student


@dataclasses.dataclass(frozen=True, kw_only=True)
class NoisyConfig(Config):
    """How blurred returns are."""

    std: Swept = field(0.1, low=0, help="standard deviation of the noise, in units of the return")


def noisy(student: Student, config: NoisyConfig | None = None) -> Student:
    """`student`, but every return that it reports, in training and in evaluation, is blurred.

        return' = return + std N(0, 1)

    What it learns, and whether an episode counts as solved, are not.

    >>> from jax import numpy as jnp
    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> blurred = noisy(toy_grid())
    >>> task, seed = jnp.full((1, 2), 0.5), jnp.zeros((1,), jnp.uint32)
    >>> state = blurred.init(jax.random.key(0))
    >>> episodes = blurred.evaluate(jax.random.key(1), state, task, seed, 1, True)
    >>> episodes.returns[0].item() != 0
    True
    """
    check_kind("noisy.student", student, Student)
    config = given(config, NoisyConfig)

    def blur(key: Key, episodes: Episodes) -> Episodes:
        noise = jax.random.normal(key, episodes.returns.shape)
        return episodes.replace(returns=episodes.returns + config.std * noise)

    def train(
        key: Key, state: PyTree, proposals: Proposals, round: jax.Array
    ) -> tuple[PyTree, Episodes]:
        key_train, key_noise = jax.random.split(key)
        state, episodes = student.train(key_train, state, proposals, round)
        return state, blur(key_noise, episodes)

    def evaluate(key: Key, state: PyTree, *asked) -> Episodes:
        key_evaluate, key_noise = jax.random.split(key)
        return blur(key_noise, student.evaluate(key_evaluate, state, *asked))

    name = f"{student.name}, noisy"
    return dataclasses.replace(student, name=name, train=train, evaluate=evaluate)
