"""The command `study`: which flags go together, and where the study is run."""

from __future__ import annotations

import pathlib
import signal
import sys

from rich.console import Console

from jaxcurriculum.cli import commands
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.results import command_line
from jaxcurriculum.runs.switches import check_device
from jaxcurriculum.study import Study, plan_study, read_study, run_study
from jaxcurriculum.study.on_ray import run_on_ray
from jaxcurriculum.study.workers import ALONE, Worker

OF_RAY = ("cpus_per_job", "gpus_per_job")


def execute_study(command: commands.Study, console: Console) -> int:
    """Run a study, or only plan it. Returns the exit status."""
    check_together(command)
    study = read_study(command.file)
    folder = command.folder or pathlib.Path("studies") / command.file.stem
    if command.ray is None:  # whose workers have devices of their own
        check_device()
    if command.plan:
        plan_study(study, folder, console)
        return 0
    if stopped_by := run_study_on(command, study, folder, console):
        how = "interrupted" if stopped_by == signal.SIGINT else "terminated"
        where = {name: getattr(command, name) for name in ("worker", "ray", *OF_RAY)}
        given = [(flag(name), value) for name, value in where.items() if value is not None]
        flags = [word for pair in given for word in pair]
        again = command_line("study", command.file, "--folder", folder, *flags)
        message = f"{how}; everything so far is in {folder}, go on with: {again}"
        print(f"jaxcurriculum: {message}", file=sys.stderr)
        return commands.STOPPED + stopped_by
    if any(folder.glob("runs/[!.]*/config.json")):
        told = f"See what came of it: {command_line('report', folder)}"
        console.print(told, soft_wrap=True, highlight=False)
    return 0


def check_together(command: commands.Study) -> None:
    """Check that the flags of a study mean something together."""
    told = {"worker": command.worker, "ray": command.ray}
    named = [name for name, value in told.items() if value is not None]
    if empty := [name for name in named if not told[name]]:
        raise RunError(f"{flag(empty[0])} is empty: say which, or leave it out.")
    if len(named) > 1:
        raise RunError("--worker and --ray do not go together: choose one of them.")
    if command.plan and named:
        raise RunError("--plan is of the whole study: leave --worker and --ray away.")
    given = [name for name in OF_RAY if getattr(command, name) is not None]
    if given and command.ray is None:
        raise RunError(f"{flag(given[0])} is of a cluster: name it with --ray, or leave this away.")


def flag(name: str) -> str:
    """What a field is called on the command line."""
    return f"--{name.replace('_', '-')}"


def run_study_on(
    command: commands.Study, study: Study, folder: pathlib.Path, console: Console
) -> signal.Signals | None:
    """Run `study` where the command says. Returns the signal that ended it, if one did."""
    if command.ray is not None:
        cpus = 1 if command.cpus_per_job is None else command.cpus_per_job
        return run_on_ray(study, folder, command.ray, cpus, command.gpus_per_job, console)
    worker = ALONE if command.worker is None else Worker.parse(command.worker)
    return run_study(study, folder, console, worker)
