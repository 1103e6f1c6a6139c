"""Modules' docstrings as Markdown: the rule of an algorithm, and where it is from."""

from __future__ import annotations

import html
import re

import formulas

INDENT = "    "
LABEL = re.compile(r"^(\w[\w -]*:)( +)")
GAP = re.compile(r" {3,}")
CODE = re.compile(r"`([^`]+)`")


def as_markdown(docstring: str) -> tuple[str, str]:
    """The first sentence of a docstring, and all that follows, with its rule set apart."""
    summary, *blocks = docstring.strip().split("\n\n")
    shown = [rule(block) if block.startswith(INDENT) else prose(block) for block in blocks]
    return " ".join(summary.split()), "\n\n".join(shown)


def prose(block: str) -> str:
    name, found, source = block.partition("Source:")
    return f"*Source*: {' '.join(source.split())}" if found and not name else block


def rule(block: str) -> str:
    """An indented block line by line, in the reading font, with its columns and formulas."""
    lines = [_line(line.removeprefix(INDENT)) for line in block.splitlines()]
    return '<div class="rule">' + "".join(lines) + "</div>"


def _line(line: str) -> str:
    text = line.lstrip()
    indent = len(line) - len(text)
    label = LABEL.match(text)
    head = ""
    if label:
        head = f'<span class="label" style="width: {len(label[0])}ch"><b>{label[1]}</b></span>'
        text = text[label.end() :]
    shown = formulas.in_text(html.escape(text, quote=False))
    shown = CODE.sub(r"<code>\1</code>", shown)
    shown = GAP.sub('<span class="gap"></span>', shown)
    return f'<p style="padding-left: {indent}ch">{head}<span>{shown}</span></p>'
