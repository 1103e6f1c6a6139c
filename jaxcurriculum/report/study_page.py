"""The page of a report: one file, which needs no network."""

from __future__ import annotations

import html
import importlib.resources
import json
import re
from collections.abc import Sequence
from typing import Any

from jaxcurriculum.report.tables import Texts, html_table

SCRIPTS = (
    "data.js",
    "chart.js",
    "curves.js",
    "profiles.js",
    "film.js",
    "player.js",
    "shapes.js",
    "bars.js",
    "mastery.js",
    "parallel.js",
    "wall.js",
    "walks.js",
    "start.js",
)


def study_page(
    content: dict[str, Any], results: Texts, lifelong: Texts, notes: Sequence[str]
) -> str:
    """The HTML of the page: `content` is what its scripts draw, the tables are of `results` and of
    `lifelong` metrics (none, where it is empty), `notes` are sentences.
    """
    files = importlib.resources.files("jaxcurriculum.report") / "web"
    text = json.dumps(content, separators=(",", ":"), allow_nan=False)
    parts = {
        "title": html.escape(content["title"]),
        "style": (files / "page.css").read_text(encoding="utf-8"),
        "notes": "".join(f"<li>{html.escape(note)}</li>" for note in notes),
        "results": html_table(results),
        "lifelong": html_table(lifelong) if lifelong else "",
        "content": text.replace("<", "\\u003c"),  # so that no name can end the script that holds it
        "scripts": "\n".join((files / name).read_text(encoding="utf-8") for name in SCRIPTS),
    }
    page = (files / "page.html").read_text(encoding="utf-8")
    return re.sub(r"\{\{(\w+)\}\}", lambda found: parts[found[1]], page)
