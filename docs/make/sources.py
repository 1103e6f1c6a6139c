"""How the sources are read for the reference pages."""

from __future__ import annotations

import re

import griffe

FENCE = "```pycon"
EXAMPLE = re.compile(r"^(?P<indent> *)>>> .*(?:\n(?!\s*$).*)*", re.MULTILINE)


class FencedExamples(griffe.Extension):
    """Examples of docstrings as blocks of code: Markdown takes `>>>` for three quotations."""

    def on_object(self, *, obj: griffe.Object, **_: object) -> None:
        if obj.docstring is not None and FENCE not in obj.docstring.value:
            obj.docstring.value = EXAMPLE.sub(_fenced, obj.docstring.value)


class InstalledNames(griffe.Extension):
    """The folder `envs` under the name by which it is imported."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: object) -> None:
        if pkg.name == "jaxcurriculum":
            pkg.set_member("envs", loader.load("envs"))


def _fenced(found: re.Match) -> str:
    indent = found["indent"]
    return f"{indent}{FENCE}\n{found[0]}\n{indent}```"
