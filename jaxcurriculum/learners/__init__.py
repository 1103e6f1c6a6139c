"""Learning algorithms, one a file: what is learned from experience, whoever collects it."""

from jaxcurriculum.learners.ppo import PpoConfig, ppo

__all__ = ["PpoConfig", "ppo"]
