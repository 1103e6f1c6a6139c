"""What MkDocs does beside its own: pages by reflection, the notebook as a page, formulas."""

from __future__ import annotations

import pathlib

import formulas
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from nbconvert import MarkdownExporter
from parts import KINDS

DOCS = pathlib.Path(__file__).parents[1]
PAGES = {title: dict(kind.pages()) for title, kind in KINDS.items()}
DECISIONS = sorted(f"decisions/{path.name}" for path in DOCS.glob("decisions/*.md"))


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """List the pages of each algorithm, world and decision in their sections of the menu."""
    listed = PAGES | {"Decisions": DECISIONS}
    for section in config.nav or ():
        for title, pages in section.items():
            pages.extend(page for page in listed.get(title, ()) if page not in pages)
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    for pages in PAGES.values():
        for path, text in pages.items():
            files.append(File.generated(config, path, content=text))
    text, pictures = MarkdownExporter().from_filename(str(DOCS / "tour.ipynb"))
    files.append(File.generated(config, "tour.md", content=text))
    for name, content in pictures["outputs"].items():
        files.append(File.generated(config, name, content=content))
    return files


def on_page_content(html: str, **_: object) -> str:
    return formulas.in_page(html)
