"""Everything that the command line knows by name, as plain tables.

A line added to a table makes a part of your own known to the command line.
"""

from jaxcurriculum.cli.tables.challenges import CHALLENGES
from jaxcurriculum.cli.tables.environments import ENVIRONMENTS
from jaxcurriculum.cli.tables.listing import show
from jaxcurriculum.cli.tables.parts import find
from jaxcurriculum.cli.tables.students import STUDENTS
from jaxcurriculum.cli.tables.teachers import TEACHERS

__all__ = ["CHALLENGES", "ENVIRONMENTS", "STUDENTS", "TEACHERS", "find", "show"]
