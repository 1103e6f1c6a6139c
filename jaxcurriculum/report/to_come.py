"""What a study has planned and not yet finished."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Sequence
from typing import Any

from jaxcurriculum.runs.amounts import counted
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import naming
from jaxcurriculum.runs.store import Run

GROWING = ("seeds", "steps")  # what a study that goes on may have more of
MOST_NAMED = 12


def still_to_come(folders: Sequence[pathlib.Path]) -> list[str]:
    """A sentence on each study among `folders` that has runs to finish, or a damaged plan."""
    return [sentence for folder in folders if (sentence := _to_come(folder))]


def planned(study: pathlib.Path) -> dict[str, dict[str, Any]]:
    """How many seeds and steps each run in the plan of `study` has, by name; {} without a plan.

    Raises:
      RunError: when the plan is damaged.
    """
    path = study / "plan.json"
    try:
        with naming(path):
            cells = json.loads(path.read_text())["cells"]
        configs = {name: cell["config"] for name, cell in cells.items()}
        return {name: {each: config[each] for each in GROWING} for name, config in configs.items()}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise RunError(f"{path} is damaged: {error!r}.") from None


def _to_come(study: pathlib.Path) -> str | None:
    try:
        sizes = planned(study)
    except RunError as error:
        return f"What is still to come is not known: {error}"
    waiting = [name for name, size in sizes.items() if not _is_there(study / "runs" / name, size)]
    if not waiting:
        return None
    of_all = f"of {counted(len(sizes), 'run')}"
    return f"{study} is not finished. Still to come, {of_all}: {listed(waiting)}."


def listed(names: Sequence[str]) -> str:
    """The first of `names`, and how many more there are."""
    more = len(names) - MOST_NAMED
    return ", ".join(names[:MOST_NAMED]) + (f" and {more:,} more" if more > 0 else "")


def _is_there(path: pathlib.Path, size: dict[str, Any]) -> bool:
    """Whether the run in `path` has the planned `size`."""
    run = Run(path)
    try:
        config = run.config
    except RunError:
        return run.exists  # a damaged one is named where it is read
    return all(config[each] == size[each] for each in GROWING)
