"""Seeds over devices: independent curricula, sharded over a mesh, in groups of a fixed width.

Sums of floating-point numbers depend on the width of a batch, so seeds run in groups of `group`:
for an equal group the numbers are the same bit for bit, whatever the number of devices or of the
other seeds. For the same reason every device is given the very same single-device program instead
of one partitioned program: XLA optimises a program for two partitions differently from the same
program for one, and the last bits differ (measured). It is compiled once for all of them
(`compilation.py`). Seeds never talk to each other, so nothing is lost, and nobody waits.
"""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from jaxcurriculum.device.compilation import compile_for
from jaxcurriculum.records import PyTree

TRACING = threading.Lock()  # what one thread has traced another need not trace again


@dataclasses.dataclass(frozen=True)
class MappedSeeds:
    """A function of (state [num_seeds, ...], *shared)."""

    run: Callable[..., PyTree]
    compile: Callable[..., list[jax.stages.Compiled]]  # for such arguments; one a device

    def __call__(self, state: PyTree, *shared: Any) -> PyTree:
        return self.run(state, *shared)


def map_seeds(
    function: Callable, num_seeds: int, group: int = 1, devices: list[Any] | None = None
) -> MappedSeeds:
    """Compile `function(state, *shared)` over a leading seed axis of its state and results.

    Args:
      function: of one seed; `shared` is not mapped.
      num_seeds: leading axis of the state; a multiple of `group`.
      group: seeds that are vmapped together; the groups of a device run one after another.
      devices: all by default; as many of them are used as divide the number of groups evenly.

    Returns:
      a function of (state [num_seeds, ...], *shared), its results sharded over the devices.

    Call `use_cores` before JAX first computes, so that every CPU core is a device (the command line
    does so).

    Raises:
      ValueError: when `group` does not divide `num_seeds`, or there is no device.

    >>> double = map_seeds(lambda x, y: 2 * x + y, num_seeds=4)
    >>> double(jax.numpy.arange(4), 1).tolist()
    [1, 3, 5, 7]
    """
    if group < 1 or num_seeds < 1 or num_seeds % group:
        raise ValueError(
            f"num_seeds must be a positive multiple of group, got num_seeds={num_seeds} for"
            f" group={group}."
        )
    devices = jax.devices() if devices is None else devices
    if not devices:
        raise ValueError("devices must name at least one device, got none.")
    num_groups = num_seeds // group
    devices = devices[: max(n for n in range(1, len(devices) + 1) if num_groups % n == 0)]
    sharding = NamedSharding(Mesh(np.array(devices), ("seeds",)), PartitionSpec("seeds"))

    @jax.jit
    def program(state: PyTree, shared: tuple[Any, ...]) -> PyTree:
        def split(leaf: jax.Array) -> jax.Array:
            return leaf.reshape(len(leaf) // group, group, *leaf.shape[1:])

        def join(leaf: jax.Array) -> jax.Array:
            return leaf.reshape(len(leaf) * group, *leaf.shape[2:])

        of_group = jax.vmap(lambda one: function(one, *shared))
        return jax.tree.map(join, jax.lax.map(of_group, jax.tree.map(split, state)))

    # by the shapes of the arguments
    compiled: dict[tuple[Any, ...], list[jax.stages.Compiled]] = {}

    def inputs_of(state: PyTree, shared: tuple[Any, ...]) -> list[tuple[Any, ...]]:
        for path, leaf in jax.tree_util.tree_leaves_with_path(state):
            if leaf.shape[:1] != (num_seeds,):
                raise ValueError(
                    f"Every leaf of the state must have {num_seeds} seeds on its first axis, got"
                    f" {leaf.shape} at {path}."
                )
        state = jax.device_put(state, sharding)  # nothing if the state is of the last call
        return [(_shard(state, device), jax.device_put(shared, device)) for device in devices]

    def compiled_for(inputs: list[tuple[Any, ...]]) -> list[jax.stages.Compiled]:
        leaves, structure = jax.tree.flatten(inputs[0])
        kind = structure, *map(jax.typeof, leaves)
        with TRACING:
            if kind not in compiled:
                compiled[kind] = compile_for(program, inputs)
        return compiled[kind]

    def run(state: PyTree, *shared: Any) -> PyTree:
        inputs = inputs_of(state, shared)
        programs = compiled_for(inputs)
        with ThreadPoolExecutor(len(devices)) as pool:
            parts = list(pool.map(lambda run, arguments: run(*arguments), programs, inputs))
        return jax.tree.map(lambda *leaves: _unshard(leaves, sharding), *parts)

    return MappedSeeds(run, lambda state, *shared: compiled_for(inputs_of(state, shared)))


def _shard(tree: PyTree, device: Any) -> PyTree:
    """The part of `tree` that lies on `device`, as arrays of that device alone."""

    def part(leaf: jax.Array) -> jax.Array:
        return next(shard.data for shard in leaf.addressable_shards if shard.device == device)

    return jax.tree.map(part, tree)


def _unshard(leaves: tuple[jax.Array, ...], sharding: NamedSharding) -> jax.Array:
    shape = (sharding.mesh.size * leaves[0].shape[0], *leaves[0].shape[1:])
    return jax.make_array_from_single_device_arrays(shape, sharding, list(leaves))
