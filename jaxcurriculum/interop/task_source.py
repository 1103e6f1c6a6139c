"""Which task each world plays next, decided on the host when its episode begins."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Protocol, runtime_checkable

import jax
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.checks import checked_test_tasks
from jaxcurriculum.interop.gymnasium_spaces import Layout
from jaxcurriculum.records import PyTree
from jaxcurriculum.spaces import Space

BLOCK = 32  # tasks or levels made by one call; one size is one compilation


@runtime_checkable
class TicketTeacher(Protocol):
    """A teacher on the host, as `HostTeacher`.

    Its tickets have a `task` and the `seed` of the level that is made of it.
    """

    def sample(self, num: int, /) -> Sequence[Any]:
        """Tickets for `num` episodes that begin now."""
        ...

    def update(self, ticket: Any, episode_return: float, /, *, length: int, solved: bool) -> Any:
        """How the episode of `ticket` went."""
        ...

    def drop(self, ticket: Any, /) -> Any:
        """The episode of `ticket` was broken off."""
        ...


class TaskSource:
    """The tasks of `num` worlds.

    A world plays the task that was `named` at its last reset, else the one that is `fixed` for it,
    else the teacher's, else one drawn uniformly.
    """

    def __init__(self, space: Space, num: int, teacher: TicketTeacher | None):
        if not isinstance(teacher, TicketTeacher | None):
            rule = "a HostTeacher, or have sample, update and drop as it has"
            raise TypeError(f"teacher must be {rule}, got {teacher!r:.100}.")
        self.shapes = jax.eval_shape(space.sample, jax.eval_shape(lambda: jax.random.key(0)))
        self.layout = Layout(self.shapes)
        self.named: list[PyTree | None] = [None] * num  # of each world, None: any
        self.fixed: list[PyTree | None] = [None] * num
        self._space = space
        self._teacher = teacher
        self._tickets: list[Any] = [None] * num

    def checked(self, name: str, tasks: Any, num: int) -> list[PyTree | None]:
        """`tasks` ([num, ...], called `name`) one by one; `num` times None, where that is given.

        Raises:
          ValueError: when they are no tasks, too many or too few, or one lies outside the space.
        """
        if tasks is None:
            return [None] * num
        try:
            tasks = self.layout.pytree(tasks)
        except (TypeError, ValueError) as error:
            raise ValueError(f"{name} must be made as info['task'] shows it: {error}") from None
        tasks = jax.tree.map(np.asarray, checked_test_tasks(self._space, tasks, name))
        given = len(jax.tree.leaves(tasks)[0])
        if given != num:
            raise ValueError(f"{name} must hold one task for each of {num} worlds, got {given}.")
        return [tree.take(tasks, row) for row in range(num)]

    def next(self, worlds: np.ndarray, seeds: np.ndarray) -> tuple[PyTree, np.ndarray]:
        """What `worlds` play now: tasks and level seeds, [num_worlds, ...].

        Args:
          seeds: [num_worlds, 2] uint32, for the task and for the level.
        """
        self.drop(worlds)
        wishes = [(self.named[world], self.fixed[world]) for world in worlds]
        chosen = [fixed if named is None else named for named, fixed in wishes]
        free = [row for row, task in enumerate(chosen) if task is None]
        level_seeds = seeds[:, 1].copy()
        if free and self._teacher is not None:
            for row, ticket in zip(free, self._teacher.sample(len(free)), strict=True):
                chosen[row] = self._of(ticket)
                level_seeds[row] = ticket.seed
                self._tickets[worlds[row]] = ticket
        elif free:
            uniform = self._uniform(seeds[free, 0])
            for number, row in enumerate(free):
                chosen[row] = tree.take(uniform, number)
        return jax.tree.map(lambda *rows: np.stack(rows), *chosen), level_seeds

    def _of(self, ticket: Any) -> PyTree:
        try:
            return jax.tree.map(_cast, self.shapes, self.layout.pytree(ticket.task))
        except (TypeError, ValueError):
            raise ValueError(
                f"the teacher's tasks must be of the environment's task space, got {ticket.task!r}."
            ) from None

    def _uniform(self, seeds: np.ndarray) -> PyTree:
        """A task for each of `seeds`, [num, ...]."""
        parts = [uniform_tasks(self._space, seeds[rows]) for rows in blocks(len(seeds), BLOCK)]
        return jax.tree.map(lambda *part: np.concatenate(part)[: len(seeds)], *parts)

    def ended(self, world: int, episode_return: float, length: int, solved: bool) -> None:
        """Tell the teacher how the episode of `world` went, where it asked for it.

        A return that is no number says nothing: such an episode is dropped.
        """
        if not np.isfinite(episode_return):
            self.drop([world])
        ticket, self._tickets[world] = self._tickets[world], None
        if ticket is not None and self._teacher is not None:
            self._teacher.update(ticket, episode_return, length=length, solved=solved)

    def drop(self, worlds: Iterable[int]) -> None:
        """The episodes of `worlds`, where any are under way, are broken off."""
        for world in worlds:
            ticket, self._tickets[world] = self._tickets[world], None
            if ticket is not None and self._teacher is not None:
                self._teacher.drop(ticket)


def _cast(leaf: jax.ShapeDtypeStruct, values: Any) -> np.ndarray:
    array = np.asarray(values, leaf.dtype)
    if array.shape != leaf.shape:
        raise ValueError
    return array


@functools.partial(jax.jit, static_argnums=0)
def uniform_tasks(space: Space, seeds: jax.Array) -> PyTree:
    """A task of `space` for each of `seeds`, [num, ...]."""
    return jax.vmap(lambda seed: space.sample(jax.random.key(seed)))(seeds)


def blocks(num: int, size: int) -> Iterator[np.ndarray]:
    """The rows 0 to `num` in blocks of `size`, the last row again where there are none left.

    >>> [rows.tolist() for rows in blocks(5, 3)]
    [[0, 1, 2], [3, 4, 4]]
    """
    for start in range(0, num, size):
        yield np.minimum(np.arange(start, start + size), num - 1)
