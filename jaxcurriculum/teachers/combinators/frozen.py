"""What a teacher proposes now, for ever."""

from __future__ import annotations

import jax
import jax.numpy as jnp

from jaxcurriculum.fields import check_kind
from jaxcurriculum.records import PyTree
from jaxcurriculum.roles import Teacher
from jaxcurriculum.teachers.combinators.alike import outline


def frozen(teacher: Teacher, state: PyTree) -> Teacher:
    """A teacher that proposes as `teacher` does from `state`, whatever the student does.

    Raises:
      TypeError: when `teacher` is none.
      ValueError: when `state` has not the structure and shapes of the teacher's states.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.random import random
    >>> teacher = random(Box(names=("height",), low=(0.0,), high=(3.0,)))
    >>> frozen(teacher, teacher.init(jax.random.key(0))).name
    'frozen random'
    """
    check_kind("frozen.teacher", teacher, Teacher)
    expected = outline(jax.eval_shape(teacher.init, jax.random.key(0)))
    given = outline(state)
    if given != expected:
        raise ValueError(
            f"frozen.state must be a state of {teacher.name}, {expected}, got {given}."
        )
    return Teacher(
        name=f"frozen {teacher.name}",
        init=lambda key: (),
        propose=lambda key, nothing, num: (nothing, teacher.propose(key, state, num)[1]),
        update=lambda key, nothing, episodes, context: (nothing, jnp.int32(0)),
        report=lambda nothing: teacher.report(state),
        config=teacher.config,
    )
