"""One compilation for all devices.

JAX compiles a program anew for every device that it runs on. What was compiled for one core of a
processor runs on the next, bit for bit, but JAX's compilation cache keeps the two apart (on GPUs it
does not). Here they share one entry: the first device compiles, the others load what it wrote.
"""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import jax

from jaxcurriculum.device.machine import is_known_jaxlib

PATCHING = threading.Lock()


def compile_for(program: Callable, inputs: list[tuple[Any, ...]]) -> list[jax.stages.Compiled]:
    """`program`, which is jitted, for each device.

    Without a cache (`jax_compilation_cache_dir`) that can be written all devices compile side by
    side, and so they do with versions of jaxlib that were not tried.

    Args:
      inputs: its arguments on each device, all of the same shapes.
    """
    lowered = [program.lower(*arguments) for arguments in inputs]  # here: threads forget settings
    shared = is_known_jaxlib() and _keeps_programs()
    context = _one_entry_for_all_devices() if shared else contextlib.nullcontext()
    with context, ThreadPoolExecutor(len(inputs)) as pool:
        first = [one.compile() for one in lowered[: int(shared)]]
        return [*first, *pool.map(lambda one: one.compile(), lowered[int(shared) :])]


def _keeps_programs() -> bool:
    folder = jax.config.values["jax_compilation_cache_dir"]
    is_on = folder and jax.config.values["jax_enable_compilation_cache"]
    return bool(is_on) and (not os.path.exists(folder) or os.access(folder, os.W_OK))


@contextlib.contextmanager
def _one_entry_for_all_devices() -> Iterator[None]:
    """Inside, the key of a program in JAX's compilation cache does not name its device."""
    from jax._src import cache_key

    with PATCHING:
        add_options = cache_key._hash_serialized_compile_options

        def add_all_but_the_device(hash, options, strip_device_assignment=True):
            add_options(hash, options, strip_device_assignment=True)

        cache_key._hash_serialized_compile_options = add_all_but_the_device
        try:
            yield
        finally:
            cache_key._hash_serialized_compile_options = add_options
