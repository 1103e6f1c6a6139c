"""Students: who practises how; simulated learners in `simulated`."""

from jaxcurriculum.learners.ppo import PpoConfig
from jaxcurriculum.students.on_policy import on_policy, ppo
from jaxcurriculum.students.population import population
from jaxcurriculum.students.succession import succession

__all__ = ["PpoConfig", "on_policy", "population", "ppo", "succession"]
