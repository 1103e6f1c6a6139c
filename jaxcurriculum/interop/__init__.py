"""Doors to other frameworks: teachers inside any trainer, and our worlds for any trainer.

`HostTeacher` needs nothing but NumPy on the other side. What needs another library is imported when
it is asked for, or has a file of its own, named after it.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from jaxcurriculum.interop.host_teacher import HostTeacher, Ticket

if TYPE_CHECKING:
    from jaxcurriculum.interop.gymnasium_env import to_gymnasium
    from jaxcurriculum.interop.stable_baselines_env import to_stable_baselines
    from jaxcurriculum.interop.vector_env import to_vector_env

__all__ = ["HostTeacher", "Ticket", "to_gymnasium", "to_stable_baselines", "to_vector_env"]

MODULES = {
    "to_gymnasium": "gymnasium_env",
    "to_stable_baselines": "stable_baselines_env",
    "to_vector_env": "vector_env",
}


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{MODULES[name]}"), name)
