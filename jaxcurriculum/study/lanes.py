"""A job as an experiment: what the run layer runs."""

from __future__ import annotations

import functools
import json
import math

import jax
import numpy as np

from jaxcurriculum.cli.build import set_up
from jaxcurriculum.loop import Loop
from jaxcurriculum.runs.experiment import Experiment
from jaxcurriculum.runs.program import Lanes, Program
from jaxcurriculum.study.plan import JobPlan, Plan
from jaxcurriculum.study.programs import settings_of, unchecked


def experiment_of(plan: Plan, job: JobPlan, device: jax.Device) -> Experiment:
    """A job as an experiment whose seeds are its lanes."""
    program = plan.programs[job.program]
    member = next(cell for cell in plan.cells.values() if cell.program == job.program)
    loop, compiled = _program(json.dumps(member.config), program.group, device)
    own = plan.cells[job.lanes[0][0]].config
    config = own | {"seeds": program.group, "seed": 0, "group": program.group}
    fixed = {name: value for name, value in config.items() if name not in program.arguments}
    return Experiment(
        loop=loop,
        num_seeds=program.group,
        first_seed=0,
        group=program.group,
        num_advances=math.ceil(own["steps"] / loop.steps_per_advance),
        config=fixed | {"lanes": [list(lane) for lane in job.lanes]},
        program=compiled,
        lanes=lanes_of(plan, job),
        goes_on=True,
    )


def lanes_of(plan: Plan, job: JobPlan) -> Lanes:
    """The lanes of a job, filled up with copies of its first."""
    program = plan.programs[job.program]
    filled = [*job.lanes, *[job.lanes[0]] * (program.group - len(job.lanes))]
    configs = [plan.cells[cell].config for cell, _ in filled]
    values = {
        name: np.array([config[name] for config in configs], np.float32)
        for name in program.arguments
    }
    return Lanes(np.array([seed for _, seed in filled], np.uint32), values)


@functools.lru_cache
def _program(config: str, group: int, device: jax.Device) -> tuple[Loop, Program]:
    """A cell's loop and its program, which jobs in one process share."""
    setup = set_up(settings_of(json.loads(config)), make=unchecked)
    return setup.loop, Program(setup.at, group, group, (device,))
