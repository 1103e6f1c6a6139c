"""What a run is asked to do, and how the fields of configurations are listed and changed."""

from __future__ import annotations

import dataclasses
import functools
import operator
import re
import types
import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any, Literal

import tyro

from jaxcurriculum.configs import field
from jaxcurriculum.fields import LARGEST_INTEGER
from jaxcurriculum.runs.errors import RunError


def flag(metavar: str) -> Any:
    """How help shows a flag: a word for what it is given, and its default where there is one."""
    hint = lambda default: "" if default in ("None", "False", "") else f"(default: {default})"
    return tyro.conf.arg(metavar=metavar, help_behavior_hint=hint)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Settings:
    """Everything that decides a run's numbers."""

    env: Annotated[str | None, flag("NAME")] = field(
        None, help="world to practise in, or your own as module:function"
    )
    teacher: Annotated[str, flag("NAME")] = field("alp-gmm", help="who chooses, or your own")
    student: Annotated[str, flag("NAME")] = field(
        "ppo", help="who learns; simulated ones play no environment"
    )
    learner: Annotated[str | None, flag("NAME")] = field(
        None, help="your own in place of PPO or SAC: module:function of (env, num_envs)"
    )
    challenge: Annotated[str, flag("NAME")] = field(
        "none", help="what makes the curriculum hard to find"
    )
    knowledge: Annotated[str | None, flag("LEVEL")] = field(
        None, help="what an expert tells the teacher: none, low or high"
    )
    seeds: Annotated[int, flag("N")] = field(2, help="independent curricula")
    seed: Annotated[int, flag("N")] = field(
        0, help="the first of them; seed i is the same in any run"
    )
    steps: Annotated[float | None, flag("N")] = field(
        None, help="a seed's environment steps (or simulated episodes), rounded up"
    )
    evaluate_every: Annotated[float | None, flag("N")] = field(
        None, help="steps between two evaluations, rounded to whole rounds"
    )
    test_set: Annotated[str | None, flag("NAME")] = field(
        None, help="tasks of the evaluation; by default the first set that fits"
    )
    group: Annotated[int | None, flag("N")] = field(
        None, help="seeds that are batched together, must divide --seeds"
    )
    # Fields of the chosen parts' configurations, by names like "teacher.exploration".
    fields: tyro.conf.Suppress[Mapping[str, Any]] = dataclasses.field(default_factory=dict)

    def __post_init__(self):
        for name, least in (
            ("seeds", 1),
            ("seed", 0),
            ("steps", 1),
            ("evaluate_every", 1),
            ("group", 1),
        ):
            value = getattr(self, name)
            if value is not None and not least <= value <= LARGEST_INTEGER:
                flag = f"--{name.replace('_', '-')}"
                bounds = f"between {least} and {LARGEST_INTEGER}"
                raise ValueError(f"{flag} must lie {bounds}, got {value:g}.")

    @classmethod
    def recorded(cls, config: dict[str, Any]) -> Settings:
        """The settings of a run from its config.json: every field of every configuration is set, so
        that defaults may change later.
        """
        if "test_set" not in config:
            there = "go on with it by runs.train(..., resume=True), show it by runs.render(...)"
            raise RunError(f"This run was made from Python: {there} there.")
        own = [each for each in dataclasses.fields(Settings) if each.name != "fields"]
        values: dict[str, Any] = {each.name: config.get(each.name, each.default) for each in own}
        fields = {
            name: as_tuples(value)
            for name, value in config.items()
            if "." in name and name != "loop.rounds_per_evaluation"
        }
        try:
            return cls(**values, fields=fields)
        except (TypeError, ValueError) as error:
            raise RunError(f"config.json of the run is damaged: {error}.") from None


@dataclasses.dataclass(frozen=True)
class Parameter:
    """One field of a configuration; nested ones have dotted names."""

    name: str
    type: Any
    value: Any
    meaning: str  # units included
    low: float | None  # of each number that it holds, as `high`
    high: float | None
    arrays: Callable[[Any], Any] | None  # what a program can be told in place of a name


