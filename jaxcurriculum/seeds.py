"""Seeds over devices: independent curricula, sharded over a mesh, in groups of a fixed width.

Sums of floating-point numbers depend on the width of a batch, so seeds run in groups of `group`: for an equal group the numbers
are the same bit for bit, whatever the number of devices or of the other seeds.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import jax
import numpy as np
from jax.sharding import Mesh, NamedSharding, PartitionSpec


def map_seeds(function: Callable, num_seeds: int, group: int = 1, devices: list[jax.Device] | None = None) -> Callable:
    """Jit `function(state, *shared)` over a leading seed axis of `state` and of its results; `shared` is not mapped.

    Args:
      function: of one seed.
      num_seeds: leading axis of the state; a multiple of `group`.
      group: seeds that are vmapped together; the groups of a device run one after another.
      devices: all by default. As many as divide the number of groups evenly are used.

    Raises:
      ValueError: when `group` does not divide `num_seeds`.
    """
    if group < 1 or num_seeds % group:
        raise ValueError(f"num_seeds must be a positive multiple of group, got num_seeds={num_seeds} for group={group}.")
    devices = jax.devices() if devices is None else devices
    num_groups = num_seeds // group
    num_devices = max(n for n in range(1, len(devices) + 1) if num_groups % n == 0)
    mesh = Mesh(np.array(devices[:num_devices]), ("seeds",))

    def on_device(state, *shared):
        of_group = jax.vmap(lambda one: function(one, *shared))
        grouped = jax.tree.map(lambda leaf: leaf.reshape(-1, group, *leaf.shape[1:]), state)
        result = jax.lax.map(of_group, grouped)
        return jax.tree.map(lambda leaf: leaf.reshape(-1, *leaf.shape[2:]), result)

    def sharded(state, *shared):
        specs = (PartitionSpec("seeds"), *(PartitionSpec() for _ in shared))
        return jax.shard_map(on_device, mesh=mesh, in_specs=specs, out_specs=PartitionSpec("seeds"), check_vma=False)(state, *shared)

    # Stated on both sides, so that a fresh state and one that comes back from the last call share one compilation.
    per_seed, replicated = NamedSharding(mesh, PartitionSpec("seeds")), NamedSharding(mesh, PartitionSpec())
    num_shared = len(inspect.signature(function).parameters) - 1
    return jax.jit(sharded, in_shardings=(per_seed, *[replicated] * num_shared), out_shardings=per_seed)
