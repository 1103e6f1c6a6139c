"""Level replay where a round begins more episodes than its usual buffer holds."""

from __future__ import annotations

import dataclasses
from typing import Any

from jaxcurriculum.teachers import AccelConfig, PlrConfig

CAPACITY = 4000  # levels, as in mazes


def roomy_replay() -> dict[str, Any]:
    """The teachers that replay levels, by name, with a buffer of `CAPACITY`."""
    plr, robust, edits = PlrConfig(), PlrConfig.bipedal(), AccelConfig.bipedal()
    room = {"capacity": CAPACITY}
    return {
        "plr": dataclasses.replace(plr, **room),
        "robust-plr": dataclasses.replace(robust, **room),
        "accel": dataclasses.replace(edits, replay=dataclasses.replace(edits.replay, **room)),
    }
