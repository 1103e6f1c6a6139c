"""Loops that differ only in arrays, as one compiled function over lanes.

A *lane* is one curriculum: a seed, and the values of the settings that are arrays. A run of one
loop has no such settings, so its lanes are its seeds.
"""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum.device.seeds import map_seeds
from jaxcurriculum.loop import Loop
from jaxcurriculum.records import PyTree


@dataclasses.dataclass(frozen=True)
class Lanes:
    """What makes each curriculum of a program its own."""

    seeds: np.ndarray  # [lanes], uint32
    values: Mapping[str, np.ndarray]  # [lanes] each, float32, by the name of the setting

    def first(self, num: int) -> Lanes:
        """The first `num` of them."""
        return Lanes(self.seeds[:num], {name: all[:num] for name, all in self.values.items()})


@dataclasses.dataclass(frozen=True)
class Program:
    """The loops `loop_at(values)`, compiled once for all values and seeds."""

    loop_at: Callable[[Mapping[str, Any]], Loop]
    num_lanes: int
    group: int  # lanes that are vmapped together
    devices: tuple[Any, ...] | None = None  # all by default

    def states(self, lanes: Lanes) -> PyTree:
        """The state of every lane before its first round, [lanes, ...]."""
        return self._init(_inputs(lanes))

    def state_shapes(self, lanes: Lanes) -> PyTree:
        """The shapes and dtypes of `states`; nothing is computed."""
        return jax.eval_shape(lambda: jax.vmap(self.init)(_inputs(lanes)))

    def run(self, lanes: Lanes, state: PyTree, round: int) -> PyTree:
        """Rounds up to the next evaluation of every lane: (state, report), [lanes, ...]."""
        return self._advance((lanes.values, state), jnp.int32(round))

    def init(self, lane: tuple[jax.Array, Mapping[str, jax.Array]]) -> PyTree:
        """The state of one lane, (seed, values), before its first round."""
        seed, values = lane
        return self.loop_at(values).init(jax.random.key(seed))

    def advance(self, lane: tuple[Mapping[str, jax.Array], PyTree], round: jax.Array) -> PyTree:
        """`Loop.advance` of one lane, (values, state)."""
        values, state = lane
        return self.loop_at(values).advance(state, round)

    @functools.cached_property
    def _init(self) -> Callable[..., PyTree]:
        return map_seeds(self.init, self.num_lanes, self.group, self._devices)

    @functools.cached_property
    def _advance(self) -> Callable[..., PyTree]:
        return map_seeds(self.advance, self.num_lanes, self.group, self._devices)

    @property
    def _devices(self) -> list[Any] | None:
        return None if self.devices is None else list(self.devices)


def _inputs(lanes: Lanes) -> tuple[jax.Array, dict[str, jax.Array]]:
    values = {name: jnp.asarray(numbers) for name, numbers in lanes.values.items()}
    return jnp.asarray(lanes.seeds), values
