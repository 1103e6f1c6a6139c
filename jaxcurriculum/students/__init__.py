"""Students: who practises how; simulated learners in `simulated`."""

from jaxcurriculum.learners.ppo import PpoConfig
from jaxcurriculum.learners.sac import SacConfig
from jaxcurriculum.students.off_policy import off_policy, sac
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
    "SacConfig",
    "evolving",
    "off_policy",
    "on_policy",
    "population",
    "ppo",
    "rising_discount",
    "sac",
    "scheduled",
    "succession",
    "tune",
]
