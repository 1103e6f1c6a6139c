"""Functions of one's own in place of a line of a table, by the name "module:function".

Their parameters that have defaults become flags: `--env.length 12` for `def corridor(length=8)`.
"""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import importlib
import inspect
import sys
import types
import typing
from collections.abc import Callable
from inspect import Parameter
from typing import Any, NamedTuple

from jaxcurriculum.cli.settings import can_be_typed
from jaxcurriculum.cli.tables.parts import EnvironmentPart, Nothing, Part, TeacherPart
from jaxcurriculum.runs.errors import RunError


class Kind(NamedTuple):
    """What the functions of one kind are given; all their other parameters have defaults."""

    words: str
    num_given: int


KINDS = {
    "env": Kind("no argument", 0),
    "teacher": Kind("the task space", 1),
    "learner": Kind("(env, num_envs)", 2),
}


@dataclasses.dataclass(frozen=True)
class Own:
    """A function of one's own that makes an environment, a teacher or a learner."""

    kind: str
    name: str
    function: Callable[..., Any]

    @property
    def part(self) -> Part:
        """A line of a table for it."""
        told = {"description": self.description, "config": self.config, "make": self.make}
        if self.kind == "teacher":
            return TeacherPart(**told, takes_levels=True)
        return (EnvironmentPart if self.kind == "env" else Part)(**told)

    @property
    def description(self) -> str:
        """Its signature, and what it says of itself."""
        signature = f"{self.name.partition(':')[2]}{inspect.signature(self.function)}"
        return "\n".join([signature, inspect.getdoc(self.function) or ""]).rstrip()

    @functools.cached_property
    def config(self) -> Any:
        """Its parameters that can be typed, with their defaults, as a dataclass."""
        if not self._defaults:
            return Nothing()
        if self._takes_a_config:
            return next(iter(self._defaults.values()))
        hints = _hints(self.function)
        fields = [
            (name, hints.get(name, _type_of(default)), _field(default))
            for name, default in self._defaults.items()
        ]
        return dataclasses.make_dataclass(self.name.partition(":")[2], fields)()

    def make(self, *given_and_config: Any) -> Any:
        """What it makes of what it is given; its configuration comes last.

        Raises:
          RunError: when it takes other arguments.
        """
        *given, config = given_and_config
        named = {each.name: getattr(config, each.name) for each in dataclasses.fields(config)}
        if self._takes_a_config:
            named = dict.fromkeys(self._defaults, config)
        try:
            inspect.signature(self.function).bind(*given, **named)
        except TypeError:
            takes = f"a function of {KINDS[self.kind].words}, its other parameters with defaults"
            raise RunError(f"--{self.kind} {self.name}: it must be {takes}.") from None
        return self.function(*given, **named)

    @property
    def _takes_a_config(self) -> bool:
        return [*map(dataclasses.is_dataclass, self._defaults.values())] == [True]

    @functools.cached_property
    def _defaults(self) -> dict[str, Any]:
        """The defaults of the parameters that can be typed, beside those that are given."""
        hints, num_given = _hints(self.function), KINDS[self.kind].num_given
        defaults = {}
        for each in _parameters(self.function)[num_given:]:
            default = _default(each, hints)
            kind = hints.get(each.name, _type_of(default))
            if default is Parameter.empty or kind is types.NoneType:
                continue
            if dataclasses.is_dataclass(default) or can_be_typed(kind):
                defaults[each.name] = default
        return defaults


def own(name: str, kind: str | None = None, asked: str = "") -> Own:
    """The function that `name` stands for.

    Where it is not told, the `kind` follows from how many parameters have no default. Errors speak
    of what was `asked`, by default of a flag.

    Raises:
      RunError: when there is no such function, or none that makes a role.
    """
    function = imported(name, asked or (f"--{kind} {name}" if kind else name))
    if kind is None:
        hints = _hints(function)
        needed = [_default(each, hints) is Parameter.empty for each in _parameters(function)]
        known = {kind.num_given: name for name, kind in KINDS.items()}
        if sum(needed) not in known:
            takes = "; ".join(f"{name}: {kind.words}" for name, kind in KINDS.items())
            raise RunError(f"{name} makes no role: of what needs no default, it takes ({takes}).")
        kind = known[sum(needed)]
    return Own(kind, name, function)


def imported(name: str, asked: str) -> Callable[..., Any]:
    """The function that `name` ("module:function") stands for.

    Modules are also looked for in the folder in which the command was started.

    Raises:
      RunError: when there is no such module or function, in a sentence on what was `asked`.
    """
    module, _, function = name.partition(":")
    if not (module and function) or module.endswith(".py"):
        raise RunError(f"{asked}: name it as module:function, without .py.")
    if "" not in sys.path:
        sys.path.insert(0, "")
    try:
        found = getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        raise RunError(f"{asked}: {error}.") from None
    except AttributeError:
        raise RunError(f"{asked}: {module} has no {function!r}.") from None
    if not callable(found):
        raise RunError(f"{asked}: {function} must be a function, got {found!r:.80}.")
    return found


def _parameters(function: Callable[..., Any]) -> list[Parameter]:
    """All but *args and **kwargs."""
    known = inspect.signature(function).parameters.values()
    return [each for each in known if each.kind not in (each.VAR_POSITIONAL, each.VAR_KEYWORD)]


def _default(parameter: Parameter, hints: dict[str, Any]) -> Any:
    """The default of a parameter; without one, that of the dataclass that annotates it."""
    kind: Any = hints.get(parameter.name)
    if parameter.default is Parameter.empty and isinstance(kind, type):
        with contextlib.suppress(TypeError):  # where a field of the dataclass has no default
            return kind() if dataclasses.is_dataclass(kind) else Parameter.empty
    return parameter.default


def _type_of(default: Any) -> Any:
    """What a parameter without annotation holds, by its default."""
    if isinstance(default, tuple):
        return tuple[tuple(map(_type_of, default))]
    return type(default)


def _field(default: Any) -> Any:
    return dataclasses.field(default_factory=lambda: default)


def _hints(function: Callable[..., Any]) -> dict[str, Any]:
    """The annotations of a function; none where they name what only type checkers know."""
    try:
        return typing.get_type_hints(function)
    except (NameError, TypeError):
        return {}
