"""Settings that a search may choose: those that are arrays to the compiled program."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from typing import TypeVar

import jax
import jax.numpy as jnp

from jaxcurriculum.configs import Config, alternatives

Settings = TypeVar("Settings", bound=Config)


def with_values(config: Settings, values: Mapping[str, jax.Array]) -> Settings:
    """`config` with other values of some settings, [] each; dotted names reach into nested ones.

    Settings that are integers get the nearest one.

    Raises:
      ValueError: when there is no such setting, or it decides the program (its shapes, say), so
        that configurations with different values cannot share one.

    >>> from jaxcurriculum.teachers import AlpGmmConfig
    >>> with_values(AlpGmmConfig(), {"exploration": jnp.float32(0.5)}).exploration.item()
    0.5
    """
    kinds = typing.get_type_hints(type(config))
    searchable = sorted(name for name, kind in kinds.items() if jax.Array in alternatives(kind))
    changed, nested = {}, {}
    for name, value in values.items():
        outer, _, inner = name.partition(".")
        if inner and dataclasses.is_dataclass(getattr(config, outer, None)):
            nested.setdefault(outer, {})[inner] = value
            continue
        if name not in searchable:
            why = "decides the program" if name in kinds else "is no setting"
            raise ValueError(
                f"{type(config).__name__}.{name} {why}; those that can be searched are"
                f" {', '.join(searchable) or 'none'}."
            )
        is_integer = int in alternatives(kinds[name])
        changed[name] = jnp.round(value).astype(jnp.int32) if is_integer else value
    within = {name: with_values(getattr(config, name), inner) for name, inner in nested.items()}
    return dataclasses.replace(config, **changed, **within)
