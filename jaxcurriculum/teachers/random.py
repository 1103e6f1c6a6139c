"""Random teacher (domain randomisation): tasks uniform over the space, whatever happens."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.records import Episodes, Key, Proposals, PyTree, fresh_proposals
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Space


def random(task_space: Space) -> Teacher:
    """A teacher that draws every task from `task_space.sample`; it has no state and learns nothing.

    >>> from jaxcurriculum.spaces import Box
    >>> teacher = random(Box(names=("height",), low=(0.0,), high=(3.0,)))
    >>> _, proposals = teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 4)
    >>> proposals.tasks.shape
    (4, 1)
    """

    def init(key: Key) -> PyTree:
        return ()

    def propose(key: Key, state: PyTree, num: int) -> tuple[PyTree, Proposals]:
        key_tasks, key_seeds = jax.random.split(key)
        tasks = jax.vmap(task_space.sample)(jax.random.split(key_tasks, num))
        return state, fresh_proposals(key_seeds, tasks)

    def update(
        key: Key, state: PyTree, episodes: Episodes, context: Context
    ) -> tuple[PyTree, jax.Array]:
        return state, jnp.int32(0)

    def report(state: PyTree) -> dict[str, jax.Array]:
        return {}

    return Teacher(name="random", init=init, propose=propose, update=update, report=report)
