"""Tables as text: a row is a dictionary from the heads of the columns to what stands below them."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from typing import Any

import polars as pl

Texts = Sequence[Mapping[str, str]]


def markdown_table(texts: Texts) -> str:
    """A table of GitHub.

    >>> print(markdown_table([{"name": "a|b", "p": "0.1"}]), end="")
    | name | p |
    | --- | ---: |
    | a\\|b | 0.1 |
    """
    heads = list(texts[0])
    rows = [[text.replace("|", "\\|") for text in row.values()] for row in texts]
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def html_table(texts: Texts) -> str:
    """A table of a page."""
    heads = "".join(f"<th scope=col>{html.escape(name)}</th>" for name in texts[0])
    lines = []
    for row in texts:
        name, *others = row.values()
        cells = "".join(f"<td>{_in_two_lines(text)}</td>" for text in others)
        lines.append(f"<tr><th scope=row>{html.escape(name)}</th>{cells}")
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _in_two_lines(text: str) -> str:
    """A cell with its interval, if it has one in brackets, below the number."""
    number, bracket, interval = html.escape(text).partition(" (")
    return f"{number}<small>({interval}</small>" if bracket else number


def csv_table(rows: Sequence[Any]) -> str:
    """Numbers as they are; what is not known is empty."""
    return pl.DataFrame(rows).fill_nan(None).write_csv()
