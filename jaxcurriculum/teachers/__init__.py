"""Teachers: one algorithm a file; `teachers.alp_gmm(task_space, config)` makes one."""

from jaxcurriculum.teachers.oracle import OracleConfig, oracle
from jaxcurriculum.teachers.random import random

__all__ = ["OracleConfig", "oracle", "random"]
