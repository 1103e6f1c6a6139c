"""Simulated learners: students without an environment, to study teachers in milliseconds."""

from jaxcurriculum.students.simulated.toy_grid import ToyGridConfig, toy_grid_test_tasks
from jaxcurriculum.students.simulated.toy_grid import toy_grid as toy_grid

__all__ = ["ToyGridConfig", "toy_grid", "toy_grid_test_tasks"]
