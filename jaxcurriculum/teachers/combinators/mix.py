"""Most proposals from one teacher, the others from a second one."""

from __future__ import annotations

import jax
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.fields import check_kind, is_number_or_array
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.teachers.combinators.alike import check_alike, check_one_learner

States = tuple[PyTree, PyTree]  # of the first teacher and of the second


def mix(first: Teacher, second: Teacher, share: float | jax.Array) -> Teacher:
    """A teacher that proposes for `first` with probability `share`, else for `second`.

    Each proposal is drawn on its own. An episode goes back to the teacher that proposed it, with
    the origin that it gave, and is no episode to the other one. Origins are 2 origin of the first
    and 2 origin + 1 of the second, so those of both must be less than 2^30 in size.

    Raises:
      TypeError: when one of the two is no teacher.
      ValueError: when `share` is not between 0 and 1, when one of them compares learners, or (from
          `propose`) when the teachers' tasks differ in structure or shape.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.random import random
    >>> box = Box(names=("height",), low=(0.0,), high=(3.0,))
    >>> teacher = mix(random(box), random(box), 1.0)
    >>> teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 3)[1].origin.tolist()
    [0, 0, 0]
    """
    check_kind("mix.first", first, Teacher)
    check_kind("mix.second", second, Teacher)
    check_one_learner("mix", first, second)
    if np.ndim(share) != 0 or not is_number_or_array(share, 0, 1):
        raise ValueError(f"mix.share must be a number between 0 and 1, got {share!r}.")

    def init(key: Key) -> States:
        keys = jax.random.split(key)
        return first.init(keys[0]), second.init(keys[1])

    def propose(key: Key, state: States, num: int) -> tuple[States, Proposals]:
        key_first, key_second, key_choice = jax.random.split(key, 3)
        state_first, by_first = first.propose(key_first, state[0], num)
        state_second, by_second = second.propose(key_second, state[1], num)
        check_alike("mix", by_first, by_second)
        is_first = jax.random.uniform(key_choice, (num,)) < share
        by_first = by_first.replace(origin=2 * by_first.origin)
        by_second = by_second.replace(origin=2 * by_second.origin + 1)
        return (state_first, state_second), tree.where(is_first, by_first, by_second)

    def update(key: Key, state: States, episodes: Episodes, context: Context):
        keys = jax.random.split(key)
        results = []
        for index, teacher in enumerate((first, second)):
            is_own = episodes.origin % 2 == index
            own = episodes.replace(valid=episodes.valid & is_own, origin=episodes.origin // 2)
            results.append(teacher.update(keys[index], state[index], own, context))
        (state_first, steps_first), (state_second, steps_second) = results
        return (state_first, state_second), steps_first + steps_second

    def report(state: States) -> dict[str, PyTree]:
        return {"first": first.report(state[0]), "second": second.report(state[1])}

    return Teacher(
        name=f"mix of {first.name} and {second.name}",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=first.needs_critic or second.needs_critic,
        needs_optimal_return=first.needs_optimal_return or second.needs_optimal_return,
        most_proposals=min(first.most_proposals, second.most_proposals),
        needs_every_level=first.needs_every_level or second.needs_every_level,
        config={"share": share, "first": first.config, "second": second.config},
    )
