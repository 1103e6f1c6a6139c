"""What must be known to read a run's files, or to make them again: axes, sizes, versions,
device, switches.
"""

from __future__ import annotations

import datetime
import importlib.metadata
import pathlib
import platform
import subprocess
import sys
from typing import Any

import jax

from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.experiment import Experiment
from jaxcurriculum.runs.store import task_columns
from jaxcurriculum.runs.switches import recorded_switches
from jaxcurriculum.spaces import Box, Space

PACKAGES = (
    "jaxcurriculum",
    "jax",
    "jaxlib",
    "flax",
    "optax",
    "numpy",
    "polars",
    "orbax-checkpoint",
)
COMPUTING = ("jaxcurriculum", "jax", "jaxlib", "flax", "optax")


def describe(experiment: Experiment) -> dict[str, Any]:
    """The content of `meta.json` for a run that starts now."""
    loop = experiment.loop
    environment = loop.student.environment
    return {
        "world": environment.name if environment else None,
        "axes": axes(loop.student.task_space, loop.test_tasks),
        "step_unit": loop.student.step_unit,
        "steps_per_round": loop.student.steps_per_round,
        "rounds_per_evaluation": loop.config.rounds_per_evaluation,
        "num_test_episodes": loop.config.num_test_episodes,
        "num_learners": loop.student.num_learners,
        "num_seeds": experiment.num_seeds,
        "first_seed": experiment.first_seed,
        "evaluations_done": 0,
        "wall_seconds": 0.0,
        "started": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": sys.argv,
        "device": f"{len(jax.devices())} x {jax.devices()[0].device_kind}",
        "machine": platform.platform(),
        "git_revision": git_revision(),
        "versions": versions(),
        "switches": recorded_switches(),
        "rebuild": experiment.rebuild,
    }


def versions() -> dict[str, str]:
    """What computes now, by the name of the package."""
    packages = {name: importlib.metadata.version(name) for name in PACKAGES}
    return {"python": platform.python_version()} | packages


def axes(space: Space, tasks: PyTree) -> dict[str, list[Any]]:
    """The axes along which tasks are shown: names, units and bounds (None where none are known).

    >>> box = Box(names=("height",), low=(0,), high=(3,), units=("m",))
    >>> axes(box, jax.numpy.zeros((1, 1)))
    {'names': ['height'], 'units': ['m'], 'low': [0.0], 'high': [3.0]}
    """
    columns = task_columns(space, tasks)
    names = [name for name, values in columns.items() if values.dtype.kind in "iuf"]
    known = {
        "names": names,
        "units": [""] * len(names),
        "low": [None] * len(names),
        "high": [None] * len(names),
    }
    if isinstance(space, Box):
        known |= {"units": list(space.units), "low": list(space.low), "high": list(space.high)}
    return known


def changes(before: dict[str, Any], now: dict[str, Any]) -> list[str]:
    """What computes a run otherwise than before, by two of its `meta.json`: "jax 0.10.1 ->
    0.10.2".
    """
    kinds = [{"device": meta["device"].partition(" x ")[2]} for meta in (before, now)]
    versions = changed_versions(before["versions"], now["versions"])
    return versions + _differences(*kinds)


def changed_versions(before: dict[str, str], now: dict[str, str]) -> list[str]:
    """The packages that a run's last bits depend on, and that are others than `before`."""
    return _differences(
        *[{name: one[name] for name in COMPUTING if name in one} for one in (before, now)]
    )


def _differences(old: dict[str, str], new: dict[str, str]) -> list[str]:
    both = [name for name in old if name in new and old[name] != new[name]]
    return [f"{name} {old[name]} -> {new[name]}" for name in both]


def git_revision() -> str | None:
    """The revision of the folder that this code lies in ("-dirty" when it was changed since),
    None outside of git.
    """
    command = [
        "git",
        "-C",
        str(pathlib.Path(__file__).parent),
        "describe",
        "--always",
        "--dirty",
        "--abbrev=40",
    ]
    try:
        return subprocess.run(
            command, capture_output=True, text=True, check=True, timeout=10
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None
