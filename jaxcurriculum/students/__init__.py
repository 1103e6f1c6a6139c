"""Students: one algorithm a file; simulated learners in `simulated`."""

from jaxcurriculum.students.ppo import PpoConfig, ppo

__all__ = ["PpoConfig", "ppo"]
