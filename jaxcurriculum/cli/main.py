"""The command line: `train`, `study`, `plot`, `compare`, `report`, `render`, `export`, `list`.

Nothing heavy is imported before it is needed, so that help and mistakes are answered at once.
"""

from __future__ import annotations

import dataclasses
import io
import os
import pathlib
import signal
import sys
from typing import TYPE_CHECKING, Any

import tyro

from jaxcurriculum.cli.commands import (
    COMMANDS,
    STOPPED,
    Compare,
    Export,
    List,
    Place,
    Plot,
    Render,
    Report,
    Study,
    Train,
)
from jaxcurriculum.cli.flags import choices, shown, typed_fields, with_sections
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.runs.errors import RunError, in_flags, sentence
from jaxcurriculum.runs.results import by_commands, command_line, draw_results, show_paths

if TYPE_CHECKING:
    from rich.console import Console

ABOUT = """Teachers that choose tasks for learning students.

`jaxcurriculum train --student toy-grid --name first` is a first run, of a minute.
`jaxcurriculum list` says what there is to choose from.
`jaxcurriculum train --help` says what can be set."""


def main() -> None:
    """Run the command of `sys.argv` and exit with its status."""
    status = run(sys.argv[1:])
    if status > STOPPED:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(status)  # an ordinary exit would wait for the steps that the device has in hand
    sys.exit(status)


def run(arguments: list[str]) -> int:
    """Run one command; mistakes and faults are one sentence on stderr (and a traceback after it
    with --debug). Returns the exit status.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(
                errors="replace"
            )  # not every terminal can show all that a path holds
    try:
        command = parse(arguments)
        use_machine()
        return execute(command)
    except KeyboardInterrupt:
        print("jaxcurriculum: interrupted.", file=sys.stderr)
        return STOPPED + signal.SIGINT
    except Exception as error:
        message = sentence(error)
        if message is None or "--debug" in arguments:
            raise
        print(f"jaxcurriculum: {in_flags(message)}", file=sys.stderr)
        return 1


def parse(arguments: list[str]) -> Train | Study | Plot | Compare | Report | Render | Export | List:
    """The command that `arguments` ask for."""
    try:
        if arguments[:1] == ["train"]:
            return parse_train(arguments[1:])
        return tyro.cli(COMMANDS, args=arguments, prog="jaxcurriculum", description=ABOUT)
    except ValueError as error:
        raise RunError(str(error)) from None


def parse_train(arguments: list[str]) -> Train:
    """The run that `arguments` ask for; one that is resumed brings its settings as defaults.

    Raises:
      RunError: when a run to be resumed is asked for other settings than --steps.
    """
    from jaxcurriculum.cli.build import chosen_configs
    from jaxcurriculum.runs.store import Run

    first = tyro.cli(Place, args=arguments, add_help=False, return_unknown_args=True)[0]
    run = Run(first.out / first.name)
    recorded = Settings.recorded(run.config) if first.resume and run.exists else Settings()
    configs = chosen_configs(choices(arguments, recorded))
    command = with_sections(Train, shown(arguments, configs))
    own = {each.name: getattr(recorded, each.name) for each in dataclasses.fields(Settings)}
    parsed = tyro.cli(command, args=arguments, prog="jaxcurriculum train", default=command(**own))
    given = typed_fields(arguments, parsed, list(configs))
    values: dict[str, Any] = {
        each.name: getattr(parsed, each.name) for each in dataclasses.fields(Train)
    }
    values["fields"] = {**recorded.fields, **given}
    asked = Train(**values)
    if first.resume and run.exists:
        check_resumed(recorded, asked)
    return asked


def check_resumed(recorded: Settings, asked: Settings) -> None:
    """Check that a run goes on as it began, but for its length.

    Raises:
      RunError: naming the first setting that differs.
    """
    from jaxcurriculum.runs.checkpoint import first_difference
    from jaxcurriculum.runs.host import identity

    before = {each.name: getattr(recorded, each.name) for each in dataclasses.fields(Settings)}
    now = {name: getattr(asked, name) for name in before}
    before, now = (identity({**known.pop("fields"), **known}) for known in (before, now))
    if difference := first_difference(before, now):
        name, was, becomes = difference
        raise RunError(
            f"--resume keeps a run's settings, but {name} was {was} and is now {becomes}; choose"
            " another --name."
        )


def use_machine() -> None:
    """Use every core, set JAX's switches, keep compiled programs for the next start, and draw
    without a window.
    """

    from jaxcurriculum import use_cores
    from jaxcurriculum.runs.switches import set_switches
    from jaxcurriculum.runs.training import keep_programs

    os.environ["MPLBACKEND"] = "agg"  # a notebook hands its own on, which may not be installed here
    use_cores()
    for changed in set_switches():
        print(f"jaxcurriculum: {changed}", file=sys.stderr)
    keep_programs()


def execute(command: Train | Study | Plot | Compare | Report | Render | Export | List) -> int:
    """Do what was asked. Returns the exit status."""
    from rich.console import Console

    from jaxcurriculum.runs.store import Run

    console = Console(
        markup=False, emoji=False
    )  # [brackets] and :colons: in a name mean themselves
    match command:
        case List():
            from jaxcurriculum.cli.tables import show

            show(Console(), command.names)
        case Plot():
            from jaxcurriculum.report.plots import draw

            show_paths(draw(Run(command.run)), console)
        case Compare():
            from jaxcurriculum.runs import compare

            show_paths([compare(command.runs, command.out, console)], console)
        case Report():
            from jaxcurriculum.runs import report

            show_paths(report(command.folders, command.out, command.walks, console), console)
        case Render():
            show_paths([execute_render(command)], console)
        case Export():
            from jaxcurriculum.runs import export_policy, load_policy
            from jaxcurriculum.runs.switches import check_device

            check_device()
            policy = load_policy(command.run, command.seed)
            show_paths([export_policy(policy, command.out)], console)
        case Study():
            from jaxcurriculum.cli.study_command import execute_study

            return execute_study(command, console)
        case Train():
            return execute_train(command, console)
    return 0


def execute_render(command: Render) -> pathlib.Path:
    """Write the page, or the animation or picture. Returns its path."""
    from jaxcurriculum.cli.build import rebuild
    from jaxcurriculum.runs.policy_file import run_or_policy
    from jaxcurriculum.runs.rendering import show
    from jaxcurriculum.runs.switches import check_device

    check_device()
    run = run_or_policy(command.run)
    asked = {name: value for name, value in vars(command).items() if name != "run"}
    return show(run, rebuild(run.config), **asked)


def _keeps_laws(command: Train) -> int:
    """Say it where a world of one's own breaks a law. Returns the exit status."""
    from jaxcurriculum.cli.build import build, shrunk
    from jaxcurriculum.cli.own_world import broken_law

    if ":" not in (command.env or ""):
        return 0
    environment = build(shrunk(command)).loop.student.environment
    assert environment is not None
    broken = broken_law(environment)
    if broken:
        print(f"jaxcurriculum: --env {command.env}: {broken}.", file=sys.stderr)
    return 1 if broken else 0


