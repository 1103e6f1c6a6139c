"""A flag for every field of the parts that a command names, made from their configurations.

    train --teacher alp-gmm --teacher.exploration 0.1 --student ppo --student.hidden 128 128

Which parts are chosen is read first; their configurations then become nested arguments of one
dataclass, which tyro parses and explains.
"""

from __future__ import annotations

import argparse
import dataclasses
import typing
from typing import Annotated, Any

import tyro

from jaxcurriculum.cli.settings import Settings, can_be_typed, plain

CHOICES = ("env", "teacher", "student", "learner", "challenge")


def choices(arguments: list[str], settings: Settings) -> Settings:
    """`settings` with the parts that `arguments` name."""
    parser = argparse.ArgumentParser(add_help=False, allow_abbrev=False, exit_on_error=False)
    for name in CHOICES:
        parser.add_argument(f"--{name}", default=getattr(settings, name))
    try:
        known, _ = parser.parse_known_args(arguments)
    except argparse.ArgumentError:
        return settings  # a flag without its value: tyro says so
    return dataclasses.replace(settings, **vars(known))


def shown(arguments: list[str], configs: dict[str, Any]) -> dict[str, Any]:
    """The sections whose flags are parsed: all, but when help is asked for those that are named."""
    if not {"-h", "--help"} & {*arguments}:
        return configs
    named = {argument.partition("=")[0].removeprefix("--") for argument in arguments}
    return {section: config for section, config in configs.items() if section in named}


def with_sections(command: type, configs: dict[str, Any]) -> type:
    """`command`, a dataclass, with a nested argument for each of `configs`, by section."""
    sections = [
        (held(section), Annotated[type(mirror), tyro.conf.arg(name=section)], mirror)
        for section, config in configs.items()
        if dataclasses.fields(mirror := as_flags(config))
    ]
    fields = [(name, kind, dataclasses.field(default=value)) for name, kind, value in sections]
    made = dataclasses.make_dataclass(
        command.__name__, fields, bases=(command,), frozen=True, kw_only=True
    )
    made.__doc__ = command.__doc__
    return made


def held(section: str) -> str:
    """Where a parsed command holds the fields of a section."""
    return f"{section}_fields"


def as_flags(config: Any) -> Any:
    """`config` as an unchecked dataclass of what a person can type, nested ones alike."""
    hints = typing.get_type_hints(type(config))
    fields = []
    for each in dataclasses.fields(config):
        value, kind = getattr(config, each.name), plain(hints[each.name])
        if dataclasses.is_dataclass(value):
            value = as_flags(value)
            kind = type(value)
        elif not can_be_typed(kind):
            continue
        help = {"help": each.metadata.get("help", "")}
        fields.append((each.name, kind, dataclasses.field(default=value, metadata=help)))
    made = dataclasses.make_dataclass(type(config).__name__, fields, frozen=True, kw_only=True)
    made.__doc__ = type(config).__doc__
    return made()


def typed_fields(arguments: list[str], command: Any, sections: list[str]) -> dict[str, Any]:
    """The fields that `arguments` give, by names like "teacher.exploration", as parsed."""
    given = {}
    for argument in arguments:
        name = argument.partition("=")[0].removeprefix("--").replace("-", "_")
        section, _, field = name.partition(".")
        if not argument.startswith("--") or section not in sections or not field:
            continue
        *outer, last = field.split(".")
        holder = getattr(command, held(section))
        for part in outer:
            holder = getattr(holder, part)
        last = last if hasattr(holder, last) else last.removeprefix("no_")
        given[".".join([section, *outer, last])] = getattr(holder, last)
    return given
