"""jaxcurriculum: teachers that choose tasks for learning students, as one compiled program."""

from jaxcurriculum.device.machine import use_cores
from jaxcurriculum.device.seeds import map_seeds
from jaxcurriculum.loop import Loop, LoopConfig, LoopState, Report, make_loop
from jaxcurriculum.records import Episodes, Proposals, TimeStep, fresh_proposals
from jaxcurriculum.roles import Context, Environment, Student, Teacher
from jaxcurriculum.spaces import Box, Space

__all__ = [
    "Box",
    "Context",
    "Environment",
    "Episodes",
    "Loop",
    "LoopConfig",
    "LoopState",
    "Proposals",
    "Report",
    "Space",
    "Student",
    "Teacher",
    "TimeStep",
    "fresh_proposals",
    "make_loop",
    "map_seeds",
    "use_cores",
]
