"""What a run is asked to do, and how fields of configurations are described and overridden from
text.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import types
import typing
from collections.abc import Iterator
from typing import Any, Literal

from jaxcurriculum.configs import Config
from jaxcurriculum.runs.errors import RunError


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides a run's numbers. The field comments are the command line's help."""

    # environment, one of `jaxcurriculum list`, by default the first; simulated students have none
    env: str | None = None  # environment, see `jaxcurriculum list`, or your own as module:function
    teacher: str = "alp-gmm"  # teacher, see `jaxcurriculum list`, or your own as module:function
    student: str = "ppo"  # student, see `jaxcurriculum list`; simulated ones play no environment
    learner: str | None = None  # your own in place of PPO, as module:function
    challenge: str = "none"  # what makes the curriculum hard to find, see `jaxcurriculum list`
    knowledge: str | None = None  # what an expert tells the teacher: none, low or high
    seeds: int = 2  # independent curricula
    seed: int = 0  # the first of them; seed i of any run is the same (for equal --group)
    steps: float | None = None  # a seed's environment steps (or simulated episodes), rounded up
    evaluate_every: float | None = None  # steps between two evaluations, rounded to whole rounds
    test_set: str | None = None  # tasks of the evaluation; by default the first set that fits
    group: int | None = None  # seeds that are batched together, must divide --seeds
    set: tuple[str, ...] = ()  # fields, as teacher.exploration=0.1 student.hidden=128,128

    def __post_init__(self):
        for name, least in (
            ("seeds", 1),
            ("seed", 0),
            ("steps", 1),
            ("evaluate_every", 1),
            ("group", 1),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value < 2**31:
                raise ValueError(
                    f"--{name.replace('_', '-')} must lie between {least} and {2**31 - 1}, got"
                    f" {value:g}."
                )

    @classmethod
    def recorded(cls, config: dict[str, Any]) -> Settings:
        """The settings of a run from its config.json: every field of every configuration is
        set, so that defaults may change later.
        """
        own = [field for field in dataclasses.fields(Settings) if field.name != "set"]
        values: dict[str, Any] = {
            field.name: config.get(field.name, field.default) for field in own
        }
        fields = {
            name: value
            for name, value in config.items()
            if "." in name and name != "loop.rounds_per_evaluation"
        }
        try:
            return cls(**values, set=tuple(f"{name}={value}" for name, value in fields.items()))
        except (TypeError, ValueError) as error:
            raise RunError(f"config.json of the run is damaged: {error}.") from None


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One field of a configuration; nested ones have dotted names."""

    name: str
    type: Any
    value: Any
    meaning: str  # units included


def parameters(config: Any, prefix: str = "") -> Iterator[Parameter]:
    """Every field of a configuration instance, with its value and what it means.

    >>> [parameter.name for parameter in parameters(Settings())][:3]
    ['env', 'body', 'teacher']
    """
    comments = {} if isinstance(config, Config) else _comments(type(config))
    hints = typing.get_type_hints(type(config))
    for field in dataclasses.fields(config):
        value = getattr(config, field.name)
        if dataclasses.is_dataclass(value):
            yield from parameters(value, f"{prefix}{field.name}.")
        else:
            meaning = field.metadata.get("help", comments.get(field.name, ""))
            yield Parameter(prefix + field.name, hints[field.name], value, meaning)


def _comments(kind: type) -> dict[str, str]:
    """The comments that stand behind the fields of a plain dataclass in its source."""
    kinds = [one for one in reversed(kind.__mro__) if dataclasses.is_dataclass(one)]
    source = "\n".join(map(inspect.getsource, kinds))
    return dict(re.findall(r"^    (\w+)\s*:[^#\n]*#\s*(.*)$", source, re.MULTILINE))


def override(config: Any, section: str, changes: dict[str, str]) -> Any:
    """A copy of `config` with fields replaced by what `changes` says in text, dotted names reaching
    into nested configurations.

    Raises:
      RunError: for an unknown field, a value of the wrong type, or one that the configuration
          refuses.
    """
    known = {parameter.name: parameter for parameter in parameters(config)}
    for name in changes:
        if name not in known:
            fields = f"its fields are {', '.join(known)}" if known else "it has no fields"
            raise RunError(
                f"--set {section}.{name}: there is no field {name!r} in {type(config).__name__};"
                f" {fields}."
            )
    values = {
        name: parse(f"--set {section}.{name}", text, known[name].type)
        for name, text in changes.items()
    }
    try:
        return replace(config, values)
    except ValueError as error:
        raise RunError(str(error)) from None


def parse(name: str, text: str, kind: Any) -> Any:
    """`text` as a value of type `kind`.

    Raises:
      RunError: when it is not one.

    >>> parse("hidden", "32,32", tuple[int, ...]), parse("rate", "1e-3", float), parse("num",
    ...     "1e3", int | None)
    ((32, 32), 0.001, 1000)
    """
    if kind is str:
        return text
    if typing.get_origin(kind) is Literal and text.strip() in typing.get_args(kind):
        return text.strip()
    try:
        literal = ast.literal_eval(
            {"true": "True", "false": "False", "none": "None"}.get(text.lower(), text)
        )
    except (ValueError, SyntaxError):
        literal = text
    try:
        return _convert(literal, kind)
    except TypeError:
        raise RunError(f"{name} must be of type {readable(kind)}, got {text!r}.") from None


def readable(kind: Any) -> str:
    """The type as a person would write a value of it: without the arrays that only programs can
    give.

    >>> import jax
    >>> readable(tuple[int, ...]), readable(float | jax.Array), readable(int | Literal["random"])
    ('tuple[int, ...]', 'float', 'int | random')
    """
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        plain = [one for one in typing.get_args(kind) if not one.__module__.startswith("jax")]
        return " | ".join("None" if one is types.NoneType else readable(one) for one in plain)
    if typing.get_origin(kind) is Literal:
        return " | ".join(map(str, typing.get_args(kind)))
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)


def _convert(value: Any, kind: Any) -> Any:
    origin, arguments = typing.get_origin(kind), typing.get_args(kind)
    if origin in (typing.Union, types.UnionType):
        for one in arguments:
            try:
                return _convert(value, one)
            except TypeError:
                continue
    elif origin is tuple:
        items = (
            value.split(",")
            if isinstance(value, str)
            else value
            if isinstance(value, tuple | list)
            else (value,)
        )
        kinds = arguments[:1] * len(items) if arguments[1:] == (...,) else arguments
        if len(items) == len(kinds):
            return tuple(_convert(item, one) for item, one in zip(items, kinds))
    elif origin is Literal:
        if isinstance(value, str) and value.strip() in arguments:
            return value.strip()
    elif kind is float and type(value) is int:
        return float(value)
    elif kind is int and type(value) is float and value.is_integer():
        return int(value)
    elif kind is str and isinstance(value, str):
        return value.strip()
    elif type(value) is kind:
        return value
    raise TypeError


def replace(config: Any, values: dict[str, Any]) -> Any:
    """A copy of `config` with other `values`, dotted names reaching into nested configurations."""
    direct = {name: value for name, value in values.items() if "." not in name}
    for section in {name.split(".")[0] for name in values if "." in name}:
        inner = {
            name.removeprefix(f"{section}."): value
            for name, value in values.items()
            if name.startswith(f"{section}.")
        }
        direct[section] = replace(getattr(config, section), inner)
    return dataclasses.replace(config, **direct)
