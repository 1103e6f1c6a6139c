"""jaxcurriculum: teachers that choose tasks for learning students, as one compiled program."""

from jaxcurriculum.roles import Context, Environment, Student, Teacher
from jaxcurriculum.space import Box, Space
from jaxcurriculum.types import Episodes, Proposals, TimeStep

__all__ = ["Box", "Context", "Environment", "Episodes", "Proposals", "Space", "Student", "Teacher", "TimeStep"]
