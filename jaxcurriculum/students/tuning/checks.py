"""What `tune` asks of a rule and a student, so that a mistake is named before a run begins."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

from jaxcurriculum.checks import check_same
from jaxcurriculum.configs import between
from jaxcurriculum.fields import is_number
from jaxcurriculum.records import PyTree
from jaxcurriculum.roles import Student


def check_settings(student: Student, state: PyTree, names: tuple[str, ...]) -> None:
    """Check that the learner in a student's state has the settings of such names.

    Raises:
      ValueError: when it has no settings, or other ones.
    """
    settings = getattr(getattr(state, "learner", None), "settings", None)
    if not dataclasses.is_dataclass(settings):
        raise ValueError(
            "tune.student must be one that learns with settings in `state.learner.settings`, as"
            f" those of ppo and sac do, or a population of such, got {student.name!r}: tune a"
            " student before anything else is made of it, by one rule for all its settings."
        )
    known = [each.name for each in dataclasses.fields(settings)]
    missing = [name for name in names if name not in known]
    if missing:
        raise ValueError(
            f"tune.rule must change settings of the student {student.name!r}, which are"
            f" {', '.join(known)}, got {missing[0]!r}."
        )


def check_ranges(student: Student, rule: Any) -> None:
    """Check that a rule keeps the settings within the student's bounds, as far as it tells.

    Raises:
      ValueError: naming the first setting that it does not, the bounds and the rule's range.
    """
    for name, (least, most) in rule.ranges.items():
        low, high = student.setting_bounds.get(name, (None, None))
        bounds = (-math.inf if low is None else low, math.inf if high is None else high)
        if not (is_number(least, *bounds) and is_number(most, *bounds)):
            found = f"{least:g}" if least == most else f"{least:g} to {most:g}"
            raise ValueError(
                f"tune.rule must keep {name} of the student {student.name!r} a finite number"
                f"{between(low, high)}, but the rule {rule.name!r} has {found}."
            )


def checked_pair(what: str, before: PyTree, result: Any) -> tuple[PyTree, PyTree]:
    """(rule's state, student's state), as a function of a rule returns it.

    Raises:
      ValueError: when it is something else, or the student's state is not as it was `before`.
    """
    if not (isinstance(result, tuple) and len(result) == 2):
        raise ValueError(f"{what} must return (state, student_state), got {result!r:.100}.")
    check_same(f"{what}, state of the student", before, result[1])
    return result
