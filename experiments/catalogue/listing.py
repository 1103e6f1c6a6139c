"""The tables as a person reads them."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column, Table

from jaxcurriculum.experiments.catalogue.challenges import CHALLENGES
from jaxcurriculum.experiments.catalogue.environments import ENVIRONMENTS
from jaxcurriculum.experiments.catalogue.students import STUDENTS
from jaxcurriculum.experiments.catalogue.teachers import TEACHERS
from jaxcurriculum.experiments.settings import parameters


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
            rows = Table(
                Column("--set", no_wrap=True),
                Column("default", no_wrap=True),
                "meaning",
                box=None,
                padding=(0, 2, 0, 4),
                header_style="dim",
            )
            for parameter in parameters(part.config):
                rows.add_row(f"{section}.{parameter.name}", str(parameter.value), parameter.meaning)
            if rows.row_count:
                console.print(rows)
        console.print()
