"""Everything that the command line knows by name, as plain tables.

A line added to a table makes a part of your own known to the command line.
"""

from jaxcurriculum.experiments.catalogue.challenges import CHALLENGES
from jaxcurriculum.experiments.catalogue.environments import ENVIRONMENTS
from jaxcurriculum.experiments.catalogue.listing import show
from jaxcurriculum.experiments.catalogue.parts import find
from jaxcurriculum.experiments.catalogue.students import STUDENTS
from jaxcurriculum.experiments.catalogue.teachers import TEACHERS

__all__ = ["CHALLENGES", "ENVIRONMENTS", "STUDENTS", "TEACHERS", "find", "show"]
