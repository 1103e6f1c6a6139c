"""Students: one algorithm a file; simulated learners in `simulated`; what makes any of them harder to teach in `variations`."""

from jaxcurriculum.students.ppo import PpoConfig, ppo
from jaxcurriculum.students.variations import NoisyConfig, UnlearnableConfig, noisy, unlearnable

__all__ = ["NoisyConfig", "PpoConfig", "UnlearnableConfig", "noisy", "ppo", "unlearnable"]
