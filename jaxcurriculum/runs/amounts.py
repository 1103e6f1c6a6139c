"""Times and sizes in the unit that a person would take."""

from __future__ import annotations

from jaxcurriculum.checks import GIB

MINUTE, HOUR = 60, 3600  # s
MIB = 2**20  # bytes


def time_text(seconds: float) -> str:
    """A time, in hours or minutes where these are several.

    >>> [time_text(seconds) for seconds in (2.34, 300, 1800, 1_302_687)]
    ['2.3 s', '300 s', '30 minutes', '361.9 hours']
    """
    if seconds >= 2 * HOUR:
        return f"{seconds / HOUR:,.1f} hours"
    if seconds >= 10 * MINUTE:
        return f"{seconds / MINUTE:.0f} minutes"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def size_text(num_bytes: float) -> str:
    """A size on disk or in memory.

    >>> [size_text(num * 2**20) for num in (0.25, 177_785.9)]
    ['0.2 MiB', '173.6 GiB']
    """
    if num_bytes >= GIB:
        return f"{num_bytes / GIB:,.1f} GiB"
    return f"{num_bytes / MIB:,.1f} MiB"


def counted(num: int, what: str) -> str:
    """So many of what is called `what`, in the singular where it is one.

    >>> counted(1, "device"), counted(2000, "job")
    ('1 device', '2,000 jobs')
    """
    return f"{num:,} {what}{'' if num == 1 else 's'}"
