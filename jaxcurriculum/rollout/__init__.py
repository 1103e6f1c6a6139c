"""Who plays which level, step by step, and how the episodes went."""

from jaxcurriculum.rollout.pool import RolloutConfig
from jaxcurriculum.rollout.replay import ReplayConfig

__all__ = ["ReplayConfig", "RolloutConfig"]
