"""Students: who practises how; simulated learners in `simulated`."""

from jaxcurriculum.learners.ppo import PpoConfig
from jaxcurriculum.students.on_policy import on_policy, ppo
from jaxcurriculum.students.population import population
from jaxcurriculum.students.succession import succession
from jaxcurriculum.students.tuning import (
    EvolvingConfig,
    RisingDiscountConfig,
    Rule,
    evolving,
    rising_discount,
    scheduled,
    tune,
)

__all__ = [
    "EvolvingConfig",
    "PpoConfig",
    "RisingDiscountConfig",
    "Rule",
    "evolving",
    "on_policy",
    "population",
    "ppo",
    "rising_discount",
    "scheduled",
    "succession",
    "tune",
]
