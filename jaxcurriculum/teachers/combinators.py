"""Teachers made of teachers: each takes teachers and returns one, and they nest.

mix(a, b, 0.8)                        most proposals from a, the others from b
in_subspace(make, space, fixed)       a teacher of some axes; the others stay where they are put
normalise_returns(teacher, -150, 350) the teacher sees returns in [0, 1]
schedule([(a, 1000), (b, 500)])       a curriculum in phases
frozen(teacher, state)                what the teacher proposes now, for ever
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Mapping, Sequence

import jax
import jax.numpy as jnp
import numpy as np
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.fields import (
    LARGEST_INTEGER,
    are_numbers,
    check_kind,
    is_number,
    is_number_or_array,
    is_range,
)
from jaxcurriculum.records import Episodes, Key, Proposals, PyTree
from jaxcurriculum.roles import Context, Teacher
from jaxcurriculum.spaces import Box
from jaxcurriculum.teachers.parts.ring import is_measured


def mix(first: Teacher, second: Teacher, share: float | jax.Array) -> Teacher:
    """A teacher whose proposals come from `first` with probability `share`, each on its own, and
    else from `second`.

    An episode goes back to the teacher that proposed it, with the origin that it gave, and is no
    episode to the other one. Origins are 2 origin of the first and 2 origin + 1 of the second, so
    those of both must be less than 2^30 in size.

    Raises:
      TypeError: when one of the two is no teacher.
      ValueError: when `share` is not between 0 and 1, or (from `propose`) when the teachers' tasks
          differ in structure or shape.

    >>> from jaxcurriculum.teachers.random import random
    >>> box = Box(names=("height",), low=(0.0,), high=(3.0,))
    >>> teacher = mix(random(box), random(box), 1.0)
    >>> teacher.propose(jax.random.key(1), teacher.init(jax.random.key(0)), 3)[1].origin.tolist()
    [0, 0, 0]
    """
    check_kind("mix.first", first, Teacher)
    check_kind("mix.second", second, Teacher)
    if np.ndim(share) != 0 or not is_number_or_array(share, 0, 1):
        raise ValueError(f"mix.share must be a number between 0 and 1, got {share!r}.")
    both = (first, second)

    def init(key: Key) -> tuple[PyTree, PyTree]:
        keys = jax.random.split(key)
        return first.init(keys[0]), second.init(keys[1])

    def propose(
        key: Key, state: tuple[PyTree, PyTree], num: int
    ) -> tuple[tuple[PyTree, PyTree], Proposals]:
        key_first, key_second, key_choice = jax.random.split(key, 3)
        state_first, by_first = first.propose(key_first, state[0], num)
        state_second, by_second = second.propose(key_second, state[1], num)
        _check_alike("mix", by_first, by_second)
        is_first = jax.random.uniform(key_choice, (num,)) < share
        tagged = (
            by_first.replace(origin=2 * by_first.origin),
            by_second.replace(origin=2 * by_second.origin + 1),
        )
        return (state_first, state_second), tree.where(is_first, *tagged)

    def update(key: Key, state: tuple[PyTree, PyTree], episodes: Episodes, context: Context):
        keys = jax.random.split(key)
        results = []
        for index, teacher in enumerate(both):
            own = episodes.replace(
                valid=episodes.valid & (episodes.origin % 2 == index), origin=episodes.origin // 2
            )
            results.append(teacher.update(keys[index], state[index], own, context))
        (state_first, steps_first), (state_second, steps_second) = results
        return (state_first, state_second), steps_first + steps_second

    def report(state: tuple[PyTree, PyTree]) -> dict[str, PyTree]:
        return {"first": first.report(state[0]), "second": second.report(state[1])}

    return Teacher(
        name=f"mix of {first.name} and {second.name}",
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=first.needs_critic or second.needs_critic,
    )


def in_subspace(
    make: Callable[[Box], Teacher], space: Box, bounds: Mapping[str, float | tuple[float, float]]
) -> Teacher:
    """The teacher `make` (subspace) of those axes of `space` that are not fixed, some of them
    narrower.

    Args:
      make: called once, with the box of the remaining axes.
      space: the task space whose tasks are proposed.
      bounds: by axis, a number at which it is fixed, or a pair (low, high) within which the teacher
          stays.

    Raises:
      TypeError: when `make` is no function that gives a teacher, `space` is no Box, or `bounds` is
          no mapping.
      ValueError: when an axis does not exist, a bound lies outside the space, or nothing is left to
          choose.

    >>> from jaxcurriculum.teachers.random import random
    >>> box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    >>> teacher = in_subspace(random, box, {"spacing": 5.0, "height": (0.0, 1.0)})
    >>> bool(jnp.all(teacher.propose(jax.random.key(0), teacher.init(jax.random.key(0)),
    ...     9)[1].tasks <= jnp.array([[1.0, 5.0]])))
    True
    """
    if not callable(make):
        raise TypeError(
            f"in_subspace.make must be a function (subspace) -> Teacher, got {make!r:.100}."
        )
    check_kind("in_subspace.space", space, Box)
    check_kind("in_subspace.bounds", bounds, Mapping)
    inner_space, free = _subspace(space, bounds)
    teacher = make(inner_space)
    check_kind("in_subspace.make(subspace)", teacher, Teacher)
    rest = np.array(
        [np.mean(bounds.get(name, 0.0)) for name in space.names], np.float32
    )  # of axes that are not fixed it is written over

    def propose(key: Key, state: PyTree, num: int) -> tuple[PyTree, Proposals]:
        state, proposals = teacher.propose(key, state, num)
        return state, proposals.replace(
            tasks=jnp.broadcast_to(rest, (num, space.dims)).at[:, free].set(proposals.tasks)
        )

    def update(
        key: Key, state: PyTree, episodes: Episodes, context: Context
    ) -> tuple[PyTree, jax.Array]:
        widen = lambda tasks: (
            jnp.broadcast_to(rest, (tasks.shape[0], space.dims)).at[:, free].set(tasks)
        )
        probe = lambda key, tasks, *args: _on_axes(context.probe(key, widen(tasks), *args), free)
        return teacher.update(
            key, state, _on_axes(episodes, free), Context(context.round, context.num_steps, probe)
        )

    return Teacher(
        name=teacher.name,
        init=teacher.init,
        propose=propose,
        update=update,
        report=teacher.report,
        needs_critic=teacher.needs_critic,
    )


def normalise_returns(teacher: Teacher, low: float, high: float) -> Teacher:
    """`teacher`, to which a return r is clip((r - low) / (high - low), 0, 1); nothing else that it
    sees changes.

    A return that is not usable (see `Episodes`) stays what it is, so that the teacher leaves it
    out.

    Raises:
      TypeError: when `teacher` is none.
      ValueError: unless low < high, both finite, in float32.

    >>> from jaxcurriculum.teachers.random import random
    >>> normalise_returns(random(Box(names=("height",), low=(0.0,), high=(3.0,))), -150.0,
    ...     350.0).name
    'random'
    """
    check_kind("normalise_returns.teacher", teacher, Teacher)
    if not is_range((low, high)):
        raise ValueError(
            f"normalise_returns must have low < high, both finite, in float32, got low={low!r} and"
            f" high={high!r}."
        )
    low, high = float(low), float(high)  # an integer might not fit in int32

    def scaled(episodes: Episodes) -> Episodes:
        unit = jnp.clip((episodes.returns - low) / (high - low), 0.0, 1.0)
        return episodes.replace(
            returns=jnp.where(is_measured(episodes.returns), unit, episodes.returns)
        )

    def update(
        key: Key, state: PyTree, episodes: Episodes, context: Context
    ) -> tuple[PyTree, jax.Array]:
        probe = lambda *args: scaled(context.probe(*args))
        return teacher.update(
            key, state, scaled(episodes), Context(context.round, context.num_steps, probe)
        )

    return Teacher(
        name=teacher.name,
        init=teacher.init,
        propose=teacher.propose,
        update=update,
        report=teacher.report,
        needs_critic=teacher.needs_critic,
    )


class ScheduleState(struct.PyTreeNode):
    """The phase, which comes from the steps trained and so is the same for all seeds, and every
    teacher's state.
    """

    phase: jax.Array  # [], int32
    teachers: tuple[PyTree, ...]


def schedule(phases: Sequence[tuple[Teacher, int]], cyclical: bool = False) -> Teacher:
    """One teacher after the other, each for so many steps of training (environment steps; episodes
    of simulated students).

    A phase ends with the round in which its steps are spent. The last phase goes on for ever, or,
    `cyclical`, the first one follows again. A teacher that rests keeps its state and sees no
    episodes; those of its last round that end later are nobody's.

    Raises:
      TypeError: when a phase begins with something else than a teacher.
      ValueError: when there is no phase, when one is no pair, when the length of one is no positive
        integer, when the last one starts (`cyclical`: ends) beyond 2^31 - 1 steps, or (from
        `propose`) when the teachers' tasks differ in structure or shape.

    >>> from jaxcurriculum.teachers.random import random
    >>> box = Box(names=("height",), low=(0.0,), high=(3.0,))
    >>> teacher = schedule([(random(box), 1000), (random(box), 500)])
    >>> teacher.init(jax.random.key(0)).phase.item()
    0
    """
    teachers, (*starts, total) = _checked_phases(phases, cyclical)
    num_phases = len(teachers)

    def init(key: Key) -> ScheduleState:
        return ScheduleState(
            jnp.int32(0),
            tuple(
                teacher.init(key)
                for teacher, key in zip(teachers, jax.random.split(key, num_phases))
            ),
        )

    def propose(key: Key, state: ScheduleState, num: int) -> tuple[ScheduleState, Proposals]:
        # All propose: the phase lies in a state that is mapped over seeds, where a switch would run
        # every branch too.
        results = [
            teacher.propose(key, mine, num) for teacher, mine in zip(teachers, state.teachers)
        ]
        awake = [state.phase == index for index in range(num_phases)]
        states = tuple(
            _where(on, new, old) for on, (new, _), old in zip(awake, results, state.teachers)
        )
        _check_alike("schedule", *[given for _, given in results])
        tagged = [
            given.replace(origin=num_phases * given.origin + index)
            for index, (_, given) in enumerate(results)
        ]
        proposals = tagged[0]
        for on, given in zip(awake[1:], tagged[1:]):
            proposals = _where(on, given, proposals)
        return state.replace(teachers=states), proposals

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
            states.append(_where(on, new, mine))
            probe_steps = probe_steps + jnp.where(on, spent, 0)
        steps = context.num_steps % total if cyclical else context.num_steps
        phase = jnp.sum(steps >= np.array(starts, np.int32), dtype=jnp.int32) - 1
        return ScheduleState(phase, tuple(states)), probe_steps

    def report(state: ScheduleState) -> dict[str, PyTree]:
        return {
            "phase": state.phase,
            "teachers": tuple(
                teacher.report(mine) for teacher, mine in zip(teachers, state.teachers)
            ),
        }

    name = " then ".join(teacher.name for teacher in teachers)
    needs_critic = any(teacher.needs_critic for teacher in teachers)
    return Teacher(
        name=name,
        init=init,
        propose=propose,
        update=update,
        report=report,
        needs_critic=needs_critic,
    )


def _checked_phases(
    phases: Sequence[tuple[Teacher, int]], cyclical: bool
) -> tuple[list[Teacher], list[int]]:
    """The teachers of a schedule, and the steps after which each of them begins, and all end."""
    is_pair = lambda phase: isinstance(phase, tuple | list) and len(phase) == 2
    if (
        not isinstance(phases, tuple | list)
        or not phases
        or not all(is_pair(phase) for phase in phases)
    ):
        raise ValueError(
            "schedule.phases must be a list of one or more pairs (teacher, steps), got"
            f" {phases!r:.100}."
        )
    if not isinstance(cyclical, bool | np.bool_):
        raise ValueError(f"schedule.cyclical must be True or False, got {cyclical!r}.")
    teachers, lengths = [teacher for teacher, _ in phases], [steps for _, steps in phases]
    for index, teacher in enumerate(teachers):
        check_kind(f"schedule.phases[{index}][0]", teacher, Teacher)
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


def frozen(teacher: Teacher, state: PyTree) -> Teacher:
    """A teacher that proposes as `teacher` does from `state` at every round, whatever the student
    does.

    Raises:
      TypeError: when `teacher` is none.
      ValueError: when `state` has not the structure and shapes of the teacher's states.

    >>> from jaxcurriculum.teachers.random import random
    >>> teacher = random(Box(names=("height",), low=(0.0,), high=(3.0,)))
    >>> frozen(teacher, teacher.init(jax.random.key(0))).name
    'frozen random'
    """
    check_kind("frozen.teacher", teacher, Teacher)
    expected, given = _outline(jax.eval_shape(teacher.init, jax.random.key(0))), _outline(state)
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
    )


def _where(condition: jax.Array, new: PyTree, old: PyTree) -> PyTree:
    return jax.tree.map(lambda a, b: jnp.where(condition, a, b), new, old)


def _check_alike(name: str, *proposals: Proposals) -> None:
    outlines = [_outline(given.tasks) for given in proposals]
    if len(set(outlines)) > 1:
        raise ValueError(
            f"{name} must have teachers whose tasks are alike, got {' and '.join(outlines)}."
        )


def _outline(tree: PyTree) -> str:
    return (
        f"{jax.tree.structure(tree)} of shapes {[np.shape(leaf) for leaf in jax.tree.leaves(tree)]}"
    )


def _on_axes(episodes: Episodes, axes: list[int]) -> Episodes:
    return episodes.replace(tasks=episodes.tasks[:, np.array(axes)])


def _subspace(
    space: Box, bounds: Mapping[str, float | tuple[float, float]]
) -> tuple[Box, list[int]]:
    """The box of the axes that are not fixed, and their numbers."""
    unknown = [name for name in bounds if name not in space.names]
    if unknown:
        raise ValueError(
            f"in_subspace.bounds must name axes of the task space, {space.names}, got"
            f" {unknown[0]!r}."
        )
    low, high, free = list(space.low), list(space.high), []
    for axis, name in enumerate(space.names):
        given = bounds.get(name, (space.low[axis], space.high[axis]))
        is_pair = isinstance(given, tuple | list)
        pair = given if is_pair else (given, given)
        if not (
            are_numbers(pair, space.low[axis], space.high[axis])
            and len(pair) == 2
            and pair[0] <= pair[1]
        ):
            raise ValueError(
                "in_subspace.bounds must be numbers or pairs low <= high in the task space: axis"
                f" {name!r} is {given!r}, its bounds are {space.low[axis]} and {space.high[axis]}."
            )
        low[axis], high[axis] = pair
        free += [axis] if is_pair else []
    if not free:
        raise ValueError(
            f"in_subspace.bounds must leave an axis to choose, got all of {space.names} fixed."
        )
    take = lambda values: [values[axis] for axis in free]
    return (
        Box(
            names=take(space.names),
            low=take(low),
            high=take(high),
            units=take(space.units),
            log=take(space.log),
        ),
        free,
    )
