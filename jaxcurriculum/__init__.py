"""jaxcurriculum: teachers that choose tasks for learning students, as one compiled program."""

from jaxcurriculum.device.machine import use_cores
from jaxcurriculum.device.seeds import map_seeds
from jaxcurriculum.loop import Loop, LoopConfig, LoopState, Report, make_loop
from jaxcurriculum.records import (
    Critique,
    Episodes,
    Experience,
    Proposals,
    TimeStep,
    fresh_proposals,
)
from jaxcurriculum.roles import Context, Environment, Learner, Student, Teacher
from jaxcurriculum.spaces import Box, Discrete, Product, Space

__all__ = [
    "Box",
    "Context",
    "Critique",
    "Discrete",
    "Environment",
    "Episodes",
    "Experience",
    "Learner",
    "Loop",
    "LoopConfig",
    "LoopState",
    "Product",
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
