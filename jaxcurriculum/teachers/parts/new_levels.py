"""Levels that a teacher has not proposed before: random or easy tasks, and their seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import jax
import jax.numpy as jnp

from jaxcurriculum import tree
from jaxcurriculum.records import Key, Proposals, fresh_proposals
from jaxcurriculum.spaces import Box, Space
from jaxcurriculum.teachers.parts.sampling import check_task, easy_tasks

if TYPE_CHECKING:
    from jaxcurriculum.teachers.plr import PlrConfig

# origin of a level that was drawn at random; a replayed one has the slot that it was drawn from
NEW = -1


def new_levels(space: Space, config: PlrConfig) -> Callable[[Key, int], Proposals]:
    """The function (key, num) -> proposals of `num` new levels.

    Raises:
      ValueError: when `initial_mean` is no task of the space.
    """
    if config.initial_mean is not None:
        if not isinstance(space, Box):
            raise ValueError(
                "PlrConfig.initial_mean must be None where the task space is not a Box, got"
                f" {config.initial_mean}."
            )
        check_task(config, "initial_mean", space)

    def draw(key: Key, num: int) -> Proposals:
        key_tasks, key_seeds = jax.random.split(key)
        if config.initial_mean is None:
            tasks = jax.vmap(space.sample)(jax.random.split(key_tasks, num))
        else:
            assert isinstance(space, Box)
            tasks = easy_tasks(key_tasks, space, config.initial_mean, config.initial_std, num)
        proposals = with_level_seeds(config, fresh_proposals(key_seeds, tasks))
        return proposals.replace(origin=jnp.full((num,), NEW, jnp.int32))

    return draw


def with_level_seeds(config: PlrConfig, proposals: Proposals) -> Proposals:
    """`proposals` of new tasks, whose seeds follow from these where `config` says so."""
    if not config.seeds_from_tasks:
        return proposals
    return proposals.replace(seeds=jax.vmap(tree.fingerprint)(proposals.tasks))
