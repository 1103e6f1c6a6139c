"""How XLA is to use a processor."""

from __future__ import annotations

import importlib.metadata
import os
import pathlib
import warnings

import jax

KNOWN_VERSIONS = ("0.10.",)  # of jaxlib: XLA ends the process at an option that it does not know
SPLITTING_PASS = "cpu_multi_output_fusion"  # breaks off at two writes to one place (xla 47367)
OPTIONS = {
    # A value that several loops share is computed once; short loops are one function, and LLVM
    # unrolls few.
    "xla_backend_extra_options": (
        "xla_cpu_use_multi_output_fusion,"
        "xla_cpu_small_while_loop_byte_threshold=3000000,-unroll-full-max-count=32"
    ),
    # What is left to the library YNNPACK: matrix products by themselves, not sums. With what is
    # around them it computes some wrongly (docs/decisions/compiler-options.md).
    "xla_cpu_experimental_ynn_fusion_type": "LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT",
    "xla_cpu_prefer_vector_width": "512",  # bits, where a processor has them
}
COMPILED_SUMS = "xla_cpu_experimental_ynn_fusion_type=LIBRARY_FUSION_TYPE_INDIVIDUAL_DOT"


def use_cores(num_cores: int | None = None) -> None:
    """Give each seed of `map_seeds` a core, and compile short loops to one function each.

    Call it before JAX first computes.

    XLA's CPU compiler runs a loop of small arrays on one core, and calls every operation of it
    apart: some 50 ns each, of which a walker's step has hundreds. So

    - every core becomes a device, and programs are dispatched by the thread that calls them (from a
      common queue two devices run at half the speed);
    - loops that touch less than 3 MB become one compiled function, unless they have matrix
      products;
    - what several loops need is computed once and kept, not anew in each of them;
    - sums are not handed to a library, call by call; vectors have 512 bits where a processor has
      them; LLVM unrolls no loop of more than 32 turns, which it would do before it looks for
      vectors.

    `docs/compiler.md` says what each brings. Options that the environment variable XLA_FLAGS
    already has are left as they are. Of other devices only LLVM's unrolling is affected. On a
    jaxlib that these options were not tried with they are left away, with a warning.

    Args:
      num_cores: devices to make; by default the cores that this process may use (no more than a
        container's share of the processor), unless JAX was told a number before.

    Raises:
      ValueError: when num_cores is not positive.
      RuntimeError: when JAX has computed before, so that it is too late (JAX says so).

    >>> use_cores()
    """
    if num_cores is not None and num_cores < 1:
        raise ValueError(f"num_cores must be at least 1, got {num_cores}.")
    flags = os.environ.get("XLA_FLAGS", "")
    told = jax.config.values["jax_num_cpu_devices"]  # -1 when nobody did
    wanted = num_cores or (told if told > 0 else available_cores())
    if "xla_force_host_platform_device_count" not in flags and wanted != told:
        jax.config.update("jax_num_cpu_devices", wanted)
    os.environ["XLA_FLAGS"] = _with_options(flags)
    jax.config.update("jax_cpu_enable_async_dispatch", False)


def _with_options(flags: str) -> str:
    """`flags` and what they do not say yet, as far as this jaxlib is known."""
    if not is_known_jaxlib():
        warnings.warn(
            f"jaxlib {importlib.metadata.version('jaxlib')} is not one that jaxcurriculum was tried"
            " with: compiler options are left away, and walkers on a CPU may run at half the"
            " speed.",
            RuntimeWarning,
            stacklevel=3,
        )
        return flags
    added = [f"--{name}={value}" for name, value in OPTIONS.items() if name not in flags]
    if SPLITTING_PASS not in flags:  # XLA adds up the passes that several such options name
        added.append(f"--xla_disable_hlo_passes={SPLITTING_PASS}")
    return " ".join([*flags.split(), *added])


def is_known_jaxlib() -> bool:
    """Whether the compiler is one that the options, and private parts of JAX, were tried with."""
    return importlib.metadata.version("jaxlib").startswith(KNOWN_VERSIONS)


def compiles_sums() -> bool:
    """Whether XLA's CPU compiler was told (`use_cores`) to compile sums itself.

    One that calls a library cannot be part of one function.
    """
    return COMPILED_SUMS in os.environ.get("XLA_FLAGS", "")


def available_cores(root: pathlib.Path = pathlib.Path("/")) -> int:
    """How many cores this process may keep busy: those it is bound to, or a container's share."""
    bound = os.cpu_count() or 1
    if hasattr(os, "sched_getaffinity"):
        bound = len(os.sched_getaffinity(0))
    return max(1, min([bound, *(int(share) for share in _shares(root))]))


def _shares(root: pathlib.Path) -> list[float]:
    """The limits, in cores, of the control groups (of version 1 and 2) that this process is in."""
    shares = []
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    for _, controllers, path in (line.split(":", 2) for line in lines):
        if controllers in ("", "cpu", "cpu,cpuacct"):
            mount = root / "sys/fs/cgroup" / controllers
            group = mount / path.lstrip("/")
            folders = [path for path in (group, *group.parents) if path.is_relative_to(mount)]
            shares += [share for share in map(_share, folders) if share is not None]
    return shares


def _share(folder: pathlib.Path) -> float | None:
    """Quota over period of one control group; None where there is no limit."""
    for names in (("cpu.max",), ("cpu.cfs_quota_us", "cpu.cfs_period_us")):
        try:
            quota, period = " ".join((folder / name).read_text() for name in names).split()
            return int(quota) / int(period) if int(quota) > 0 else None
        except (OSError, ValueError):  # no such file; "max" stands for no limit
            continue
    return None
