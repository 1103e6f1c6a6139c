"""What a call of a HostTeacher takes, in plain Python on one core.

Most calls hand a ticket out, or put a return by. One of a batch calls a compiled program: they are
what the 99th percentile and the mean show. ALP-GMM's worst calls fit its mixture.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from bench.measure import pin

COLUMNS = ("teacher", "batch", "call", "median µs", "99th percentile µs", "worst µs", "mean µs")
BATCHES = (1, 16)
NUM_WARM = 1000  # calls before any is counted: ALP-GMM's history and PLR's buffer fill up


def measure(quick: bool) -> list[dict[str, Any]]:
    """Two rows a teacher and batch."""
    from jaxcurriculum import Box, teachers

    box = Box(names=("height", "spacing"), low=(0.0, 0.0), high=(3.0, 6.0))
    plr_config = teachers.PlrConfig(score="return_change")
    made = [teachers.random(box), teachers.alp_gmm(box), teachers.plr(box, plr_config)]
    num = 2000 if quick else 20_000
    return [row for teacher in made for batch in BATCHES for row in _rows(teacher, batch, num)]


def _rows(teacher: Any, batch: int, num: int) -> list[dict[str, Any]]:
    from jaxcurriculum.interop import HostTeacher

    host = HostTeacher(teacher, seed=0, batch=batch)
    took = np.empty((NUM_WARM + num, 2))
    for call in took:
        start = time.perf_counter()
        ticket = host.sample()
        taken = time.perf_counter()
        host.update(ticket, float(ticket.task[0]))
        call[:] = taken - start, time.perf_counter() - taken
    microseconds = 1e6 * took[NUM_WARM:]
    return [
        {
            "teacher": teacher.name,
            "batch": batch,
            "call": name,
            "median µs": float(np.median(column)),
            "99th percentile µs": float(np.percentile(column, 99)),
            "worst µs": float(column.max()),
            "mean µs": float(column.mean()),
        }
        for name, column in zip(("sample", "update"), microseconds.T)
    ]


if __name__ == "__main__":
    from bench.report import main

    pin(1)
    main(measure)
