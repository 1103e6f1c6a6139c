"""Teachers: one algorithm a file; `teachers.alp_gmm(task_space, config)` makes one."""

from jaxcurriculum.teachers.alp_gmm import AlpGmmConfig, alp_gmm
from jaxcurriculum.teachers.oracle import OracleConfig, oracle
from jaxcurriculum.teachers.random import random

__all__ = ["AlpGmmConfig", "OracleConfig", "alp_gmm", "oracle", "random"]
