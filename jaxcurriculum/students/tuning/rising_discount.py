r"""A discount that rises as earlier steps are mastered.

    $gamma = alpha^(1 / k)$

where $k$ is how many steps are mastered: at first a share of the longest test task, then one more
for as long as the tasks of at most $k$ steps are solved. What lies beyond hardly counts, until the
way there is known.

Source: Y. Liu et al., "Imitation Learning from Observation with Automatic Discount Scheduling",
2023 (arXiv:2310.07433).

Differs from the paper: there, progress is how far a trajectory follows the demonstrations; here,
which of the test tasks, whose numbers of steps are told, are solved.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.configs import Config, field
from jaxcurriculum.fields import checked_array, given
from jaxcurriculum.records import Episodes, Key, PyTree
from jaxcurriculum.students.tuning.tune import Rule, with_settings

MOST_TESTS = 1_000_000


@dataclasses.dataclass(frozen=True, kw_only=True)
class RisingDiscountConfig(Config):
    """How fast the discount rises."""

    alpha: float = field(0.2, low=1e-6, high=1 - 1e-6, help="weight of a reward k steps away")
    first_share: float = field(
        0.2, low=1e-6, high=1, help="of the longest task's steps, with which k begins"
    )
    mastered: float = field(0.9, low=0, high=1, help="share solved from which on steps count")
    most_increments: int = field(5, low=1, help="steps by which k grows at one test, at most")


def rising_discount(steps: Sequence[float], config: RisingDiscountConfig | None = None) -> Rule:
    """A rule for `tune`; `steps` are how many steps each test task takes, in their order.

    Raises:
      ValueError: when `steps` are no positive numbers.

    >>> rising_discount([1, 2, 3]).settings
    ('discount',)
    """
    config = given(config, RisingDiscountConfig)
    lengths = [range(1, MOST_TESTS + 1)]
    needed = checked_array("rising_discount.steps", steps, "a list of numbers", lengths, 1e-6)
    needed = needed.astype(np.float32)
    longest = float(needed.max())

    def written(student_state: PyTree, horizon: jax.Array) -> PyTree:
        return with_settings(student_state, discount=config.alpha ** (1 / horizon))

    def init(key: Key, student_state: PyTree) -> tuple[PyTree, PyTree]:
        horizon = jnp.float32(config.first_share * longest)
        return horizon, written(student_state, horizon)

    def update(
        key: Key, state: PyTree, student_state: PyTree, tests: Episodes | None, round: jax.Array
    ) -> tuple[PyTree, PyTree]:
        assert tests is not None
        solved = jnp.mean(tests.solved.reshape(len(needed), -1), axis=1)

        def grow(_, horizon: jax.Array) -> jax.Array:
            near = needed <= horizon
            share = jnp.sum(near * solved) / jnp.maximum(jnp.sum(near), 1)
            is_mastered = ~jnp.any(near) | (share >= config.mastered)
            return jnp.where(is_mastered, jnp.minimum(horizon + 1, longest), horizon)

        horizon = jax.lax.fori_loop(0, config.most_increments, grow, state)
        return horizon, written(student_state, horizon)

    return Rule(
        name="rising discount",
        settings=("discount",),
        needs_tests=True,
        num_tests=len(needed),
        init=init,
        update=update,
        config={"steps": tuple(map(float, needed)), "rule": config},
    )
