"""The tables as a person reads them."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from jaxcurriculum.experiments.catalogue.challenges import CHALLENGES
from jaxcurriculum.experiments.catalogue.environments import ENVIRONMENTS
from jaxcurriculum.experiments.catalogue.parts import EnvironmentPart, Expert, StudentPart
from jaxcurriculum.experiments.catalogue.students import STUDENTS
from jaxcurriculum.experiments.catalogue.teachers import TEACHERS
from jaxcurriculum.experiments.settings import Parameter, parameters


def show(console: Console) -> None:
    """Print every table: each part with its description, its parameters, their defaults, and their meaning with the unit."""
    for title, section, table in (
        ("Environments", "env", ENVIRONMENTS),
        ("Teachers", "teacher", TEACHERS),
        ("Students", "student", STUDENTS),
        ("Challenges", "challenge", CHALLENGES),
    ):
        console.print(f"[bold]{title}[/]")
        for name, part in table.items():
            console.print(f"\n  [bold cyan]{name}[/]  {part.description}", highlight=False)
            for flag, names in part.choices.items():
                console.print(f"    {flag} {', '.join(names)}", highlight=False)
            if isinstance(part, EnvironmentPart | StudentPart) and part.knowledge is not None:
                console.print(f"    --knowledge {_known(part, part.knowledge)}", highlight=False)
            rows = Table(
                Column("--set", no_wrap=True),
                Column("default", no_wrap=True),
                "meaning",
                box=None,
                padding=(0, 2, 0, 4),
                header_style="dim",
            )
            for parameter in parameters(part.config):
                adapted = _adapted(parameter) if section in ("teacher", "challenge") else ""
                rows.add_row(f"{section}.{parameter.name}", str(parameter.value), parameter.meaning + adapted)
            if rows.row_count:
                console.print(rows)
        console.print()


def _known(part: EnvironmentPart | StudentPart, expert: Expert) -> str:
    """What an expert knows of the tasks of a part with its default configuration."""
    role = part.make("default" if isinstance(part, EnvironmentPart) else None, part.config)
    known = expert(part.config, role.task_space)
    easy = "no one task is known to be easy" if known.easy_mean is None else f"and {known.easy_mean} is easy"
    return f"low: a return of {known.success} is a success, of {known.failure} a failure; high: {easy}"


def _adapted(field: Parameter) -> str:
    """With which students the default of a teacher's or challenge's field is another one, and which."""
    students: dict[str, list[str]] = {}
    for student, part in STUDENTS.items():
        if part.adapt.get(field.name, field.value) != field.value:
            students.setdefault(str(part.adapt[field.name]), []).append(student)
    return "".join(f"; with {', '.join(names)} {value}" for value, names in students.items())
