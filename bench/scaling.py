"""What the schedule of a study predicts, and what a real one takes, on 1, 2, 4 and 8 devices.

The jobs of one study wait, as a host does for its accelerators, so that eight devices need no eight
cores; those of the other compute. Each is run twice in a process; the second run compiles nothing.
"""

from __future__ import annotations

import dataclasses
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
from typing import Any

COLUMNS = ("what", "devices", "jobs", "longest s", "alone s", "schedule s", "measured s")
DEVICES = (1, 2, 4, 8)
SECONDS = (0.05, 0.15)  # that a round waits
ROUNDS = 20  # of a job
GRID = {"cells": 5, "episodes_per_round": 50}
STUDIES = {
    "waiting": {
        "teachers": ("bench.scaling:waiting",),
        "settings": {"toy-grid": GRID, "bench.scaling:waiting": {"seconds": SECONDS}},
        "seeds": 18,
        "steps": 50 * ROUNDS,
    },
    "computing": {
        "teachers": ("random", "covar-gmm"),
        "settings": {"toy-grid": GRID},
        "seeds": 18,
        "steps": 20_000,
    },
}


def measure(quick: bool) -> list[dict[str, Any]]:
    """A row a kind of study and number of devices.

    "alone" is the schedule of jobs that take what they took on one device, "schedule" that of jobs
    that take what they took beside each other, in this row.
    """
    from jaxcurriculum.study.schedule import makespan

    rows = []
    for what in STUDIES:
        alone: list[tuple[str, float]] = []
        for num_devices in DEVICES[:: 3 if quick else 1]:
            found = run_apart(what, num_devices)
            alone = alone or found["jobs"]
            cores = os.cpu_count() if what == "computing" else None
            row = {
                "what": what,
                "devices": num_devices,
                "jobs": len(alone),
                "longest s": max(seconds for _, seconds in found["jobs"]),
                "alone s": makespan(alone, min(num_devices, cores or num_devices)),
                "schedule s": makespan(found["jobs"], num_devices),
                "measured s": found["seconds"],
            }
            print(row, file=sys.stderr, flush=True)
            rows.append(row)
    return rows


def run_apart(what: str, num_devices: int) -> dict[str, Any]:
    """`timed` in a process of its own."""
    command = [sys.executable, "-m", "bench.scaling", "--run", what, str(num_devices)]
    ran = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(ran.stdout.splitlines()[-1])


def timed(what: str, num_devices: int) -> dict[str, Any]:
    """The seconds of a study, and the programs and seconds of its jobs in their order."""
    from rich.console import Console

    from jaxcurriculum import use_cores
    from jaxcurriculum.study import Plan, Study, local, run_study

    use_cores(num_devices)
    study = Study(students=("toy-grid",), evaluate_every=500, group=2, **STUDIES[what])
    silent, seconds = Console(quiet=True), {}
    original = local.run_job

    def run_job(folder, job, *arguments):
        begun = time.perf_counter()
        complete = original(folder, job, *arguments)
        seconds[job] = time.perf_counter() - begun
        return complete

    local.run_job = run_job
    with tempfile.TemporaryDirectory() as first, tempfile.TemporaryDirectory() as second:
        run_study(study, first, silent)
        begun = time.perf_counter()
        run_study(study, second, silent)
        total = time.perf_counter() - begun
        jobs = Plan.read(pathlib.Path(second)).jobs
    return {"seconds": total, "jobs": [(jobs[job].program, seconds[job]) for job in jobs]}


def waiting(task_space, seconds: float = 0.1):
    """A random teacher whose rounds take `seconds`, as on a device that is busy elsewhere."""
    import jax
    import jax.numpy as jnp
    import numpy as np

    from jaxcurriculum import teachers

    def wait(_):
        time.sleep(seconds)
        return np.int32(0)

    def update(key, state, episodes, context):
        nothing = jax.ShapeDtypeStruct((), jnp.int32)
        return state, jax.pure_callback(wait, nothing, context.round, vmap_method="sequential")

    return dataclasses.replace(teachers.random(task_space), name="waiting", update=update)


if __name__ == "__main__":
    if "--run" in sys.argv:
        print(json.dumps(timed(sys.argv[2], int(sys.argv[3]))))
    else:
        from bench.report import main

        main(measure)
