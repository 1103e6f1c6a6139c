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

from jaxcurriculum.device.seeds import MappedSeeds, map_seeds
from jaxcurriculum.loop import Loop
from jaxcurriculum.records import PyTree


@dataclasses.dataclass(frozen=True)
class Lanes:
    """What makes each curriculum of a program its own."""

    seeds: np.ndarray  # [lanes], uint32
    values: Mapping[str, PyTree]  # [lanes, ...] each, by the name of the setting


@dataclasses.dataclass(frozen=True)
class Program:
    """Loops that differ in arrays alone, compiled once for all of them and all seeds."""

    init: Callable[..., PyTree]  # ((seed, values)) -> the state of one lane before its first round
    # ((values, state), round) -> (state, report), `Loop.advance` of one lane
    advance: Callable[..., PyTree]
    num_lanes: int
    group: int  # lanes that are vmapped together
    devices: tuple[Any, ...] | None = None  # all by default

    @classmethod
    def of(
        cls, loop_at: Callable[[Mapping[str, PyTree]], Loop], num_lanes: int, group: int
    ) -> Program:
        """The program of the loops that `loop_at` makes of values."""

        def init(lane: tuple[jax.Array, Mapping[str, PyTree]]) -> PyTree:
            seed, values = lane
            return loop_at(values).init(jax.random.key(seed))

        def advance(lane: tuple[Mapping[str, PyTree], PyTree], round: jax.Array) -> PyTree:
            values, state = lane
            return loop_at(values).advance(state, round)

        return cls(init, advance, num_lanes, group)

    def traced_once(self) -> Program:
        """The same, traced only once however many devices it is compiled for, one by one."""
        return dataclasses.replace(self, init=jax.jit(self.init), advance=jax.jit(self.advance))

    def on(self, device: Any) -> Program:
        """The same on one device."""
        return dataclasses.replace(self, devices=(device,))

    def states(self, lanes: Lanes) -> PyTree:
        """The state of every lane before its first round, [lanes, ...]."""
        return self._init(_inputs(lanes))

    def state_shapes(self, lanes: Lanes) -> PyTree:
        """The shapes and dtypes of `states`; nothing is computed."""
        return jax.eval_shape(lambda: jax.vmap(self.init)(_inputs(lanes)))

    def run(self, lanes: Lanes, state: PyTree, round: int) -> PyTree:
        """Rounds up to the next evaluation of every lane: (state, report), [lanes, ...]."""
        return self._advance((lanes.values, state), jnp.int32(round))

    def compile(self, lanes: Lanes) -> None:
        """Compile what `states` and `run` need, so that neither does so later."""
        self._advance.compile((lanes.values, self.states(lanes)), jnp.int32(0))

    @functools.cached_property
    def _init(self) -> MappedSeeds:
        return map_seeds(self.init, self.num_lanes, self.group, self._devices)

    @functools.cached_property
    def _advance(self) -> MappedSeeds:
        return map_seeds(self.advance, self.num_lanes, self.group, self._devices)

    @property
    def _devices(self) -> list[Any] | None:
        return None if self.devices is None else list(self.devices)


def _inputs(lanes: Lanes) -> tuple[jax.Array, Mapping[str, PyTree]]:
    return jnp.asarray(lanes.seeds), jax.tree.map(jnp.asarray, lanes.values)
