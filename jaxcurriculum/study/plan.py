"""How a study is cut: cells, programs and jobs, as they are kept in `plan.json`.

A *job* is a group of lanes, (cell, seed) each, of one program: what a worker claims, runs and goes
on with. All jobs of a program have the same width, so that a lane's numbers do not depend on its
company; the last one is filled up with copies whose results are dropped. A study that is extended
keeps its jobs, and gets new ones for what is missing.
"""

from __future__ import annotations

import dataclasses
import json
import math
import pathlib
from collections.abc import Iterable, Sequence
from typing import Any

import jax

from jaxcurriculum.checks import GIB
from jaxcurriculum.device.memory import memory_bytes
from jaxcurriculum.fields import LARGEST_INTEGER, is_integer, is_number
from jaxcurriculum.runs.checkpoint import first_difference
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import cached_width
from jaxcurriculum.runs.files import naming, write_json
from jaxcurriculum.runs.meta import versions
from jaxcurriculum.study.cells import cells_of
from jaxcurriculum.study.programs import Placed, bytes_of_a_lane, place
from jaxcurriculum.study.study import Study

PLAN = "plan.json"
SHARE = 0.6  # of a device's memory that lanes may take; a compiler's copies come on top


@dataclasses.dataclass(frozen=True)
class CellPlan:
    """A run that the study ends with."""

    config: dict[str, Any]  # its config.json, but for the group
    program: str

    @property
    def seeds(self) -> range:
        return range(self.config["seed"], self.config["seed"] + self.config["seeds"])


@dataclasses.dataclass(frozen=True)
class ProgramPlan:
    """What is compiled once."""

    group: int  # lanes of a job
    arguments: tuple[str, ...]  # settings that are arrays


@dataclasses.dataclass(frozen=True)
class JobPlan:
    """Lanes of one program: (cell, seed); at most its group, else filled up."""

    program: str
    lanes: tuple[tuple[str, int], ...]


@dataclasses.dataclass(frozen=True)
class Plan:
    """A whole study, each part by its name."""

    cells: dict[str, CellPlan]
    programs: dict[str, ProgramPlan]
    jobs: dict[str, JobPlan]
    versions: dict[str, str]

    def jobs_of(self, cell: str) -> list[str]:
        """The jobs that hold a seed of `cell`."""
        return [
            name for name, job in self.jobs.items() if any(lane[0] == cell for lane in job.lanes)
        ]

    def check(self) -> None:
        """Check that all that its parts name is there, and that numbers are some.

        Raises:
          KeyError: of the first that is not there.
          ValueError: of the first that cannot be.
        """
        named: list[tuple[Any, str]] = [
            (cell.config, name)
            for cell in self.cells.values()
            for name in ("seed", "seeds", "steps")
        ]
        named += [(self.programs, cell.program) for cell in self.cells.values()]
        named += [(self.programs, job.program) for job in self.jobs.values()]
        named += [(self.cells, cell) for job in self.jobs.values() for cell, _ in job.lanes]
        for there, name in named:
            if name not in there:
                raise KeyError(name)
        for name, cell in self.cells.items():
            check_length(name, cell.config)
        for name, program in self.programs.items():
            check_whole(f"group of {name}", program.group, 1)
        for name, job in self.jobs.items():
            if not job.lanes:
                raise ValueError(f"job {name} has no lanes")
            for cell, seed in job.lanes:
                check_whole(f"a seed of {cell}", seed, 0)

    def write(self, folder: pathlib.Path) -> None:
        """Write it to plan.json, atomically."""
        write_json(folder / PLAN, dataclasses.asdict(self))

    @classmethod
    def read(cls, folder: pathlib.Path) -> Plan:
        """The plan of the study in `folder`.

        Raises:
          RunError: when there is none, or it is damaged.
        """
        path = folder / PLAN
        try:
            with naming(path):
                content = json.loads(path.read_text())
            plan = cls(
                cells={name: CellPlan(**cell) for name, cell in content["cells"].items()},
                programs={
                    name: ProgramPlan(program["group"], tuple(program["arguments"]))
                    for name, program in content["programs"].items()
                },
                jobs={
                    name: JobPlan(
                        job["program"], tuple((cell, seed) for cell, seed in job["lanes"])
                    )
                    for name, job in content["jobs"].items()
                },
                versions=content["versions"],
            )
            plan.check()
            return plan
        except (FileNotFoundError, NotADirectoryError):
            raise RunError(f"{folder} holds no study: it has no {PLAN}.") from None
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            remedy = "put a copy back, or begin again in another `folder`; its `runs` can be read"
            raise RunError(f"{path} is damaged, {error!r}: {remedy}.") from None


