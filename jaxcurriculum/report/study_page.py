"""The page of a report: one file, which needs no network."""

from __future__ import annotations

import html
import importlib.resources
import json
import re
from collections.abc import Sequence
from typing import Any

from jaxcurriculum.report.results import Row, written

SCRIPTS = (
    "data.js",
    "chart.js",
    "curves.js",
    "profiles.js",
    "film.js",
    "player.js",
    "shapes.js",
    "mastery.js",
    "parallel.js",
    "wall.js",
    "walks.js",
    "start.js",
)


def study_page(content: dict[str, Any], rows: Sequence[Row], notes: Sequence[str]) -> str:
    """The HTML of the page: `content` is what its scripts draw, `notes` are sentences."""
    files = importlib.resources.files("jaxcurriculum.report") / "web"
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    parts = {
        "title": html.escape(content["title"]),
        "style": (files / "page.css").read_text(encoding="utf-8"),
        "notes": "".join(f"<li>{html.escape(note)}</li>" for note in notes),
        "table": html_table(rows),
        "content": text.replace("<", "\\u003c"),  # so that no name can end the script that holds it
        "scripts": "\n".join((files / name).read_text(encoding="utf-8") for name in SCRIPTS),
    }
    page = (files / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], page)


def html_table(rows: Sequence[Row]) -> str:
    """The table of results."""
    texts = [written(row) for row in rows]
    heads = "".join(f"<th scope=col>{html.escape(name)}</th>" for name in texts[0])
    lines = []
    for row in texts:
        name, *cells = (html.escape(text) for text in row.values())
        lines.append(f"<tr><th scope=row>{name}</th>{''.join(f'<td>{one}</td>' for one in cells)}")
    return f"<table><thead><tr>{heads}</tr></thead><tbody>{''.join(lines)}</tbody></table>"
