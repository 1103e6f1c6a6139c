"""Environments: families of procedurally generated tasks."""

if __name__ != "jaxcurriculum.envs":
    raise ImportError("Import this package as jaxcurriculum.envs: under its short name every class would exist twice.")

from jaxcurriculum.envs.walker.test_sets import stump_tasks_2019, stump_tasks_grid
from jaxcurriculum.envs.walker.tracks import stump_tracks

__all__ = ["stump_tasks_2019", "stump_tasks_grid", "stump_tracks"]
