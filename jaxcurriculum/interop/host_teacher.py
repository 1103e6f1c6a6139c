"""A teacher for a trainer in plain Python: tickets out, returns in, in any order.

    teacher = HostTeacher(teachers.alp_gmm(space), seed=0)
    ticket = teacher.sample()
    teacher.update(ticket, episode_return=train_on(ticket.task))

Tickets are drawn, and returns are learned from, a batch at a time, so there is one compilation
whatever arrives.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, overload

import cloudpickle
import jax
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.fields import LARGEST_INTEGER, check_kind, is_integer, is_number
from jaxcurriculum.interop.arrays import check_finite, named, stack, unnamed
from jaxcurriculum.interop.rounds import compile_rounds, critic_scores
from jaxcurriculum.records import Episodes, Proposals, PyTree
from jaxcurriculum.roles import Teacher

MOST_TICKETS = 2**16  # of a batch


class Ticket(NamedTuple):
    """One episode that a teacher wants to be played."""

    id: int
    task: PyTree  # of NumPy arrays, read-only
    seed: int  # of the level: the same task with the same seed is to be the same level
    weight: float  # multiplies the gradient; 0: play and report it, but do not train on it


class HostTeacher:
    """A teacher whose student trains elsewhere: in PyTorch, in NumPy, in other processes.

    Every ticket of `sample` is given back once, to `update` with its return or to `drop`, in any
    order, or never. All methods may be called from any thread, and a `HostTeacher` can be pickled.

    A block of `batch` tickets is drawn at once, and `batch` returns are learned from at once; so a
    ticket is drawn from a teacher that misses at most the latest `batch - 1` returns. With 1 it has
    seen them all, and every call costs a call of a compiled program. A block that is used up, or
    that returns have made old, is replaced; returns that wait are learned from before that, in a
    batch whose other slots are not valid. If the tickets of each block come back in their order
    before the next one is asked for, the curriculum is that of `make_loop` with a student of
    `batch` episodes a round, from the same seed.

    Args:
      teacher: made by its factory, as `teachers.alp_gmm(space)`.
      seed: of all its random numbers.
      batch: tickets drawn, and returns learned from, at once.
      scores: fields of `CriticScores` that every `update` will give, for teachers that need them.

    Raises:
      ValueError: when an argument is out of its range, when the teacher breaks its contract, or
          when it needs what is not at hand here: a critic's scores, or a student to probe.
      TypeError: when `teacher` is something else.

    >>> from jaxcurriculum import Box, teachers
    >>> box = Box(names=("height",), low=(0.0,), high=(3.0,))
    >>> teacher = HostTeacher(teachers.alp_gmm(box), seed=0)
    >>> first, second = teacher.sample(2)
    >>> teacher.update(second, 0.5)
    >>> teacher.drop(first)
    >>> first.task.shape, first.id, len(teacher.open_tickets())
    ((1,), 0, 0)
    """

    def __init__(
        self, teacher: Teacher, seed: int = 0, *, batch: int = 16, scores: Sequence[str] = ()
    ):
        check_kind("HostTeacher.teacher", teacher, Teacher)
        bounds = {"seed": (seed, 0, LARGEST_INTEGER), "batch": (batch, 1, MOST_TICKETS)}
        for name, (value, low, high) in bounds.items():
            if not is_integer(value, low, high):
                rule = f"an integer from {low} to {high}"
                raise ValueError(f"HostTeacher.{name} must be {rule}, got {value!r}.")
        self._rounds = compile_rounds(teacher, int(batch), scores)
        self._teacher, self._batch, self._scores = teacher, int(batch), tuple(scores)
        self._lock = threading.Lock()
        self._no_proposal, self._no_episode = self._rounds.no_proposal, self._rounds.no_episode
        self._state = self._rounds.init(jax.random.key(int(seed)))
        self._block: Proposals = stack([], self._no_proposal, self._batch)
        self._next = self._batch  # place of the next ticket in the block: here, a new one is due
        self._open: dict[int, Proposals] = {}
        self._waiting: list[Episodes] = []
        self._num_tickets = self._num_rounds = self._num_steps = 0

    @overload
    def sample(self) -> Ticket: ...

    @overload
    def sample(self, k: int) -> list[Ticket]: ...

    def sample(self, k: int | None = None) -> Ticket | list[Ticket]:
        """The next ticket, or a list of the next `k`.

        Raises:
          ValueError: when `k` is no positive integer.
        """
        if k is None:
            with self._lock:
                return self._hand_out()
        if not is_integer(k, 1):
            raise ValueError(f"sample.k must be a positive integer, got {k!r}.")
        with self._lock:
            return [self._hand_out() for _ in range(k)]

    def update(
        self,
        ticket: Ticket,
        episode_return: float,
        *,
        length: int | None = None,
        solved: bool | None = None,
        **scores: float,
    ) -> None:
        """Give a ticket back with how its episode went.

        Args:
          episode_return: the undiscounted sum of rewards.
          length: steps of the environment; without it each episode counts as one step.
          solved: whether the task was solved.
          scores: what the critic thinks of the episode, by the names given as `scores` before.

        Raises:
          ValueError: when a number is out of range, when something that the teacher reads is
              missing, or when the ticket is not open: then nothing has changed.
          TypeError: when `ticket` is something else.
        """
        self._check(episode_return, length, solved, scores)
        played = self._no_episode.replace(
            returns=np.float32(episode_return),
            lengths=np.int32(1 if length is None else length),
            solved=np.bool_(solved),
            valid=np.True_,
            critic=critic_scores({name: np.float32(score) for name, score in scores.items()}),
        )
        with self._lock:
            proposal = self._take_back(ticket)
            given = {name: getattr(proposal, name) for name in ("tasks", "seeds", "origin")}
            self._waiting.append(played.replace(**given))
            if len(self._waiting) == self._batch:
                self._learn()

    def drop(self, ticket: Ticket) -> None:
        """Give a ticket back whose episode will not be known.

        Raises:
          ValueError: when the ticket is not open.
          TypeError: when `ticket` is something else.
        """
        with self._lock:
            self._take_back(ticket)

    def open_tickets(self) -> list[Ticket]:
        """The tickets that were not given back yet, the oldest first."""
        with self._lock:
            return [_ticket(id, proposal) for id, proposal in self._open.items()]

    def report(self) -> PyTree:
        """What the teacher reports of itself, in NumPy; returns that still wait are not in it."""
        with self._lock:
            return jax.tree.map(np.asarray, self._rounds.report(self._state.teacher))

    def state_dict(self) -> dict[str, np.ndarray]:
        """All that goes on from here, open tickets included, as arrays by their names."""
        with self._lock:
            return named(self._saved())

    def load_state_dict(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from what `state_dict` gave, of the same teacher and batch.

        Raises:
          ValueError: naming the first array that is missing, not known, of another kind, or not
              finite where that would end in a task.
          TypeError: when `state` is no dictionary.
        """
        check_kind("state_dict", state, Mapping)
        with self._lock:
            saved = unnamed(self._saved(), state, growing=("open", "waiting"))
            counts = {name: int(count) for name, count in saved["counts"].items()}
            if min(counts.values()) < 0 or counts["next"] > self._batch:
                raise ValueError(f"state_dict: no counts of a HostTeacher, got {counts}.")
            check_finite("state_dict", {name: saved[name] for name in ("block", "open", "waiting")})
            check_finite(
                "state_dict's teacher's proposals", self._rounds.propose(saved["rounds"])[1]
            )
            self._state, self._block, self._next = saved["rounds"], saved["block"], counts["next"]
            self._num_tickets, self._num_rounds = counts["tickets"], counts["rounds"]
            self._num_steps = counts["steps"]
            ids, proposals = saved["open"]["ids"].tolist(), saved["open"]["proposals"]
            self._open = {id: tree.take(proposals, row) for row, id in enumerate(ids)}
            rows = range(len(saved["waiting"].valid))
            self._waiting = [tree.take(saved["waiting"], row) for row in rows]

    def update_on_episode(
        self, episode_return: float, length: int, task: Ticket, progress: float, env_id: Any = None
    ) -> None:
        """`update` as Syllabus calls it; `task` is the ticket, solved when `progress` is 1."""
        self.update(task, episode_return, length=length, solved=bool(progress >= 1))

    def sample_task(self) -> Ticket:
        """`sample` as TeachMyAgent calls it."""
        return self.sample()

    def record_train_episode(
        self, task: Ticket, reward: float, length: int, success: bool = False
    ) -> None:
        """`update` as TeachMyAgent calls it; `task` is the ticket."""
        self.update(task, reward, length=length, solved=success)

    def __reduce__(self):
        settings = {"batch": self._batch, "scores": self._scores}
        return _restored, (cloudpickle.dumps(self._teacher), settings, self.state_dict())

    def _hand_out(self) -> Ticket:
        if self._next == self._batch:
            if self._waiting:
                self._learn()
            self._state, proposals = self._rounds.propose(self._state)
            self._block, self._next = jax.tree.map(np.asarray, proposals), 0
        proposal = tree.take(self._block, self._next)
        ticket = _ticket(self._num_tickets, proposal)
        self._open[ticket.id] = proposal
        self._next += 1
        self._num_tickets += 1
        return ticket

    def _take_back(self, ticket: Ticket) -> Proposals:
        check_kind("ticket", ticket, Ticket)
        proposal = self._open.get(ticket.id)
        if proposal is None or int(proposal.seeds) != ticket.seed:
            raise ValueError(
                f"ticket {ticket.id} must be open: it was given back before, or is not of this"
                " HostTeacher."
            )
        return self._open.pop(ticket.id)

    def _learn(self) -> None:
        episodes = stack(self._waiting, self._no_episode, self._batch)
        steps = self._num_steps + sum(int(episode.lengths) for episode in self._waiting)
        steps = min(steps, LARGEST_INTEGER)
        count = np.int32(self._num_rounds)
        self._state = self._rounds.update(self._state, episodes, count, np.int32(steps))
        self._num_rounds, self._num_steps = self._num_rounds + 1, steps
        self._waiting, self._next = [], self._batch

    def _saved(self) -> dict[str, PyTree]:
        counts = {
            "next": self._next,
            "tickets": self._num_tickets,
            "rounds": self._num_rounds,
            "steps": self._num_steps,
        }
        proposals = stack(list(self._open.values()), self._no_proposal, len(self._open))
        return {
            "rounds": self._state,
            "block": self._block,
            "counts": {name: np.int64(count) for name, count in counts.items()},
            "open": {"ids": np.array(list(self._open), np.int64), "proposals": proposals},
            "waiting": stack(self._waiting, self._no_episode, len(self._waiting)),
        }

    def _check(
        self, episode_return: float, length: int | None, solved: bool | None, scores: dict
    ) -> None:
        for name, value in (("length", length), ("solved", solved)):
            if value is None and name in self._rounds.reads:
                raise ValueError(
                    f"update.{name} must be given: teacher {self._teacher.name!r} reads it."
                )
        if scores.keys() != set(self._scores):
            raise ValueError(
                f"update must be given the scores {list(self._scores)}, got {list(scores)}."
            )
        for name, value in (("episode_return", episode_return), *scores.items()):
            if not is_number(value):
                raise ValueError(f"update.{name} must be a finite number, got {value!r}.")
        if length is not None and not is_integer(length, 1):
            raise ValueError(f"update.length must be a positive integer, got {length!r}.")
        if not isinstance(solved, bool | np.bool_ | None):
            raise ValueError(f"update.solved must be True or False, got {solved!r}.")


def _ticket(id: int, proposal: Any) -> Ticket:
    return Ticket(id, proposal.tasks, int(proposal.seeds), float(proposal.weight))


def _restored(teacher: bytes, settings: dict, state: dict) -> HostTeacher:
    """What a pickled `HostTeacher` becomes."""
    restored = HostTeacher(cloudpickle.loads(teacher), **settings)
    restored.load_state_dict(state)
    return restored
