"""Students: who practises how; simulated learners in `simulated`."""

from jaxcurriculum.learners.ppo import PpoConfig
from jaxcurriculum.students.on_policy import on_policy, ppo
from jaxcurriculum.students.population import population
from jaxcurriculum.students.variations import NoisyConfig, UnlearnableConfig, noisy, unlearnable

__all__ = [
    "NoisyConfig",
    "PpoConfig",
    "UnlearnableConfig",
    "noisy",
    "on_policy",
    "population",
    "ppo",
    "unlearnable",
]
