"""Rules that change a student's settings while it learns."""

from jaxcurriculum.students.tuning.evolving import EvolvingConfig, evolving
from jaxcurriculum.students.tuning.rising_discount import RisingDiscountConfig, rising_discount
from jaxcurriculum.students.tuning.scheduled import scheduled
from jaxcurriculum.students.tuning.tune import Rule, tune

__all__ = [
    "EvolvingConfig",
    "RisingDiscountConfig",
    "Rule",
    "evolving",
    "rising_discount",
    "scheduled",
    "tune",
]