def check_length(name: str, config: dict[str, Any]) -> None:
    """Check the seeds and steps that the run `name` has.

    Raises:
      ValueError: when they cannot be.
    """
    check_whole(f"seed of {name}", config["seed"], 0)
    check_whole(f"seeds of {name}", config["seeds"], 1)
    if not is_number(config["steps"], 1):
        raise ValueError(f"steps of {name} must be at least 1, got {config['steps']!r}")


def check_whole(what: str, value: Any, low: int) -> None:
    """Check that a number of a plan is an integer from `low` on.

    Raises:
      ValueError: when it is not.
    """
    if not is_integer(value, low, 2 * LARGEST_INTEGER):  # the last seed is a sum
        raise ValueError(f"{what} must be an integer from {low}, got {value!r}")


def cut(study: Study, before: Plan | None = None, at_a_time: int | None = None) -> Plan:
    """The plan of `study`, which goes on with the plan `before` where there is one.

    Args:
      at_a_time: how many jobs are run side by side; by default one a device of this process.

    Raises:
      RunError: for names and settings that cannot be, for lanes that no memory holds, and where
          `study` does not hold all that was planned before.
    """
    placed = [_kept(one, before) for one in place(cells_of(study))]
    cells = {one.cell.name: CellPlan(one.config, one.program) for one in placed}
    if before:
        check_extended(before, cells)
    jobs = dict(before.jobs) if before else {}
    programs = dict(before.programs) if before else {}
    planned = {lane for job in jobs.values() for lane in job.lanes}
    for program in dict.fromkeys(one.program for one in placed):
        members = [one for one in placed if one.program == program]
        lanes = [(one.cell.name, seed) for one in members for seed in cells[one.cell.name].seeds]
        if program not in programs:
            group = width(members[0], len(lanes), study.group, at_a_time)
            programs[program] = ProgramPlan(group, members[0].arguments)
        elif study.group not in (None, planned_group := programs[program].group):
            raise RunError(
                f"{members[0].cell.name}: group was {planned_group} and is now {study.group}; what"
                " was begun keeps it: choose another `folder`."
            )
        missing = [lane for lane in lanes if lane not in planned]
        for chunk in chunks(missing, programs[program].group):
            jobs[f"{len(jobs):05d}"] = JobPlan(program, tuple(chunk))
    return Plan(cells, programs, jobs, versions())


def _kept(placed: Placed, before: Plan | None) -> Placed:
    """A cell that was planned `before` keeps its program, though another version may cut others."""
    if before is None or placed.cell.name not in before.cells:
        return placed
    program = before.cells[placed.cell.name].program
    arguments = before.programs[program].arguments
    return dataclasses.replace(placed, program=program, arguments=arguments)


def check_extended(before: Plan, cells: dict[str, CellPlan]) -> None:
    """Check that a study that goes on has all its cells, as they were or longer.

    Raises:
      RunError: naming the first cell, or setting, that differs.
    """
    for name, old in before.cells.items():
        if name not in cells:
            raise RunError(
                f"The study in `folder` has the run {name}, which is no part of it now; what was"
                " begun can only be extended: choose another `folder`."
            )
        now = cells[name].config
        fixed = [{**one, "seeds": None, "steps": None} for one in (old.config, now)]
        if difference := first_difference(*fixed):
            setting, there, here = difference
            raise RunError(
                f"{name}: {setting} was {there} and is now {here}; what was begun keeps its"
                " settings: choose another `folder`."
            )
        for length in ("seeds", "steps"):
            if now[length] < old.config[length]:
                was = f"{old.config[length]:g} and are now {now[length]:g}"
                raise RunError(f"{name}: {length} may only grow, but were {was}.")


def width(member: Placed, num_lanes: int, asked: int | None, at_a_time: int | None = None) -> int:
    """How many lanes a job has: as `asked`, else as memory holds, spread over jobs at a time.

    On a CPU it is no more than its cache holds.

    Raises:
      RunError: when so many, or not even one, do not fit.
    """
    devices = jax.local_devices()
    on_cpu = devices[0].platform == "cpu"
    memory = SHARE * memory_bytes() / (len(devices) if on_cpu else 1)
    one = bytes_of_a_lane(member)
    most = int(memory // one)
    if most < (asked or 1):
        raise RunError(
            f"{member.cell.name}: {asked or 1} of its seeds side by side take"
            f" {(asked or 1) * one / GIB:.3g} GiB, and a job can have {memory / GIB:.3g}; make"
            " its group, the student, its replay or `evaluate_every` smaller."
        )
    most = min(most, cached_width(member.steps_per_round)) if on_cpu else most
    num_jobs = max(math.ceil(num_lanes / most), min(at_a_time or len(devices), num_lanes))
    return asked or math.ceil(num_lanes / num_jobs)


def chunks(items: Sequence[Any], size: int) -> Iterable[Sequence[Any]]:
    """`items` in parts of `size`; the last may be shorter."""
    return [items[start : start + size] for start in range(0, len(items), size)]
