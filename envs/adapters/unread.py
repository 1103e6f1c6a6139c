"""Which numbers of a task an environment never reads, found in its compiled form."""

from __future__ import annotations

from collections.abc import Callable

import jax
import jax.numpy as jnp
from jax.interpreters.partial_eval import dce_jaxpr

from jaxcurriculum.records import Key, PyTree
from jaxcurriculum.spaces import Box, Space


def check_read(world: str, space: Box, actions: Space, reset: Callable, step: Callable) -> None:
    """Check that every axis of `space` is read; `reset` and `step` as in `unread`.

    Raises:
      ValueError: naming the first axis that changes nothing.
    """
    numbers = list(jnp.array(space.low))
    is_unread = unread(reset, step, numbers, actions.sample(jax.random.key(0)))
    for axis, never in zip(space.names, is_unread):
        if never:
            raise ValueError(
                f"{axis} of {world} changes nothing: it is derived from others, or nothing"
                " reads it."
            )


def unread(
    reset: Callable[[Key, list], tuple[PyTree, PyTree]],
    step: Callable[[Key, list, PyTree, PyTree], tuple[PyTree, PyTree]],
    numbers: list[jax.Array],
    action: PyTree,
) -> list[bool]:
    """Which of `numbers` change nothing that is ever seen.

    Args:
      reset: (key, numbers) -> (state, what is seen).
      step: (key, numbers, state, action) -> (state, what is seen).

    >>> def step(key, numbers, state, action):
    ...     return state + numbers[0], state
    >>> unread(lambda key, numbers: (numbers[1], 0.0), step, 3 * [jnp.float32(1)], ())
    [False, False, True]
    """
    key = jax.random.key(0)
    begin = jax.make_jaxpr(reset)(key, numbers).jaxpr
    state, _ = jax.eval_shape(reset, key, numbers)
    advance = jax.make_jaxpr(step)(key, numbers, state, action).jaxpr
    size, first = len(jax.tree.leaves(state)), 1 + len(numbers)
    matters = [False] * size  # leaves of the state that are seen sooner or later
    while True:
        _, used = dce_jaxpr(advance, matters + [True] * (len(advance.outvars) - size))
        found = [old or new for old, new in zip(matters, used[first : first + size])]
        if found == matters:
            break
        matters = found
    _, used_first = dce_jaxpr(begin, matters + [True] * (len(begin.outvars) - size))
    read = zip(used[1:first], used_first[1:first])
    return [not (later or at_first) for later, at_first in read]
