"""The tables as a person reads them."""

from __future__ import annotations

import typing
from collections.abc import Sequence

from rich.console import Console
from rich.table import Column, Table

from jaxcurriculum.cli.settings import Parameter, parameters, readable
from jaxcurriculum.cli.tables.challenges import CHALLENGES, ChallengePart
from jaxcurriculum.cli.tables.environments import ENVIRONMENTS
from jaxcurriculum.cli.tables.parts import (
    EnvironmentPart,
    Expert,
    SimulatedPart,
    StudentPart,
    TeacherPart,
    find,
)
from jaxcurriculum.cli.tables.students import STUDENTS
from jaxcurriculum.cli.tables.teachers import TEACHERS

TABLES = {"env": ENVIRONMENTS, "teacher": TEACHERS, "student": STUDENTS, "challenge": CHALLENGES}
TITLES = {
    "env": "Environments",
    "teacher": "Teachers",
    "student": "Students",
    "challenge": "Challenges",
}
INDENT = (0, 2, 0, 2)  # above, right, below, left


def show(console: Console, names: Sequence[str] = ()) -> None:
    """Print every part with its description, or all that can be chosen about the parts `names`.

    Raises:
      RunError: when there is no part of such a name.
    """
    everything = {name: section for section, table in TABLES.items() for name in table}
    for name in names:
        find("part", everything, name)
    for name in names:
        _show_part(console, everything[name], name)
    if not names:
        _show_overview(console)


def _show_overview(console: Console) -> None:
    for section, table in TABLES.items():
        console.print(f"[bold]{TITLES[section]}[/] (--{section})")
        rows = Table(
            Column(no_wrap=True, style="cyan"), "", box=None, padding=INDENT, show_header=False
        )
        for name, part in table.items():
            rows.add_row(name, part.description)
        console.print(rows, "")
    console.print("jaxcurriculum list NAME says what can be set of one of them.", highlight=False)


def _show_part(console: Console, section: str, name: str) -> None:
    """Print a part with its choices, and its parameters with defaults and meaning."""
    part = TABLES[section][name]
    console.print(f"[bold cyan]{name}[/]  {part.description}", highlight=False)
    for flag, choices in part.choices.items():
        console.print(f"  {flag} {', '.join(choices)}", highlight=False)
    if isinstance(part, EnvironmentPart | StudentPart) and part.knowledge is not None:
        console.print(f"  --knowledge {_known(part, part.knowledge)}", highlight=False)
    columns = Column("flag", no_wrap=True), Column("default", no_wrap=True), "meaning"
    rows = Table(*columns, box=None, padding=INDENT, header_style="dim")
    others = _with_students(part) if isinstance(part, TeacherPart | ChallengePart) else {}
    for parameter in parameters(part.config):
        meaning = parameter.meaning + _choices(parameter) + others.get(parameter.name, "")
        flag = f"--{section}.{parameter.name}".replace("_", "-")
        rows.add_row(flag, str(parameter.value), meaning)
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


def _with_students(part: TeacherPart | ChallengePart) -> dict[str, str]:
    """The fields whose default is another one with some students: which value with whom."""
    students: dict[str, dict[str, list[str]]] = {}
    for name, student in STUDENTS.items():
        if isinstance(student, SimulatedPart):
            suited = parameters(part.suit(part.config, student))
            for before, after in zip(parameters(part.config), suited):
                if after.value != before.value:
                    values = students.setdefault(after.name, {})
                    values.setdefault(str(after.value), []).append(name)
    return {
        field: "".join(f"; with {', '.join(names)} {value}" for value, names in values.items())
        for field, values in students.items()
    }
