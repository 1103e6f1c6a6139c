"""What every bench uses: pinning to cores, timing, memory, versions."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Callable
from typing import Any


def pin(num_cores: int) -> None:
    """Keep this process on the last `num_cores` of its cores.

    Uses JAX on them as the command line does; call it before JAX computes.
    """
    from jaxcurriculum import use_cores

    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[-num_cores:])
    use_cores(num_cores)


def seconds(function: Callable[[], Any], repeats: int = 5) -> float:
    """The shortest of `repeats` calls, after one that is not counted; waits for the device."""
    _timed(function)
    return min(_timed(function) for _ in range(repeats))


def cpu_seconds(function: Callable[[], Any], repeats: int = 5) -> float:
    """As `seconds`, but of the processor, so that other programs on the core do not count."""
    import jax

    spent = []
    for _ in range(repeats + 1):
        start = time.process_time()
        jax.block_until_ready(function())
        spent.append(time.process_time() - start)
    return min(spent[1:])


def shortest_in_turn(functions: list[Callable[[], Any]], repeats: int) -> list[float]:
    """`seconds` of each function, whose calls alternate, so that all meet the same slow spells."""
    for call in functions:
        _timed(call)
    rounds = [[_timed(call) for call in functions] for _ in range(repeats)]
    return [min(durations) for durations in zip(*rounds)]


def difference_in_seconds(
    first: Callable[[], Any], second: Callable[[], Any], repeats: int = 25
) -> float:
    """How much longer a call of `first` takes: the median over pairs of calls.

    Each pair is on its own, so that slow spells cancel.
    """
    for call in (first, second):  # compile
        _timed(call)
    pairs = [[_timed(call) for call in (first, second)] for _ in range(repeats)]
    return statistics.median(one - other for one, other in pairs)


def times_as_fast(
    call: Callable[[], Any], other: Callable[[], Any], repeats: int = 11
) -> tuple[float, float]:
    """How many times as fast as `other` `call` is, and the shortest time of a call, s.

    The median over pairs of calls, each on its own, so that slow spells cancel.
    """
    for each in (call, other):  # compile
        _timed(each)
    pairs = [[_timed(each) for each in (call, other)] for _ in range(repeats)]
    return statistics.median(two / one for one, two in pairs), min(one for one, _ in pairs)


def _timed(function: Callable[[], Any]) -> float:
    import jax

    start = time.perf_counter()
    jax.block_until_ready(function())
    return time.perf_counter() - start


def peak_megabytes() -> float:
    """The most memory that this process has held so far."""
    unit = 1 if platform.system() == "Darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def resident_megabytes() -> float:
    """The memory that this process holds now (its peak where the system does not say)."""
    try:
        with open("/proc/self/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6
    except OSError:
        return peak_megabytes()


def about() -> dict[str, Any]:
    """Versions, device and revision, to stand beside every number."""
    import jax

    command = ["git", "describe", "--always", "--dirty"]
    revision = subprocess.run(command, capture_output=True, text=True).stdout.strip()
    names = ("jax", "jaxlib", "flax", "optax", "numpy", "scikit-learn", "gymnasium", "Box2D")
    return {
        "date": time.strftime("%Y-%m-%d"),
        "revision": revision or "unknown",
        "device": jax.devices()[0].device_kind,
        "num_devices": len(jax.devices()),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": {name: _version(name) for name in names},
    }


def _version(name: str) -> str:
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def _processor() -> str:
    try:
        with open("/proc/cpuinfo") as file:
            model = next(line for line in file if line.startswith("model name"))
            return model.split(":", 1)[1].strip()
    except (OSError, StopIteration):
        return platform.processor() or "unknown"
