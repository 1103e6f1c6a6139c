"""Studies as files: TOML whose keys are the fields of `Study`, a table for the settings of a part.

teachers = ["random", "alp-gmm"]
students = ["toy-grid"]
seeds = 8

[alp-gmm]
exploration = [0.1, 0.2]
"""

from __future__ import annotations

import dataclasses
import pathlib
import re
import tomllib
from typing import Any

from jaxcurriculum.configs import named_fields
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import naming
from jaxcurriculum.study.cells import TABLES, cells_of, check_name
from jaxcurriculum.study.study import Study, StudyError

HEADER = re.compile(r"\s*\[+(?P<key>[^\[\]]+)\]+\s*(#.*)?$")
ENTRY = re.compile(r"\s*(?P<key>[\w.\-\"': ]+?)\s*=")
# What may have a table of settings.
PARTS = {name for kind in TABLES if kind != "knowledge" for name in TABLES[kind]} - {"none"}
PARTS |= {"loop"}


def read_study(path: pathlib.Path) -> Study:
    """The study that the file `path` says.

    Raises:
      RunError: when it cannot be read; naming the line of what is no part of a study.
    """
    if path.suffix == ".py":
        rule = "a study file is TOML; a program calls `jaxcurriculum.study.run_study`"
        raise RunError(f"{path} is a Python program: {rule}.")
    try:
        with naming(path):
            text = path.read_text(encoding="utf-8-sig")  # some editors begin with a mark
        content = tomllib.loads(text)
    except FileNotFoundError:
        raise RunError(f"There is no file {path}.") from None
    except UnicodeDecodeError:
        raise RunError(f"{path} is not text in UTF-8.") from None
    except tomllib.TOMLDecodeError as error:
        raise RunError(f"{path}: {error}.") from None
    if not content:
        raise RunError(f"{path} says no study: name teachers, students and what else it is about.")
    try:
        study = _study(content)
        cells_of(study)
    except StudyError as error:
        line = line_of(text, error.key, error.value)
        where = f"{path}, line {line}" if line else str(path)
        raise RunError(f"{where}: {error}") from None
    return study


def _study(content: dict[str, Any]) -> Study:
    known = [each.name for each in dataclasses.fields(Study) if each.name != "settings"]
    values, settings = {}, {}
    for name, value in content.items():
        if isinstance(value, dict):
            settings[name] = {each: _with_none(one) for each, one in named_fields(value).items()}
            continue
        if name in PARTS:
            raise StudyError(f"the settings of {name} are a table: [{name}].", (name,))
        check_name("entry", name, known, (name,))
        if value == []:
            raise StudyError(f"{name} is empty: name at least one, or leave it out.", (name,))
        values[name] = tuple(value) if isinstance(value, list) else value
        check_value(name, values[name])
    return Study(**values, settings=settings)


def _with_none(value: Any) -> Any:
    """`value` with None for "None", as the command line has it: TOML cannot say it."""
    if isinstance(value, list):
        return [_with_none(one) for one in value]
    return None if value == "None" else value


def check_value(name: str, value: Any) -> None:
    """Check what one field of a study is told.

    Raises:
      StudyError: when it cannot be that.
    """
    try:
        Study(**{name: value})
    except ValueError as error:
        raise StudyError(str(error), (name,), value) from None


def line_of(text: str, key: tuple[str, ...], value: Any = None) -> int | None:
    """The line, from 1, at which a TOML file gives `key`, or there one of its values; of a key that
    has no line of its own, that of the table that holds it.

    >>> line_of('[alp-gmm]\\nexploration = [\\n  0.1,\\n]', ("alp-gmm", "exploration"))
    2
    >>> line_of('[alp-gmm]\\nexploration = [\\n  0.1,\\n]', ("alp-gmm", "exploration"), 0.1)
    2
    """
    wanted, table, found = ".".join(key), "", None
    lines = text.splitlines()
    for number, line in enumerate(lines, start=1):
        here = None
        if _is_whole(lines[: number - 1]):  # else within a list or a text of several lines
            if header := HEADER.match(line):
                here = _plain(header["key"])
                table = f"{here}."
            elif entry := ENTRY.match(line):
                here = table + _plain(entry["key"])
        if found is None and here and f"{here}.".startswith(f"{wanted}."):
            found = number
        if found and (value is None or f'"{value}"' in line or f"'{value}'" in line):
            return number
    if found is None and "." in wanted:
        return line_of(text, tuple(wanted.split(".")[:-1]))
    return found


def _is_whole(lines: list[str]) -> bool:
    """Whether these lines of a TOML file end where an entry does."""
    try:
        tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError:
        return False
    return True


def _plain(key: str) -> str:
    """A key without quotes and spaces."""
    return re.sub(r"[\"' ]", "", key)