def parameters(config: Any, prefix: str = "") -> Iterator[Parameter]:
    """Every field of a configuration that a person can type, with its value and what it means.

    >>> from jaxcurriculum.rollout import RolloutConfig
    >>> [parameter.name for parameter in parameters(RolloutConfig())][:3]
    ['num_envs', 'num_steps', 'pool_size']
    """
    hints = typing.get_type_hints(type(config))
    for each in dataclasses.fields(config):
        value = getattr(config, each.name)
        if dataclasses.is_dataclass(value):
            yield from parameters(value, f"{prefix}{each.name}.")
        elif can_be_typed(hints[each.name]):
            arrays = each.metadata.get("arrays")
            yield Parameter(
                name=prefix + each.name,
                type=hints[each.name],
                value=value,
                meaning=each.metadata.get("help", ""),
                low=each.metadata.get("low"),
                high=each.metadata.get("high"),
                arrays=arrays and functools.partial(arrays, config),
            )


def override(config: Any, section: str, changes: Mapping[str, Any]) -> Any:
    """A copy of `config` with other values in the fields that `changes` names.

    Dotted names reach into nested configurations.

    Raises:
      RunError: for an unknown field, or a value that the configuration refuses.
    """
    known = [parameter.name for parameter in parameters(config)]
    for name in changes:
        if name not in known:
            fields = f"its fields are {', '.join(known)}" if known else "it has no fields"
            kind = type(config).__name__
            raise RunError(f"{section}.{name}: there is no field {name!r} in {kind}; {fields}.")
    try:
        return replace(config, changes)
    except ValueError as error:
        raise RunError(str(error) + remedy(str(error), {section: config})) from None


def remedy(message: str, configs: dict[str, Any]) -> str:
    """How to give the field of a configuration that `message` names, as in OracleConfig.step; ""
    where it names none.
    """
    if "Give it with" in message:
        return ""
    flags = [flag for section, config in configs.items() for flag in _flags(config, section)]
    # A builder in a teacher has the settings of PPO as well, of which the student's come first.
    for _, name, flag in sorted(flags, key=lambda each: (each[0], each[2].count("."))):
        if re.search(rf"\b{name}\b", message):
            return f" Give it with --{flag.replace('_', '-')}."
    return ""


def _flags(config: Any, section: str) -> Iterator[tuple[int, str, str]]:
    """How far a class is from that of a configuration, what errors about it call each of the
    fields, and their flags.
    """
    for each in dataclasses.fields(config):
        flag = f"{section}.{each.name}"
        if dataclasses.is_dataclass(inner := getattr(config, each.name)):
            yield from _flags(inner, flag)
            continue
        for distance, kind in enumerate(type(config).__mro__):
            yield distance, f"{kind.__name__}.{each.name}", flag


def replace(config: Any, values: Mapping[str, Any]) -> Any:
    """A copy of `config` with other `values`, dotted names reaching into nested configurations."""
    direct = {name: value for name, value in values.items() if "." not in name}
    for section in {name.split(".")[0] for name in values if "." in name}:
        start = f"{section}."
        inner = {name[len(start) :]: values[name] for name in values if name.startswith(start)}
        direct[section] = replace(getattr(config, section), inner)
    return dataclasses.replace(config, **direct)


def plain(kind: Any) -> Any:
    """The type of a field without the arrays that only programs can give.

    >>> import jax
    >>> plain(float | jax.Array)
    <class 'float'>
    """
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        kinds = tuple(one for one in typing.get_args(kind) if not one.__module__.startswith("jax"))
        return functools.reduce(operator.or_, kinds)
    return kind


def can_be_typed(kind: Any) -> bool:
    """Whether a person can type values of this type.

    >>> can_be_typed(tuple[int, ...] | None), can_be_typed(dict[str, int])
    (True, False)
    """
    kind = plain(kind)
    if typing.get_origin(kind) is Literal:
        return True
    if typing.get_origin(kind) in (typing.Union, types.UnionType, tuple):
        return all(can_be_typed(one) for one in typing.get_args(kind) if one is not Ellipsis)
    return kind in (bool, int, float, str, types.NoneType)


def readable(kind: Any) -> str:
    """The type as a person would write a value of it.

    >>> import jax
    >>> readable(tuple[int, ...]), readable(float | jax.Array), readable(int | Literal["random"])
    ('tuple[int, ...]', 'float', 'int | random')
    """
    kind = plain(kind)
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        each = typing.get_args(kind)
        return " | ".join("None" if one is types.NoneType else readable(one) for one in each)
    if typing.get_origin(kind) is Literal:
        return " | ".join(map(str, typing.get_args(kind)))
    return kind.__name__ if isinstance(kind, type) and not typing.get_args(kind) else str(kind)


def as_tuples(value: Any) -> Any:
    """Lists, as JSON has them, as the tuples that configurations hold."""
    return tuple(map(as_tuples, value)) if isinstance(value, list) else value
