"""Learning algorithms, one a file: what is learned from experience, whoever collects it."""

from jaxcurriculum.learners.ppo import PpoConfig, ppo
from jaxcurriculum.learners.sac import SacConfig, sac

__all__ = ["PpoConfig", "SacConfig", "ppo", "sac"]
