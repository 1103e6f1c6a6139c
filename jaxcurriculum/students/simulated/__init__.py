"""Simulated learners: students without an environment, to study teachers in milliseconds."""

from jaxcurriculum.students.simulated.abilities import AbilitiesConfig, abilities_test_tasks
from jaxcurriculum.students.simulated.abilities import abilities as abilities
from jaxcurriculum.students.simulated.skill_graph import SkillGraphConfig, skill_graph_test_tasks
from jaxcurriculum.students.simulated.skill_graph import skill_graph as skill_graph
from jaxcurriculum.students.simulated.toy_grid import ToyGridConfig, toy_grid_test_tasks
from jaxcurriculum.students.simulated.toy_grid import toy_grid as toy_grid

__all__ = [
    "AbilitiesConfig",
    "SkillGraphConfig",
    "ToyGridConfig",
    "abilities",
    "abilities_test_tasks",
    "skill_graph",
    "skill_graph_test_tasks",
    "toy_grid",
    "toy_grid_test_tasks",
]
