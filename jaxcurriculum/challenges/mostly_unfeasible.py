"""Most of what the teacher may propose cannot be done."""

from __future__ import annotations

import dataclasses

import jax

from jaxcurriculum.challenges.stretching import StretchConfig, stretched
from jaxcurriculum.challenges.views import Role, View, box_of, in_view
from jaxcurriculum.configs import Swept, field
from jaxcurriculum.fields import given
from jaxcurriculum.roles import Environment


@dataclasses.dataclass(frozen=True, kw_only=True)
class MostlyUnfeasibleConfig(StretchConfig):
    """Stumps of up to 9 steps instead of 3."""

    factor: float = field(
        3.0,
        low=1,
        help="width of the axis in the teacher's space, in units of the original one",
    )
    lowest: Swept = field(0.0, help="return of a task that cannot be done")


def mostly_unfeasible(role: Role, config: MostlyUnfeasibleConfig | None = None) -> Role:
    """A wider task space, of which all beyond the original one is unfeasible.

    The return of such a task is `lowest`, and it is never solved. A student learns nothing there
    (it is given the nearest original task with weight 0). An environment ends such an episode after
    one step with reward `lowest`.

    Raises:
      ValueError: when the axis does not exist or has no width, when `lowest` would count as solved
        in an environment, or when the student plays an environment (wrap that).

    >>> from jaxcurriculum.students.simulated import toy_grid
    >>> mostly_unfeasible(toy_grid()).task_space.high
    (3.0, 1.0)
    """
    config = given(config, MostlyUnfeasibleConfig)
    space = box_of("mostly_unfeasible", role)
    is_known = not isinstance(config.lowest, jax.Array)
    if is_known and isinstance(role, Environment) and config.lowest > role.solved_above:
        raise ValueError(
            f"MostlyUnfeasibleConfig.lowest must not count as solved (above {role.solved_above}),"
            f" got {config.lowest}."
        )
    view = View(
        name="mostly unfeasible",
        space=stretched(space, config),
        to_original=space.clip,
        is_feasible=space.contains,
        lowest=config.lowest,
    )
    return in_view(role, view)
