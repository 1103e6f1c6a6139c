"""A run on disk: recorded, resumed exactly, and interrupted without loss.

run = runs.train(loop, "runs/mine", num_seeds=8, num_steps=1e6)
run.evaluations()
runs.render(loop, "runs/mine")
"""

from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.rendering import render
from jaxcurriculum.runs.store import Run
from jaxcurriculum.runs.training import train

__all__ = ["Run", "RunError", "render", "train"]
