"""A job as an experiment: what the run layer runs."""

from __future__ import annotations

import dataclasses
import functools
import json
import math
from typing import Any

import jax
import numpy as np

from jaxcurriculum.cli.build import TESTS, Setup, set_up
from jaxcurriculum.loop import Loop
from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.experiment import Experiment
from jaxcurriculum.runs.program import Lanes, Program
from jaxcurriculum.study.plan import JobPlan, Plan
from jaxcurriculum.study.programs import as_arrays, parameters_of, settings_of, unchecked


def experiment_of(plan: Plan, job: JobPlan, device: Any = None) -> Experiment:
    """A job as an experiment whose seeds are its lanes, on `device` (by default the first)."""
    planned = plan.programs[job.program]
    first = job.lanes[0][0]
    loop, own = loop_of(plan, first), plan.cells[first].config
    config = own | {"seeds": planned.group, "seed": 0, "group": planned.group}
    fixed = {name: value for name, value in config.items() if name not in planned.arguments}
    return Experiment(
        loop=loop,
        num_seeds=planned.group,
        first_seed=0,
        group=planned.group,
        num_advances=math.ceil(own["steps"] / loop.steps_per_advance),
        config=fixed | {"lanes": [list(lane) for lane in job.lanes]},
        program=compiled(plan, job.program, device),
        lanes=lanes_of(plan, job),
        goes_on=True,
    )


def loop_of(plan: Plan, cell: str) -> Loop:
    """The loop of a cell; that of another one where they share a program and the test tasks."""
    planned = plan.cells[cell]
    if TESTS in plan.programs[planned.program].arguments:
        return _own_loop(json.dumps(planned.config))
    return _traced(member_of(plan, planned.program))[0].loop


def compiled(plan: Plan, program: str, device: Any = None) -> Program:
    """A program on a device; the same at every call."""
    return _compiled(member_of(plan, program), device or jax.local_devices()[0])


@dataclasses.dataclass(frozen=True)
class Member:
    """A program by its name, with the config of one of its cells, of which it is made."""

    program: str
    group: int
    config: dict[str, Any] = dataclasses.field(compare=False)


def member_of(plan: Plan, program: str) -> Member:
    """A program of `plan` with one of its cells."""
    cell = next(cell for cell in plan.cells.values() if cell.program == program)
    return Member(program, plan.programs[program].group, cell.config)


def lanes_of(plan: Plan, job: JobPlan) -> Lanes:
    """The lanes of a job, filled up with copies of its first."""
    program = plan.programs[job.program]
    filled = [*job.lanes, *[job.lanes[0]] * (program.group - len(job.lanes))]
    configs = [plan.cells[cell].config for cell, _ in filled]
    known = parameters_of(_traced(member_of(plan, job.program))[0])
    told = {
        name: [as_arrays(known[name], config[name]) for config in configs]
        for name in program.arguments
        if name != TESTS
    }
    if TESTS in program.arguments:
        told[TESTS] = [loop_of(plan, cell).test_tasks for cell, _ in filled]
    values = {name: _stacked(of_lanes) for name, of_lanes in told.items()}
    return Lanes(np.array([seed for _, seed in filled], np.uint32), values)


def _stacked(of_lanes: list[PyTree]) -> PyTree:
    return jax.tree.map(lambda *leaves: np.stack(leaves), *of_lanes)


@functools.lru_cache
def _compiled(member: Member, device: Any) -> Program:
    return _traced(member)[1].on(device)


@functools.lru_cache
def _traced(member: Member) -> tuple[Setup, Program]:
    setup = set_up(settings_of(member.config), make=unchecked)
    return setup, Program.of(setup.at, member.group, member.group).traced_once()


@functools.cache
def _own_loop(config: str) -> Loop:
    return set_up(settings_of(json.loads(config)), make=unchecked).loop
