"""Rows of numbers as JSON between processes, and as tables on the screen."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.measure import about


def main(measure: Callable[[bool], list[dict[str, Any]]]) -> None:
    """The body of every bench run as a program: measure and print one line of JSON."""
    print(json.dumps({"rows": measure("--quick" in sys.argv), "about": about()}))


def show(console: Console, title: str, columns: Sequence[str], rows: list[dict[str, Any]]) -> None:
    """Print rows as a table, a blank where a row says nothing."""
    table = Table(title=title, title_justify="left")
    for column in columns:
        is_text = column in ("what", "body", "teacher", "note")
        table.add_column(column, justify="left" if is_text else "right")
    for row in rows:
        table.add_row(*(_text(row.get(column)) for column in columns))
    console.print(table)


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return f"{value:,}" if isinstance(value, int) else str(value)
