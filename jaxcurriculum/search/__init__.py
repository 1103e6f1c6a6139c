"""Search for settings inside one program: configurations are lanes, and the worse ones stop early.

rungs           how many configurations train for how long
successive halving: many begin, the best part of them goes on, again and again
Hyperband:      several such brackets, from many configurations of short trials to few of long
"""

from jaxcurriculum.search.halving import (
    Found,
    Rung,
    cost,
    mean_return,
    rungs,
    successive_halving,
)
from jaxcurriculum.search.hyperband import brackets, hyperband
from jaxcurriculum.search.settings import with_values

__all__ = [
    "Found",
    "Rung",
    "brackets",
    "cost",
    "hyperband",
    "mean_return",
    "rungs",
    "successive_halving",
    "with_values",
]
