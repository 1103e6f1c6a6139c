"""A page for every teacher, student, world and challenge of the command line, by reflection."""

from __future__ import annotations

import dataclasses
import inspect
import math
import pathlib
import sys
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from docstrings import as_markdown

import jaxcurriculum.envs as envs
from jaxcurriculum import challenges, teachers
from jaxcurriculum.cli.settings import Parameter, parameters
from jaxcurriculum.cli.tables import CHALLENGES, ENVIRONMENTS, STUDENTS, TEACHERS
from jaxcurriculum.cli.tables.parts import Part
from jaxcurriculum.students import simulated

PICTURES = pathlib.Path(__file__).parents[1] / "pictures"
# the protagonist starts in the lower left, the antagonist in the upper right
TWO_CORNERS = " --student.corner random --student.cells 4 --seed 5"
OPTIONS = {  # what some parts need to be told
    "adr": " --knowledge high",
    "adr-tma": " --knowledge high",
    "paired": TWO_CORNERS,
    "flexible-paired": TWO_CORNERS,
    "clutr": TWO_CORNERS,
    "repaired": TWO_CORNERS,
    "unlearnable": " --challenge.low 0.5 0.5 --challenge.high 1 1",
}
PYTHON_ONLY = ("diverse",)
Presets = Mapping[str, Part]  # by the names that the command line has for them


@dataclasses.dataclass(frozen=True, kw_only=True)
class Kind:
    """One section of the site: where its pages lie and how a run of a part is started."""

    folder: str
    factory: Callable[[str], Any]  # (name on the command line) -> the function that makes it
    table: Mapping[str, Part]
    flag: str
    command: str
    caption: str = ""  # of the picture, if there is one

    def started(self, name: str) -> str:
        """The command that runs a part with its defaults."""
        return self.command.format(name) + OPTIONS.get(name, "")

    def pages(self) -> Iterator[tuple[str, str]]:
        """(path, Markdown) of each part of the table; presets of one factory share a page."""
        shared: dict[Any, dict[str, Part]] = {}
        for name, part in self.table.items():
            shared.setdefault(self.factory(name), {})[name] = part
        for factory, presets in shared.items():
            yield f"{self.folder}/{next(iter(presets))}.md", page(self, factory, presets)


def page(kind: Kind, factory: Any, presets: Presets) -> str:
    """The page of one algorithm or world."""
    name, part = next(iter(presets.items()))
    module = sys.modules[factory.__module__]
    summary, rest = as_markdown(inspect.getdoc(module) or "")
    return "\n\n".join(
        [
            f"# {name}",
            summary,
            _picture(kind, name, part),
            rest,
            "## On the command line",
            *(f"`{other}`: {preset.description}." for other, preset in presets.items()),
            *_commands(kind, presets),
            *_settings(kind.flag, presets),
            "## From Python",
            *_reference(factory, part),
        ]
    )


def _commands(kind: Kind, presets: Presets) -> Iterator[str]:
    commands = [kind.started(name) for name in presets if name not in PYTHON_ONLY]
    if commands:
        yield "```sh\n" + "\n".join(commands) + "\n```"


def _picture(kind: Kind, name: str, part: Part) -> str:
    if not (PICTURES / kind.folder / f"{name}.png").exists():
        return ""
    words = f"{part.description}".replace('"', "")
    return f"![{name}: {words}](../pictures/{kind.folder}/{name}.png)\n\n*{kind.caption}*"


def _settings(flag: str, presets: Presets) -> Iterator[str]:
    """The table of what can be set, with a column of defaults for each preset."""
    columns = [list(parameters(part.config)) for part in presets.values()]
    if not columns[0]:
        return
    yield "## Settings"
    head = ["setting", *(presets if len(presets) > 1 else ["default"]), "may be", "meaning"]
    rows = [_row(head), _row(["---"] * len(head))]
    for same in zip(*columns):
        defaults = [f"`{_shown(parameter.value)}`" for parameter in same]
        name = f"`--{flag}.{same[0].name}`".replace("_", "-")
        rows.append(_row([name, *defaults, bounds(same[0]), same[0].meaning]))
    yield "\n".join(rows)


def bounds(parameter: Parameter) -> str:
    """What a setting may be, in words."""
    if typing.get_origin(parameter.type) is typing.Literal:
        return ", ".join(map(str, typing.get_args(parameter.type)))
    if parameter.type is bool:
        return "yes or no"
    low, high = parameter.low, parameter.high
    if low is not None and high is not None:
        return f"{low:,.9g} to {high:,.9g}"
    if low is not None:
        return f"at least {low:,.9g}"
    return "" if high is None else f"at most {high:,.9g}"


def _shown(value: Any) -> str:
    if isinstance(value, tuple):
        return " ".join(map(_shown, value)) or "none"
    if isinstance(value, float) and math.isfinite(value):
        return f"{value:g}"
    return str(value)


def _row(cells: list[str]) -> str:
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _reference(factory: Any, part: Part) -> Iterator[str]:
    yield f"::: {factory.__module__}.{factory.__name__}"
    config = getattr(part.config, "bandit", part.config)
    if config.__class__.__module__ == factory.__module__:
        yield f"::: {factory.__module__}.{type(config).__name__}\n    options:\n      members: []"


def _named(module: Any, names: Mapping[str, str]) -> Callable[[str], Any]:
    """The factory of a part: the function of `module` with its name, or what `names` says."""
    return lambda name: getattr(module, names.get(name, name).replace("-", "_"))


SAME_RULE = {name: name.removesuffix("-tma") for name in TEACHERS} | {
    "robust-plr": "plr",
    "flexible-paired": "paired",
    "minimax-adversary": "paired",
}
SAME_WORLD = {
    "bipedal-walker-hardcore": "bipedal-walker",
    "maze-jaxued": "maze",
    "maze-minimax": "maze",
    "maze-dcd": "maze",
}
SIMULATED = {name: part for name, part in STUDENTS.items() if not part.needs_environment}
LEARNERS = {name: part for name, part in STUDENTS.items() if part.needs_environment}


def _learner(name: str) -> Any:
    from jaxcurriculum import learners

    return getattr(learners, name.split("-")[0])


KINDS = {
    "Teachers": Kind(
        folder="teachers",
        factory=_named(teachers, SAME_RULE),
        table=TEACHERS,
        flag="teacher",
        command="jaxcurriculum train --student toy-grid --teacher {0} --name {0}",
        caption=(
            "One run of 20,000 episodes on the toy grid, whose skills unlock each other from the"
            " lower left. Each panel shows the tasks of a quarter of the run, brighter where the"
            " student makes progress; lines are what the teacher believes."
        ),
    ),
    "Learners": Kind(
        folder="learners",
        factory=_learner,
        table=LEARNERS,
        flag="student",
        command="jaxcurriculum train --env pendulum --student {0} --name {0}",
    ),
    "Worlds": Kind(
        folder="worlds",
        factory=_named(envs, SAME_WORLD),
        table=ENVIRONMENTS,
        flag="env",
        command="jaxcurriculum train --env {0} --name {0}",
        caption="One moment of an episode.",
    ),
    "Simulated students": Kind(
        folder="simulated",
        factory=_named(simulated, {}),
        table=SIMULATED,
        flag="student",
        command="jaxcurriculum train --student {0} --name {0}",
    ),
    "Challenges": Kind(
        folder="challenges",
        factory=_named(challenges, {}),
        table={name: part for name, part in CHALLENGES.items() if name != "none"},
        flag="challenge",
        command="jaxcurriculum train --student toy-grid --challenge {0} --name {0}",
    ),
}