def execute_train(command: Train, console: Console) -> int:
    """Train, or only plan or debug. Returns the exit status."""
    from jaxcurriculum.cli.build import build, shrunk
    from jaxcurriculum.runs import rehearse
    from jaxcurriculum.runs.host import check_folder, run_experiment
    from jaxcurriculum.runs.store import Run
    from jaxcurriculum.runs.switches import check_device

    check_device()
    if command.name in ("", ".", "..") or pathlib.Path(command.name).name != command.name:
        raise RunError(
            f"--name must be the name of a folder in --out, without slashes, got {command.name!r}."
        )
    if command.name.startswith("-"):
        raise RunError(f"--name must not begin with a dash, got {command.name!r}.")
    if command.plan and command.debug:
        raise RunError("--plan and --debug do not go together: choose one of them.")
    run = Run(command.out / command.name)
    if command.debug:
        rehearse.debug(lambda watch: build(shrunk(command), watch), console)
        return _keeps_laws(command)
    if command.plan:
        rehearse.plan(build(command), console)
        return 0
    check_folder(run, command.resume)
    if command.resume and not run.exists:
        console.print(f"{run.path} holds no run yet: starting it.", style="yellow")
    experiment = build(command)
    if stopped_by := run_experiment(experiment, run, console, command.log):
        how = "interrupted" if stopped_by == signal.SIGINT else "terminated"
        again = command_line("train", "--out", command.out, "--name", command.name, "--resume")
        message = f"{how}; everything so far is in {run.path}, go on with: {again}"
        print(f"jaxcurriculum: {message}", file=sys.stderr)
        return STOPPED + stopped_by
    draw_results(run, experiment, console, by_commands(run))
    return 0
