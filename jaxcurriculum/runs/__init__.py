"""A run on disk: recorded, resumed exactly, and interrupted without loss.

run = runs.train(loop, "runs/mine", num_seeds=8, num_steps=1e6)
run.evaluations()
runs.compare(["runs/random", "runs/mine"])
runs.report("runs")
runs.render("runs/mine", loop=loop)
"""

from jaxcurriculum.runs.comparing import compare
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.export import export_policy
from jaxcurriculum.runs.policy import Policy, load_policy
from jaxcurriculum.runs.rendering import render
from jaxcurriculum.runs.reporting import report
from jaxcurriculum.runs.store import Run
from jaxcurriculum.runs.training import train

__all__ = [
    "Policy",
    "Run",
    "RunError",
    "compare",
    "export_policy",
    "load_policy",
    "render",
    "report",
    "train",
]
