"""Pages whose tables a program writes anew, between two marks; the prose around them stays."""

from __future__ import annotations

import pathlib
from collections.abc import Callable, Sequence

from jaxcurriculum.runs import RunError

FIRST, LAST = "<!-- written by {} -->\n", "<!-- end -->\n"


def refresh(page: pathlib.Path, program: str, text: str) -> None:
    """Write `text` in the place of what `program` wrote into `page` before.

    Raises:
      SystemExit: when the page has no place for it.
    """
    content, first = page.read_text(), FIRST.format(program)
    before, found, rest = content.partition(first)
    _, ended, after = rest.partition(LAST)
    if not (found and ended):
        raise SystemExit(f"{page} has no lines {first.strip()} and {LAST.strip()} in this order.")
    page.write_text(f"{before}{first}\n{text}\n{LAST}{after}")


def print_written(write: Callable[[], Sequence[pathlib.Path]]) -> None:
    """Print the paths of what `write` has written, one a line.

    Raises:
      SystemExit: when the runs that it reads are missing or damaged.
    """
    try:
        paths = write()
    except RunError as error:
        raise SystemExit(str(error)) from None
    for path in paths:
        print(path)
