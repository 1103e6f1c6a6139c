"""What can be asked for: a dataclass a command, whose fields are its flags."""

from __future__ import annotations

import dataclasses
import pathlib
from typing import Annotated, Literal

from tyro.conf import Positional, subcommand

from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.configs import field


@dataclasses.dataclass(frozen=True, kw_only=True)
class Place:
    """Where a run is kept."""

    name: str = field("demo", help="the run is kept in OUT/NAME")
    out: pathlib.Path = field(pathlib.Path("runs"), help="folder of all runs")
    resume: bool = field(False, help="go on with the run of this name")
    log: tuple[Literal["tensorboard", "wandb"], ...] = field(
        (), help="where curves go beside the run's own files"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Train(Place, Settings):
    """Train students under a teacher and draw what they learned.

    Ends with a table and the paths of the learning curve, the curriculum, the mastery map and,
    where the world has a viewer, a film. A run that was killed goes on with --resume, which
    remembers every setting, and ends with the same numbers; with larger --steps it goes further.
    """

    plan: bool = field(
        False, help="only say how much memory, compile time and run time it would take"
    )
    debug: bool = field(
        False, help="only run one seed until an episode ends, and look for nans on the way"
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Plot:
    """Draw a run's figures again, from its files alone."""

    run: Positional[pathlib.Path]  # folder of the run


@dataclasses.dataclass(frozen=True, kw_only=True)
class Compare:
    """Compare runs that were tested on the same tasks: a table with a permutation test, and
    their learning curves in one figure.
    """

    runs: Positional[tuple[pathlib.Path, ...]]  # folders of the runs, the one to compare with first
    out: pathlib.Path = pathlib.Path("comparison.png")  # the figure


@dataclasses.dataclass(frozen=True, kw_only=True)
class Render:
    """Show episodes of a run with the policy of its last checkpoint.

    One episode as an animation or a picture, or a page with nine, which plays in any browser,
    offline: nine levels of --task, or else test tasks from all over the task space.
    """

    run: Positional[pathlib.Path]  # folder of the run
    task: tuple[
        float, ...
    ] = ()  # one value an axis; by default the hardest that is mastered steadily
    seed: int | None = None  # whose policy, by default the first of the run
    track_seed: int = 0  # another number, another level of the same task
    html: bool = False  # write the web page
    at: float | None = None  # seconds after the start that a .png shows, by default half-way
    out: pathlib.Path | None = (
        None  # a .gif, .mp4, .png or (--html) .html file; else in RUN/figures
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Export:
    """Write the policy of the last checkpoint as an .npz file, which NumPy alone can play."""

    run: Positional[pathlib.Path]  # folder of the run
    seed: int | None = None  # whose policy, by default the first of the run
    out: pathlib.Path = pathlib.Path("policy.npz")  # the file


@dataclasses.dataclass(frozen=True, kw_only=True)
class List:
    """Name every environment, teacher, student and challenge, or what can be set of those named."""

    names: Positional[
        tuple[str, ...]
    ] = ()  # of which to show the parameters, with units and defaults


COMMANDS = (
    Annotated[Train, subcommand("train")]
    | Annotated[Plot, subcommand("plot")]
    | Annotated[Compare, subcommand("compare")]
    | Annotated[Render, subcommand("render")]
    | Annotated[Export, subcommand("export")]
    | Annotated[List, subcommand("list")]
)
