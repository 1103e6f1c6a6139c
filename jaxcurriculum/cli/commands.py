"""What can be asked for: a dataclass a command, whose fields are its flags."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Annotated, Literal

import tyro
from tyro.conf import FlagCreatePairsOff, Positional, subcommand

from jaxcurriculum.cli.settings import Settings, flag
from jaxcurriculum.configs import field

STOPPED = 128  # plus the number of the signal: the exit status, as shells have it
Folder = Annotated[Positional[pathlib.Path], tyro.conf.arg(metavar="RUN", help="its folder")]
Folders = Annotated[
    Positional[tuple[pathlib.Path, ...]],
    tyro.conf.arg(
        metavar="RUN ...",
        help="their folders, the one to compare with first",
        help_behavior_hint="",
    ),
]
Studies = Annotated[
    Positional[tuple[pathlib.Path, ...]],
    tyro.conf.arg(
        metavar="FOLDER ...", help="a study, a folder of runs, or runs", help_behavior_hint=""
    ),
]
Seed = Annotated[int | None, flag("N")]
Switch = Annotated[FlagCreatePairsOff[bool], flag("")]


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run is kept."""

    name: Annotated[str, flag("NAME")] = field("demo", help="the run is kept in OUT/NAME")
    out: Annotated[pathlib.Path, flag("PATH")] = field(
        pathlib.Path("runs"), help="folder of all runs"
    )
    resume: Switch = field(False, help="go on with the run of this name, as it was set")
    log: Annotated[tuple[Literal["tensorboard", "wandb"], ...], flag("SINK ...")] = field(
        (), help="curves for tensorboard, wandb or both"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Train(Place, Settings):
    """Train students under a teacher, and draw what they learned.

    The names are in `jaxcurriculum list`. What can be set of alp-gmm is in
    `train --teacher alp-gmm --help`, and so for each; `jaxcurriculum list alp-gmm` tells, too.
    """

    plan: Switch = field(False, help="only say how much memory and time it would take")
    debug: Switch = field(
        False,
        help="only run one seed until an episode ends, and look for nans on the way; then check the"
        " laws of a world of your own",
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Study:
    """Run all that a file says: worlds, students, teachers, settings and seeds.

    What was begun goes on, what is finished is never run again. docs/run-a-study.md tells of FILE.
    """

    file: Annotated[Positional[pathlib.Path], tyro.conf.arg(metavar="FILE", help="in TOML")]
    folder: Annotated[pathlib.Path | None, flag("PATH")] = field(
        None, help="where it is kept; by default studies/ and the name of the file"
    )
    plan: Switch = field(False, help="only say what it would take, and which runs share a program")
    worker: Annotated[str | None, flag("I/N")] = field(
        None, help="one of N that share the study, counted from 0: 0/2 and 1/2"
    )
    ray: Annotated[str | None, flag("HOST:PORT")] = field(
        None, help="on the Ray cluster there; auto: the one of this machine; local: a new one"
    )
    cpus_per_job: Annotated[int | None, flag("N")] = field(
        None, help="of the cluster, with --ray, by default one"
    )
    gpus_per_job: Annotated[int | None, flag("N")] = field(
        None, help="with --ray, by default one where there are any"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plot:
    """Draw a run's figures again."""

    run: Folder


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compare:
    """Compare runs that were tested on the same tasks.

    A table with a permutation test, and the learning curves in one figure.
    """

    runs: Folders
    out: Annotated[pathlib.Path, flag("FILE")] = field(
        pathlib.Path("comparison.png"), help="the figure"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Report:
    """Report on a study or on runs: tables, figures, and a web page with the curriculum as a film.

    Runs that differ in nothing but their seeds are taken together. The page is OUT/index.html.
    """

    folders: Studies
    walks: Switch = field(
        False, help="also play students on test tasks, in the page (their world is compiled)"
    )
    out: Annotated[pathlib.Path | None, flag("FOLDER")] = field(
        None, help="where it is written; else FOLDER/report"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Render:
    """Show episodes of a run, as a film or a web page.

    The last checkpoint's policy plays as in tests: in mazes by sampled actions.
    """

    run: Folder
    task: Annotated[tuple[float | str, ...], flag("X ...")] = field(
        (),
        help="one value an axis, or a maze: as text, / ends a line, or a .txt file with one; by"
        " default the hardest that is mastered steadily",
    )
    seed: Seed = field(None, help="whose policy, by default the first of the run")
    track_seed: Annotated[int, flag("N")] = field(
        0, help="another number, another level of the same task, and other sampled actions"
    )
    html: Switch = field(
        False, help="a web page with nine episodes: of --task, or of tasks from all over"
    )
    at: Annotated[float | None, flag("SECONDS")] = field(
        None, help="after the start, what a .png shows; by default half-way"
    )
    out: Annotated[pathlib.Path | None, flag("FILE")] = field(
        None, help="a .gif, .mp4, .png or (--html) .html; else in RUN/figures"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Export:
    """Write a run's policy as a file that NumPy plays."""

    run: Folder
    seed: Seed = field(None, help="whose policy, by default the first of the run")
    out: Annotated[pathlib.Path, flag("FILE")] = field(
        pathlib.Path("policy.npz"), help="an .npz file"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class List:
    """Say what there is to choose from."""

    names: Annotated[Positional[tuple[str, ...]], flag("NAME ...")] = field(
        (), help="a kind (teachers) to say what each does, or one (alp-gmm) for its parameters"
    )


COMMANDS = (
    Annotated[Train, subcommand("train")]
    | Annotated[Study, subcommand("study")]
    | Annotated[Plot, subcommand("plot")]
    | Annotated[Compare, subcommand("compare")]
    | Annotated[Report, subcommand("report")]
    | Annotated[Render, subcommand("render")]
    | Annotated[Export, subcommand("export")]
    | Annotated[List, subcommand("list")]
)
