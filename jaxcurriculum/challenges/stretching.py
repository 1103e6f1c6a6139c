"""A wider task space: what the mostly unfeasible and the mostly trivial one have in common."""

from __future__ import annotations

import dataclasses
from typing import Literal

from jaxcurriculum.configs import Config, field
from jaxcurriculum.spaces import Box


@dataclasses.dataclass(frozen=True, kw_only=True)
class StretchConfig(Config):
    """How much wider the teacher's space is; the defaults are those for Stump Tracks."""

    axis: int = field(0, low=0, help="number of the axis that is wider, 0 for the first")
    factor: float = field(
        1.0,
        low=1,
        help="its new width, in units of the old one (of the logarithm's width on log axes)",
    )
    side: Literal["low", "high"] = field("high", help="the bound that moves")


def stretched(space: Box, config: StretchConfig) -> Box:
    """`space` with one axis made wider on one side."""
    axis = config.axis
    name = type(config).__name__
    if axis >= space.dims:
        raise ValueError(
            f"{name}.axis must be one of the {space.dims} axes, 0 to {space.dims - 1}, got {axis}."
        )
    low, high = list(space.low), list(space.high)
    if not space.has_width[axis]:
        raise ValueError(
            f"{name}.axis must have some width, but {space.names[axis]!r} is always {low[axis]}."
        )
    is_high = config.side == "high"
    fixed, moved = (low[axis], high[axis]) if is_high else (high[axis], low[axis])
    if space.log[axis]:
        moved = fixed * (moved / fixed) ** config.factor
    else:
        moved = fixed + config.factor * (moved - fixed)
    (high if is_high else low)[axis] = moved
    return Box(names=space.names, low=low, high=high, units=space.units, log=space.log)
