"""How much memory there is for arrays."""

from __future__ import annotations

import os

import jax


def memory_bytes() -> int:
    """The memory of the first device, in bytes; on a CPU that of the machine."""
    statistics = jax.devices()[0].memory_stats() or {}
    if "bytes_limit" in statistics:
        return statistics["bytes_limit"]
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
