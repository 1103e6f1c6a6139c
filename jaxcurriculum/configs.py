"""Configurations: each field is declared once, with its default, its bounds and what it means.

    @dataclasses.dataclass(frozen=True, kw_only=True)
    class MyConfig(Config):
        history: int = field(20_000, low=1, help="episodes remembered")
        exploration: Swept = field(0.2, low=0, high=1, help="share of random tasks")

A field of a type that `_rule` does not know is left alone, and so is one that `field` did not
declare.
"""

from __future__ import annotations

import dataclasses
import functools
import math
import types
import typing
from collections.abc import Callable, Mapping
from typing import Annotated, Any, Literal, NamedTuple

import jax
import numpy as np

from jaxcurriculum.fields import (
    LARGEST_INTEGER,
    are_numbers,
    as_float,
    is_integer,
    is_number,
    is_number_or_array,
    is_range,
)

Swept = float | jax.Array  # a number; or an array of them, over which a sweep maps
SweptPair = tuple[float, float] | jax.Array  # two numbers; or an array [2] of them, as `Swept`
Bounds = tuple[float | None, float | None]  # least and largest value; None: any
Range = Annotated[tuple[float, float], "low < high"]  # other pairs may be equal or fall


def field(
    default: Any = dataclasses.MISSING,
    *,
    default_factory: Any = dataclasses.MISSING,
    help: str,
    low: float | None = None,
    high: float | None = None,
    arrays: Callable[[Any, Any], Any] | None = None,
) -> Any:
    """A field of a `Config`: what it means, units included, and its bounds, both of them included.

    The bounds are those of each number where the field holds several. Where it holds a name,
    `arrays` of the configuration and the name may say what a compiled program can be told in its
    place: a pytree of arrays, or None for one that makes a program of its own.
    """
    told = {"help": help, "low": low, "high": high, "arrays": arrays}
    return dataclasses.field(default=default, default_factory=default_factory, metadata=told)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Config:
    """Settings of anything. Every declared field is checked as soon as they are made.

    A class with rules between its fields checks them in its own `__post_init__`, after this one.
    """

    def __post_init__(self):
        check_fields(self)


class Rule(NamedTuple):
    """What the values of one type must be, in words, and whether one is that."""

    words: str
    holds: Callable[[Any], bool]


def check_fields(config: Any) -> None:
    """Check every declared field by its type and bounds; integers become floats where floats are.

    Raises:
      ValueError: naming the first field that does not hold what it must, the rule and the value.

    >>> @dataclasses.dataclass(frozen=True, kw_only=True)
    ... class Example(Config):
    ...     size: int = field(3, low=1, help="rows")
    >>> Example(size=0)
    Traceback (most recent call last):
        ...
    ValueError: Example.size must be an integer from 1 to 2147483647, got 0.
    """
    for name, (_, holds_floats) in _rules(type(config)).items():
        value = getattr(config, name)
        check_field(type(config), name, value)
        if holds_floats:
            object.__setattr__(config, name, as_float(value))  # it is frozen once it is made


def check_field(config: type, name: str, value: Any) -> None:
    """Check what one declared field of the class `config` is to hold, whatever the others do.

    Raises:
      ValueError: as `check_fields`.
    """
    rules, _ = _rules(config).get(name, ([], False))
    if rules and not any(rule.holds(value) for rule in rules):
        words = _listed([rule.words for rule in rules if rule.words])
        raise ValueError(f"{config.__name__}.{name} must be {words}, got {value!r}.")


def named_fields(config: Any) -> dict[str, Any]:
    """The values of a configuration by name, those of nested ones by dotted names.

    A configuration is a dataclass, a mapping of names to values, or None: nothing.

    >>> from jaxcurriculum.rollout import RolloutConfig
    >>> named_fields({"share": 0.5, "rollout": RolloutConfig()})["rollout.num_envs"]
    256
    """
    if dataclasses.is_dataclass(config):
        config = {each.name: getattr(config, each.name) for each in dataclasses.fields(config)}
    values = {}
    for name, value in (config or {}).items():
        if dataclasses.is_dataclass(value) or isinstance(value, Mapping):
            values |= {f"{name}.{inner}": one for inner, one in named_fields(value).items()}
        else:
            values[name] = value
    return values


def bounds_of(config: Any) -> dict[str, Bounds]:
    """The bounds of the fields of a configuration that were declared with any; an open one is None.

    Of what is no dataclass nothing is known.

    >>> from jaxcurriculum.rollout import RolloutConfig
    >>> bounds_of(RolloutConfig())["num_envs"]
    (1, None)
    """
    if not dataclasses.is_dataclass(config):
        return {}
    bounds = {
        each.name: (each.metadata.get("low"), each.metadata.get("high"))
        for each in dataclasses.fields(config)
    }
    return {name: pair for name, pair in bounds.items() if pair != (None, None)}


