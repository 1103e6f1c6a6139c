"""How XLA is to use a processor."""

from __future__ import annotations

import importlib.metadata
import os

import jax

LIBRARY_OPTION = "xla_cpu_experimental_ynn_fusion_type"  # what is left to the library YNNPACK: matrix products, not sums
COMPILED_SUMS = f"{LIBRARY_OPTION}=LIBRARY_FUSION_TYPE_DOT"
WIDTH_OPTION = "xla_cpu_prefer_vector_width"
WIDTH = f"{WIDTH_OPTION}=512"  # bits, where a processor has them
KNOWN_VERSIONS = ("0.10.",)  # of jaxlib, for these two: XLA ends the process at an option that it does not know
XLA_OPTIONS = "xla_cpu_use_multi_output_fusion,xla_cpu_small_while_loop_byte_threshold=3000000,-unroll-full-max-count=32"


def use_cores(num_cores: int | None = None) -> None:
    """Give each seed of `map_seeds` a core, and compile short loops to one function each; call it before JAX first computes.

    XLA's CPU compiler runs a loop of small arrays on one core, and calls every operation of it apart: some 50 ns each, of which a
    walker's step has hundreds. So every core becomes a device; programs are dispatched by the thread that calls them (from a common
    queue two devices run at half the speed); loops that touch less than 3 MB become one compiled function, unless they have matrix
    products; sums are not handed to a library, call by call; vectors have 512 bits where a processor has them, and LLVM unrolls no loop
    of more than 32 turns, which it would do before it looks for vectors (bench/NOTES.md gives what each brings). Options that the
    environment variable XLA_FLAGS already has are left as they are. Of other devices only LLVM's unrolling is affected.

    Known: in jaxlib 0.10 the compiler ends the process ("symbolic_map.cc ... Check failed: GetNumDims()", openxla/xla issue 47367) where
    a mapped loop writes to two arrays of the same shape at the same indices (`a.at[i].set(x)`, `b.at[i].set(y)`). Keep both in one
    array, or write with `jnp.where`; or set XLA_FLAGS yourself, which halves the walkers' speed:
    "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=3000000".

    Args:
      num_cores: devices to make; by default the cores that this process may use, unless JAX was told a number before.

    Raises:
      ValueError: when num_cores is not positive.
      RuntimeError: when JAX has computed before, so that it is too late (JAX says so).

    >>> use_cores()
    """
    if num_cores is not None and num_cores < 1:
        raise ValueError(f"num_cores must be at least 1, got {num_cores}.")
    flags = os.environ.get("XLA_FLAGS", "")
    if "xla_backend_extra_options" not in flags:
        flags = f"{flags} --xla_backend_extra_options={XLA_OPTIONS}".strip()
    if importlib.metadata.version("jaxlib").startswith(KNOWN_VERSIONS):
        for option, setting in ((LIBRARY_OPTION, COMPILED_SUMS), (WIDTH_OPTION, WIDTH)):
            flags = flags if option in flags else f"{flags} --{setting}".strip()
    told = jax.config.values["jax_num_cpu_devices"]  # -1 when nobody did
    wanted = num_cores or (told if told > 0 else _available())
    if "xla_force_host_platform_device_count" not in flags and wanted != told:
        jax.config.update("jax_num_cpu_devices", wanted)
    os.environ["XLA_FLAGS"] = flags
    jax.config.update("jax_cpu_enable_async_dispatch", False)


def compiles_sums() -> bool:
    """Whether XLA's CPU compiler was told (`use_cores`) to compile sums itself: one that calls a library cannot be part of one function."""
    return COMPILED_SUMS in os.environ.get("XLA_FLAGS", "")


def _available() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
