"""Who plays which level, step by step, and how the episodes went."""

from jaxcurriculum.rollout.pool import RolloutConfig

__all__ = ["RolloutConfig"]