def alternatives(kind: Any) -> tuple[Any, ...]:
    """The types that a field of the type `kind` may have.

    >>> alternatives(int | None), alternatives(int)
    ((<class 'int'>, <class 'NoneType'>), (<class 'int'>,))
    """
    is_union = typing.get_origin(kind) in (typing.Union, types.UnionType)
    return typing.get_args(kind) if is_union else (kind,)


@functools.cache
def _rules(config: type) -> dict[str, tuple[list[Rule], bool]]:
    """Each field that can be checked: its rules, one of which must hold; whether it has floats."""
    found = {}
    hints = typing.get_type_hints(config, include_extras=True)
    for declared in dataclasses.fields(config):
        if "help" not in declared.metadata:
            continue
        kinds = alternatives(hints[declared.name])
        low, high = declared.metadata["low"], declared.metadata["high"]
        rules = [rule for kind in kinds if (rule := _rule(kind, low, high)) is not None]
        if len(rules) == len(kinds):
            found[declared.name] = rules, any(_holds_floats(kind) for kind in kinds)
    return found


def _rule(kind: Any, low: float | None, high: float | None) -> Rule | None:
    """The rule of values of one type between two bounds; None for types that are left alone."""
    known = _rules_of_numbers(low, high) | _rules_of_integers(low, high) | RULES
    if kind in known:
        return known[kind]
    if typing.get_origin(kind) is Literal:
        return _choice(typing.get_args(kind))
    if isinstance(kind, type) and issubclass(kind, Config):
        return Rule(f"of the type {kind.__name__}", lambda value: isinstance(value, kind))
    return None


RULES = {
    bool: Rule("True or False", lambda value: isinstance(value, bool | np.bool_)),
    types.NoneType: Rule("None", lambda value: value is None),
    str: Rule("a text", lambda value: isinstance(value, str)),
    Range: Rule("(low, high), finite with low < high in float32", is_range),
}


def _rules_of_numbers(low: float | None, high: float | None) -> dict[Any, Rule]:
    bounds = (-math.inf if low is None else low, math.inf if high is None else high)
    words = between(low, high)

    def are_within(values: Any) -> bool:
        return are_numbers(values, *bounds)

    def is_array(value: Any) -> bool:
        return isinstance(value, jax.Array) and is_number_or_array(value, *bounds)

    def are_two(values: Any) -> bool:
        return are_within(values) and len(values) == 2

    return {
        float: Rule(f"a finite number{words}", lambda value: is_number(value, *bounds)),
        jax.Array: Rule("", is_array),  # who gives one knows that it may be one
        tuple[float, ...]: Rule(f"a tuple of finite numbers{words}", are_within),
        tuple[float, float]: Rule(f"two finite numbers{words}", are_two),
    }


def _rules_of_integers(low: float | None, high: float | None) -> dict[Any, Rule]:
    least = -LARGEST_INTEGER if low is None else int(low)
    most = LARGEST_INTEGER if high is None else int(high)

    def is_within(value: Any) -> bool:
        return is_integer(value, least, most)

    def are_within(values: Any) -> bool:
        return isinstance(values, tuple | list) and len(values) > 0 and all(map(is_within, values))

    return {
        int: Rule(f"an integer from {least} to {most}", is_within),
        tuple[int, ...]: Rule(f"a tuple of integers from {least} to {most}", are_within),
    }


def _choice(choices: tuple[Any, ...]) -> Rule:
    def holds(value: Any) -> bool:
        return any(isinstance(value, type(choice)) and value == choice for choice in choices)

    words = [f'"{choice}"' if isinstance(choice, str) else repr(choice) for choice in choices]
    return Rule(_listed(words), holds)


def _holds_floats(kind: Any) -> bool:
    return kind in (float, Range, tuple[float, ...], tuple[float, float])


def between(low: float | None, high: float | None) -> str:
    """The bounds of a number in words, to stand after `a finite number`."""
    if low is not None and high is not None:
        return f" between {low:g} and {high:g}"
    if low is not None:
        return f" of at least {low:g}"
    return "" if high is None else f" of at most {high:g}"


def _listed(words: list[str]) -> str:
    """The words as a sentence has them: "a, b or c"."""
    return " or ".join([", ".join(words[:-1]), words[-1]] if len(words) > 1 else words)
