"""A job as an experiment: what the run layer runs."""

from __future__ import annotations

import dataclasses
import functools
import math
from typing import Any

import jax
import numpy as np

from jaxcurriculum.cli.build import set_up
from jaxcurriculum.loop import Loop
from jaxcurriculum.runs.experiment import Experiment
from jaxcurriculum.runs.program import Lanes, Program
from jaxcurriculum.study.plan import JobPlan, Plan
from jaxcurriculum.study.programs import settings_of, unchecked


def experiment_of(plan: Plan, job: JobPlan, device: Any = None) -> Experiment:
    """A job as an experiment whose seeds are its lanes, on `device` (by default the first)."""
    planned = plan.programs[job.program]
    loop, program = compiled(plan, job.program, device)
    own = plan.cells[job.lanes[0][0]].config
    config = own | {"seeds": planned.group, "seed": 0, "group": planned.group}
    fixed = {name: value for name, value in config.items() if name not in planned.arguments}
    return Experiment(
        loop=loop,
        num_seeds=planned.group,
        first_seed=0,
        group=planned.group,
        num_advances=math.ceil(own["steps"] / loop.steps_per_advance),
        config=fixed | {"lanes": [list(lane) for lane in job.lanes]},
        program=program,
        lanes=lanes_of(plan, job),
        goes_on=True,
    )


def loop_of(plan: Plan, program: str) -> Loop:
    """The loop of one of the cells that share a program."""
    return compiled(plan, program)[0]


def compiled(plan: Plan, program: str, device: Any = None) -> tuple[Loop, Program]:
    """A program on a device, and the loop of one of its cells; the same at every call."""
    cell = next(cell for cell in plan.cells.values() if cell.program == program)
    member = Member(program, plan.programs[program].group, cell.config)
    loop, traced = _traced(member)
    return loop, _compiled(member, traced, device or jax.local_devices()[0])


@dataclasses.dataclass(frozen=True)
class Member:
    """A program by its name, with the config of one of its cells, of which it is made."""

    program: str
    group: int
    config: dict[str, Any] = dataclasses.field(compare=False)


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
def _compiled(member: Member, traced: Program, device: Any) -> Program:
    return traced.on(device)


@functools.lru_cache
def _traced(member: Member) -> tuple[Loop, Program]:
    setup = set_up(settings_of(member.config), make=unchecked)
    return setup.loop, Program.of(setup.at, member.group, member.group).traced_once()
