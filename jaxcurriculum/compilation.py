"""One compilation for all devices.

JAX compiles a program anew for every device that it runs on. What was compiled for one core of a
processor runs on the next, bit for bit, but JAX's compilation cache keeps the two apart (on GPUs it
does not). Here they share one entry: the first device compiles, the others load what it wrote.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax
from jax._src import cache_key

from jaxcurriculum.machine import is_known_jaxlib


def compile_for(program: Callable, inputs: list[tuple[Any, ...]]) -> list[jax.stages.Compiled]:
    """`program`, which is jitted, for each device.

    Without a cache (`jax_compilation_cache_dir`) all devices compile side by side.

    Args:
      inputs: its arguments on each device, all of the same shapes.
    """
    lowered = [program.lower(*arguments) for arguments in inputs]  # here: threads forget settings
    num_first = 1 if jax.config.values["jax_compilation_cache_dir"] and is_known_jaxlib() else 0
    with _one_entry_for_all_devices(), ThreadPoolExecutor(len(inputs)) as pool:
        first = [one.compile() for one in lowered[:num_first]]
        return [*first, *pool.map(lambda one: one.compile(), lowered[num_first:])]


@contextlib.contextmanager
def _one_entry_for_all_devices() -> Iterator[None]:
    """Inside, the key of a program in JAX's compilation cache does not name its device."""
    add_options = cache_key._hash_serialized_compile_options

    def add_all_but_the_device(hash, options, strip_device_assignment=True):
        add_options(hash, options, strip_device_assignment=True)

    cache_key._hash_serialized_compile_options = add_all_but_the_device
    try:
        yield
    finally:
        cache_key._hash_serialized_compile_options = add_options
