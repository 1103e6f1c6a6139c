"""A curriculum in phases: one teacher after the other."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.fields import LARGEST_INTEGER, check_kind, is_number
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.teachers.combinators.alike import check_alike, check_one_learner


class ScheduleState(struct.PyTreeNode):
    """The phase, by the steps trained and so one for all seeds, and every teacher's state."""

    phase: jax.Array  # [], int32
    teachers: tuple[PyTree, ...]


def schedule(phases: Sequence[tuple[Teacher, int]], cyclical: bool = False) -> Teacher:
    """One teacher after the other, each for so many steps of training.

    Steps are those of the environment, episodes for simulated students. A phase ends with the round
    in which its steps are spent. The last phase goes on for ever, or, `cyclical`, the first one
    follows again. A teacher that rests keeps its state and sees no episodes; those of its last
    round that end later are nobody's.

    Raises:
      TypeError: when a phase begins with something else than a teacher.
      ValueError: when there is no phase, when one is no pair, when the length of one is no positive
        integer, when a teacher compares learners, when the last one starts (`cyclical`: ends)
        beyond 2^31 - 1 steps, or (from `propose`) when the teachers' tasks differ in structure or
        shape.

    >>> from jaxcurriculum.spaces import Box
    >>> from jaxcurriculum.teachers.random import random
    >>> box = Box(names=("height",), low=(0.0,), high=(3.0,))
    >>> teacher = schedule([(random(box), 1000), (random(box), 500)])
    >>> teacher.init(jax.random.key(0)).phase.item()
    0
    """
    teachers, (*starts, total) = _checked_phases(phases, cyclical)
    num_phases = len(teachers)

    def init(key: Key) -> ScheduleState:
        keys = jax.random.split(key, num_phases)
        states = [teacher.init(key) for teacher, key in zip(teachers, keys)]
        return ScheduleState(jnp.int32(0), tuple(states))

    def propose(key: Key, state: ScheduleState, num: int) -> tuple[ScheduleState, Proposals]:
        # All propose: the phase lies in a state that is mapped over seeds, where a switch would run
        # every branch too.
        states, by_phase = [], []
        for index, (teacher, mine) in enumerate(zip(teachers, state.teachers)):
            new, given = teacher.propose(key, mine, num)
            states.append(tree.where(state.phase == index, new, mine))
            by_phase.append(given.replace(origin=num_phases * given.origin + index))
        check_alike("schedule", *by_phase)
        proposals = by_phase[0]
        for index, given in enumerate(by_phase[1:], start=1):
            proposals = tree.where(state.phase == index, given, proposals)
        return state.replace(teachers=tuple(states)), proposals

    def update(
        key: Key, state: ScheduleState, episodes: Episodes, context: Context
    ) -> tuple[ScheduleState, jax.Array]:
        states, probe_steps = [], jnp.int32(0)
        for index, (teacher, mine) in enumerate(zip(teachers, state.teachers)):
            on = state.phase == index
            own = episodes.replace(
                valid=episodes.valid & on & (episodes.origin % num_phases == index),
                origin=episodes.origin // num_phases,
            )
            new, spent = teacher.update(key, mine, own, context)
            states.append(tree.where(on, new, mine))
            probe_steps = probe_steps + jnp.where(on, spent, 0)
        steps = context.num_steps % total if cyclical else context.num_steps
        phase = jnp.sum(steps >= np.array(starts, np.int32), dtype=jnp.int32) - 1
        return ScheduleState(phase, tuple(states)), probe_steps

    def report(state: ScheduleState) -> dict[str, PyTree]:
        reports = [teacher.report(mine) for teacher, mine in zip(teachers, state.teachers)]
        return {"phase": state.phase, "teachers": tuple(reports)}

    return Teacher(
        name=" then ".join(teacher.name for teacher in teachers),
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=any(teacher.needs_critic for teacher in teachers),
        needs_optimal_return=any(teacher.needs_optimal_return for teacher in teachers),
        most_proposals=min(teacher.most_proposals for teacher in teachers),
        needs_every_level=any(teacher.needs_every_level for teacher in teachers),
        config={
            "starts": tuple(starts),
            "cyclical": cyclical,
            "phases": {str(index): teacher.config for index, teacher in enumerate(teachers)},
        },
    )


def _checked_phases(
    phases: Sequence[tuple[Teacher, int]], cyclical: bool
) -> tuple[list[Teacher], list[int]]:
    """The teachers of a schedule, and the steps after which each of them begins, and all end."""
    if not _is_list(phases) or not all(_is_list(phase) and len(phase) == 2 for phase in phases):
        raise ValueError(
            "schedule.phases must be a list of one or more pairs (teacher, steps), got"
            f" {phases!r:.100}."
        )
    if not isinstance(cyclical, bool | np.bool_):
        raise ValueError(f"schedule.cyclical must be True or False, got {cyclical!r}.")
    teachers = [teacher for teacher, _ in phases]
    lengths = [steps for _, steps in phases]
    for index, teacher in enumerate(teachers):
        check_kind(f"schedule.phases[{index}][0]", teacher, Teacher)
    check_one_learner("schedule", *teachers)
    if not all(is_number(steps, 1) and steps == int(steps) for steps in lengths):
        raise ValueError(
            f"schedule.phases must each have a positive integer number of steps, got {lengths}."
        )
    bounds = list(itertools.accumulate(map(int, lengths), initial=0))
    if bounds[-1 if cyclical else -2] > LARGEST_INTEGER:
        raise ValueError(
            f"schedule.phases must {'end' if cyclical else 'start'} within 2^31 - 1 steps, got"
            f" phases of {lengths}."
        )
    return teachers, bounds


def _is_list(value: object) -> bool:
    return isinstance(value, tuple | list) and len(value) > 0
