"""What all simulated learners share as students."""

from __future__ import annotations

from typing import Any

from jaxcurriculum.roles import Student


def simulated(*, episodes_per_round: int, **functions: Any) -> Student:
    """A student whose round is so many episodes, each of one proposal; returns lie in [0, 1]."""
    return Student(
        num_proposals=episodes_per_round,
        steps_per_round=episodes_per_round,
        step_unit="episodes",
        return_range=(0.0, 1.0),
        **functions,
    )
