"""A study: many runs from one file, in as few compiled programs as can be.

study = Study(teachers=("random", "alp-gmm"), students=("toy-grid",), seeds=16, steps=2e4)
run_study(study, "studies/first")
runs.compare(["studies/first/runs/toy-grid_random", "studies/first/runs/toy-grid_alp-gmm"])
"""

from jaxcurriculum.study.files import read_study
from jaxcurriculum.study.local import run_study
from jaxcurriculum.study.plan import Plan
from jaxcurriculum.study.rehearse import plan_study
from jaxcurriculum.study.study import Study
from jaxcurriculum.study.work import run_job

__all__ = ["Plan", "Study", "plan_study", "read_study", "run_job", "run_study"]
