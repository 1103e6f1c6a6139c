"""A student with a state around its own, from which the student itself follows."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, cast

from jaxcurriculum.records import Episodes, Key, PyTree
from jaxcurriculum.roles import Student


def with_state(
    student: Student, name: str, init: Callable, train: Callable, of: Callable[[PyTree], Student]
) -> Student:
    """`student` with a state around its own, which belongs to the student `of(state)`."""

    def evaluate(key: Key, state: PyTree, *asked) -> Episodes:
        return of(state).evaluate(key, state.student, *asked)

    def report(state: PyTree) -> PyTree:
        return of(state).report(state.student)

    def act(key: Key, state: PyTree, *asked) -> Any:
        student = of(state)
        return cast(Callable, student.act)(key, student.acting(state.student), *asked)

    return dataclasses.replace(
        student,
        name=f"{student.name}, {name}",
        init=init,
        train=train,
        evaluate=evaluate,
        report=report,
        act=None if student.act is None else act,
        acting=lambda state: state,
    )
