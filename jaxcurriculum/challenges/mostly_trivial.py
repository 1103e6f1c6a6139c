"""Most of what the teacher may propose is as easy as the easiest task."""

from __future__ import annotations

import dataclasses
from typing import Literal

from jaxcurriculum.challenges.stretching import StretchConfig, stretched
from jaxcurriculum.challenges.views import Role, View, box_of, in_view
from jaxcurriculum.configs import field
from jaxcurriculum.fields import given


@dataclasses.dataclass(frozen=True, kw_only=True)
class MostlyTrivialConfig(StretchConfig):
    """Stumps from -3 to 3 steps, of which those below 0 are none."""

    factor: float = field(
        2.0,
        low=1,
        help="width of the axis in the teacher's space, in units of the original one",
    )
    side: Literal["low", "high"] = field("low", help="where tasks are easy")


def mostly_trivial(role: Role, config: MostlyTrivialConfig | None = None) -> Role:
    """A wider task space, where a task beyond the original one is the same as its nearest.

    Raises:
      ValueError: when the axis does not exist or has no width, or when the student plays an
          environment (wrap that).

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> mostly_trivial(toy_grid()).task_space.low
    (-1.0, 0.0)
    """
    config = given(config, MostlyTrivialConfig)
    space = box_of("mostly_trivial", role)
    wider = stretched(space, config)
    return in_view(role, View(name="mostly trivial", space=wider, to_original=space.clip))
