"""Population-based training: who does worst copies who does best, and tries other settings.

After each test everyone of the lower share of a population takes networks, optimiser and settings
from one of the upper share, drawn at random. Each setting that was copied then moves a little in
its space, or is drawn anew.

Source: M. Jaderberg et al., "Population Based Training of Neural Networks", 2017
(arXiv:1711.09846).

Differs from the paper: all learners are tested at the same time, as they run in one program.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import jax
import jax.numpy as jnp

from jaxcurriculum import tree
from jaxcurriculum.configs import Config, field
from jaxcurriculum.fields import check_kind, given
from jaxcurriculum.records import Episodes, Key, PyTree
from jaxcurriculum.spaces import Box
from jaxcurriculum.students.tuning.tune import Rule, settings_of, with_settings


@dataclasses.dataclass(frozen=True, kw_only=True)
class EvolvingConfig(Config):
    """Who copies, and what is tried then."""

    share: float = field(0.25, low=0, high=0.5, help="of the population that copies, at least one")
    scale: float = field(0.1, low=0, help="of a move, in the unit cube of the settings' space")
    resample: float = field(0.25, low=0, high=1, help="chance that settings are drawn anew instead")
    copy_settings: bool = field(
        True, help="settings are copied with the networks, and move from there; else from their own"
    )
    draw_first: bool = field(True, help="the first settings are drawn from the space")


def evolving(space: Box, config: EvolvingConfig | None = None) -> Rule:
    """A rule for `tune` around a `population`; the axes of `space` are the settings that evolve.

    Copied is what lies in `state.learner`. Axes that are logarithmic move by factors.

    Raises:
      TypeError: when `space` is no Box.

    >>> evolving(Box(names=("learning_rate",), low=(1e-5,), high=(1e-2,), log=(True,))).settings
    ('learning_rate',)
    """
    check_kind("evolving.space", space, Box)
    config = given(config, EvolvingConfig)

    def init(key: Key, student_state: PyTree) -> tuple[PyTree, PyTree]:
        values = _read(student_state)
        if values.ndim != 2:
            raise ValueError("evolving must be the rule of a population, got a single student.")
        drawn = jax.vmap(space.sample)(jax.random.split(key, len(values)))
        return (), _written(student_state, drawn if config.draw_first else values)

    def update(
        key: Key, state: PyTree, student_state: PyTree, tests: Episodes | None, round: jax.Array
    ) -> tuple[PyTree, PyTree]:
        assert tests is not None
        key_copy, key_explore = jax.random.split(key)
        num = len(_read(student_state))
        source, is_copy = copies(key_copy, _fitness(tests, num))
        copied = student_state.replace(learner=tree.take(student_state.learner, source))
        values = _read(copied if config.copy_settings else student_state)
        tried = jax.vmap(explore)(jax.random.split(key_explore, num), values)
        return state, _written(copied, jnp.where(is_copy[:, None], tried, values))

    def explore(key: Key, values: jax.Array) -> jax.Array:
        key_which, key_move, key_draw = jax.random.split(key, 3)
        moved = space.mutate(key_move, values, config.scale)
        is_drawn = jax.random.uniform(key_which) < config.resample
        return jnp.where(is_drawn, space.sample(key_draw), moved)

    def copies(key: Key, fitness: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Whose learner everyone goes on with, [n] int32, and who copies, [n] bool."""
        num = fitness.shape[0]
        size = max(1, round(config.share * num))
        order = jnp.argsort(fitness)
        best = jax.random.choice(key, order[-size:], (size,))
        own = jnp.arange(num)
        source = own.at[order[:size]].set(best)
        return source, source != own

    def _read(student_state: PyTree) -> jax.Array:
        settings: Any = settings_of(student_state)
        return jnp.stack([getattr(settings, name) for name in space.names], axis=-1)

    def _written(student_state: PyTree, values: jax.Array) -> PyTree:
        return with_settings(student_state, **dict(zip(space.names, values.T)))

    return Rule(
        name="evolving",
        settings=space.names,
        needs_tests=True,
        init=init,
        update=update,
        ranges=dict(zip(space.names, zip(space.low, space.high))),
        config={"space": dataclasses.asdict(space), "rule": config},
    )


def _fitness(tests: Episodes, num: int) -> jax.Array:
    """Every learner's total return, [num]; one that is not finite is the worst."""
    total = jax.ops.segment_sum(tests.returns, tests.learner, num)
    return jnp.where(jnp.isfinite(total), total, -jnp.inf)  # all have as many tests
