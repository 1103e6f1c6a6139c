"""Teachers made of teachers: each takes teachers and returns one, and they nest.

mix(a, b, 0.8)                          most proposals from a, the others from b
in_subspace(make, space, fixed)         a teacher of some axes; others stay where they are put
in_latent_space(make, box, decode)       a teacher of points, each of which stands for a task
normalise_returns(teacher, -150, 350)   the teacher sees returns in [0, 1]
schedule([(a, 1000), (b, 500)])         a curriculum in phases
frozen(teacher, state)                  what the teacher proposes now, for ever
"""

from jaxcurriculum.teachers.combinators.frozen import frozen
from jaxcurriculum.teachers.combinators.in_latent_space import in_latent_space
from jaxcurriculum.teachers.combinators.in_subspace import in_subspace
from jaxcurriculum.teachers.combinators.mix import mix
from jaxcurriculum.teachers.combinators.normalise_returns import normalise_returns
from jaxcurriculum.teachers.combinators.schedule import ScheduleState, schedule

__all__ = [
    "ScheduleState",
    "frozen",
    "in_latent_space",
    "in_subspace",
    "mix",
    "normalise_returns",
    "schedule",
]
