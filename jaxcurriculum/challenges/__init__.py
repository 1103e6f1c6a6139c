"""TeachMyAgent's five challenges: what makes a curriculum hard to find, for any space and student.

    mostly_unfeasible   most of what the teacher may propose cannot be done
    mostly_trivial      most of it is as easy as the easiest task
    forgetting          the student is a beginner again from time to time, and no teacher is told
    rugged              tasks that the teacher sees side by side are not alike
    diverse             every seed is a different student

and two of this project's own, for students alone:

    noisy               returns are blurred
    unlearnable         tasks in a box teach nothing

Each gives a student for the teacher, whose task space is what the TEACHER sees; episodes, probes
and evaluations speak of tasks as the teacher names them. The literature tests on the tasks of the
original space: those are tasks of the stretched spaces as they stand, and of a rugged one after
`rugged_maps(space)[1]`, which also tells where an expert's easy task lies.

A student that plays an environment has its environment wrapped instead, `ppo(rugged(env))`. For
walkers that are given unfeasible or trivial tasks rather use the environment's own bounds,
`stump_tracks(max_stump_height=9.0)` or `(min_stump_height=-3.0)`, as the benchmark does: there
physics decides what is feasible.

Source: C. Romac, R. Portelas, K. Hofmann, P.-Y. Oudeyer, "TeachMyAgent: a benchmark for automatic
curriculum learning in Deep RL", ICML 2021, and the code published with it.
"""

from jaxcurriculum.challenges.diverse import diverse
from jaxcurriculum.challenges.forgetting import ForgettingConfig, forgetting
from jaxcurriculum.challenges.mostly_trivial import MostlyTrivialConfig, mostly_trivial
from jaxcurriculum.challenges.mostly_unfeasible import MostlyUnfeasibleConfig, mostly_unfeasible
from jaxcurriculum.challenges.noisy import NoisyConfig, noisy
from jaxcurriculum.challenges.rugged import RuggedConfig, rugged, rugged_maps
from jaxcurriculum.challenges.unlearnable import UnlearnableConfig, unlearnable

__all__ = [
    "ForgettingConfig",
    "MostlyTrivialConfig",
    "MostlyUnfeasibleConfig",
    "NoisyConfig",
    "RuggedConfig",
    "UnlearnableConfig",
    "diverse",
    "forgetting",
    "mostly_trivial",
    "mostly_unfeasible",
    "noisy",
    "rugged",
    "rugged_maps",
    "unlearnable",
]
