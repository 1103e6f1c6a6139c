"""The tables as a person reads them."""

from __future__ import annotations

import typing
from collections.abc import Sequence
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.table import Column, Table
from rich.text import Text

from jaxcurriculum import LoopConfig, make_loop
from jaxcurriculum.cli.settings import Parameter, parameters, readable
from jaxcurriculum.cli.tables.challenges import CHALLENGES, ChallengePart
from jaxcurriculum.cli.tables.environments import ENVIRONMENTS
from jaxcurriculum.cli.tables.own import own
from jaxcurriculum.cli.tables.parts import (
    EnvironmentPart,
    Expert,
    Part,
    SimulatedPart,
    StudentPart,
    TeacherPart,
    find,
)
from jaxcurriculum.cli.tables.students import STUDENTS
from jaxcurriculum.cli.tables.teachers import TEACHERS
from jaxcurriculum.configs import named_fields

LOOP = Part(
    description="how a student is tested; --evaluate-every says how often",
    config=LoopConfig(),
    make=make_loop,
)
KINDS = {"environments": "env", "teachers": "teacher", "students": "student"}
KINDS |= {"challenges": "challenge"}
TABLES = {"env": ENVIRONMENTS, "teacher": TEACHERS, "student": STUDENTS, "challenge": CHALLENGES}
TABLES |= {"loop": {"loop": LOOP}}
INDENT = (0, 2, 0, 2)  # above, right, below, left
NEXT = {
    "list teachers": "what each of them does; so for every kind",
    "list alp-gmm": "what can be set of it, with units and defaults",
    "list loop": "what can be set of the tests",
    "train --teacher alp-gmm": "a run with it; your own part as module:function",
}


def show(console: Console, names: Sequence[str] = ()) -> None:
    """Print the names of all parts; or of a kind among `names` what each does, of a part all that
    can be chosen about it.

    A name may be that of a function of one's own, "module:function".

    Raises:
      RunError: when there is no part or kind of such a name.
    """
    parts = {
        name: (section, part) for section, table in TABLES.items() for name, part in table.items()
    }
    for name in names:
        if ":" in name:
            function = own(name)
            parts[name] = (function.kind, function.part)
        find("part", KINDS | parts, name)
    for name in names:
        if name in KINDS:
            _show_kind(console, KINDS[name])
        else:
            _show_part(console, *parts[name], name)
    if not names:
        _show_overview(console)


def _show_overview(console: Console) -> None:
    for kind, section in KINDS.items():
        console.print(f"[bold]{kind}[/] (--{section})", highlight=False)
        known = Text(", ".join(TABLES[section]), style="cyan")
        console.print(Padding(known, INDENT), "")
    rows = _rows()
    for command, what in NEXT.items():
        rows.add_row(f"jaxcurriculum {command}", what)
    console.print("[bold]and then[/]", rows)


def _show_kind(console: Console, section: str) -> None:
    rows = _rows()
    for name, part in TABLES[section].items():
        rows.add_row(name, part.description)
    console.print(rows, "")


def _rows() -> Table:
    name = Column(no_wrap=True, style="cyan")
    return Table(name, "", box=None, padding=INDENT, show_header=False)


def _show_part(console: Console, section: str, part: Part, name: str) -> None:
    """Print a part with its choices, and its parameters with defaults and meaning."""
    console.print(f"[bold cyan]{name}[/]  {escape(part.description)}", highlight=False)
    for flag, choices in part.choices.items():
        console.print(f"  {flag} {', '.join(choices)}", highlight=False)
    if isinstance(part, EnvironmentPart | StudentPart) and part.knowledge is not None:
        console.print(f"  --knowledge {_known(part, part.knowledge)}", highlight=False)
    if isinstance(part, EnvironmentPart) and part.axes:
        axes = _rows()
        for where, names in part.axes.items():
            axes.add_row(where, names)
        console.print("  --env.axes", axes, highlight=False)
    columns = Column("flag", no_wrap=True), Column("default", no_wrap=True), "meaning"
    rows = Table(*columns, box=None, padding=INDENT, header_style="dim")
    others = _elsewhere(name, part)
    values = _other_values(part.config, others)
    for parameter in parameters(part.config):
        told = "".join(f"; with {places} {value}" for value, places in values[parameter.name])
        rows.add_row(*_row(section, parameter, told))
    for parameter, places in _other_fields(part.config, others):
        rows.add_row(*_row(section, parameter, f"; only with {places}"))
    console.print(*([rows] if rows.row_count else []), "")


def _known(part: EnvironmentPart | StudentPart, expert: Expert) -> str:
    """What an expert knows of the tasks of a part with its default configuration."""
    role = (
        part.make(part.config)
        if isinstance(part, EnvironmentPart)
        else part.make(None, part.config)
    )
    known = expert(part.config, role.task_space)
    easy = (
        "no one task is known to be easy"
        if known.easy_mean is None
        else f"and {known.easy_mean} is easy"
    )
    return (
        f"low: a return of {known.success} is a success, of {known.failure} a failure; high: {easy}"
    )


def _choices(parameter: Parameter) -> str:
    """What a field that is a choice may be."""
    is_choice = typing.get_origin(parameter.type) is typing.Literal
    return f" ({readable(parameter.type)})" if is_choice else ""


def _row(section: str, parameter: Parameter, told: str) -> tuple[str, str, str]:
    """Flag, default and meaning of a parameter."""
    flag = f"--{section}.{parameter.name}".replace("_", "-")
    return flag, str(parameter.value), parameter.meaning + _choices(parameter) + told


def _elsewhere(name: str, part: Part) -> dict[str, Any]:
    """The default configurations of the part `name` elsewhere: in environments, with students."""
    others = {world: world_part.presets.get(name) for world, world_part in ENVIRONMENTS.items()}
    if isinstance(part, TeacherPart | ChallengePart):
        for student, student_part in STUDENTS.items():
            if isinstance(student_part, SimulatedPart):
                others[student] = part.suit(part.config, student_part)
    return {place: config for place, config in others.items() if config is not None}


def _other_values(config: Any, others: dict[str, Any]) -> dict[str, list[tuple[str, str]]]:
    """Of each field of `config` the values that are its default elsewhere, and where."""
    here = named_fields(config)
    found: dict[str, dict[str, list[str]]] = {field: {} for field in here}
    for place, other in others.items():
        for field, value in named_fields(other).items():
            if field in here and value != here[field]:
                found[field].setdefault(str(value), []).append(place)
    return {
        field: [(value, ", ".join(places)) for value, places in values.items()]
        for field, values in found.items()
    }


def _other_fields(config: Any, others: dict[str, Any]) -> list[tuple[Parameter, str]]:
    """Fields that `config` does not have, only those elsewhere, and where."""
    here = named_fields(config)
    found: dict[str, tuple[Parameter, list[str]]] = {}
    for place, other in others.items():
        for parameter in parameters(other):
            if parameter.name not in here:
                found.setdefault(parameter.name, (parameter, []))[1].append(place)
    return [(parameter, ", ".join(places)) for parameter, places in found.values()]
