"""A loop with all that a run of it needs: how many seeds, how long, what it is called."""

from __future__ import annotations

import dataclasses
import json
import math
from typing import Any

import jax
import numpy as np

from jaxcurriculum import tree
from jaxcurriculum.checks import GIB, largest_leaf
from jaxcurriculum.configs import named_fields
from jaxcurriculum.device.memory import memory_bytes
from jaxcurriculum.fields import LARGEST_INTEGER, is_integer, is_number
from jaxcurriculum.loop import Loop
from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.program import Lanes, Program


@dataclasses.dataclass(frozen=True)
class Experiment:
    """A loop that is ready to run, and everything that was decided on the way."""

    loop: Loop
    num_seeds: int
    first_seed: int
    group: int  # seeds batched together
    num_advances: int  # evaluations in the whole run
    config: dict[str, Any]  # every setting by name, as JSON gives them back
    program: Program
    lanes: Lanes  # what each seed runs with
    # "module:function" of the config, which makes the experiment again; None: only Python can
    rebuild: str | None = None
    goes_on: bool = False  # when a seed turns non-finite, with the others


def make_experiment(
    loop: Loop,
    num_seeds: int,
    num_steps: float,
    first_seed: int = 0,
    group: int | None = None,
    settings: dict[str, Any] | None = None,
    rebuild: str | None = None,
) -> Experiment:
    """An experiment of `num_seeds` independent curricula, each of at least `num_steps` steps.

    Args:
      num_steps: environment steps a seed (episodes for simulated students), rounded up to whole
          evaluations.
      group: seeds that are batched together; by default `best_group`.
      settings: what else is to be known of the run, by name; it must stay the same when the run
          goes on.
      rebuild: "module:function", which makes the experiment again of its config.

    Raises:
      RunError: when a number is none or out of its bounds, or `group` does not divide `num_seeds`.
    """
    _check_sizes(num_seeds, num_steps, first_seed, group)
    group = group or best_group(num_seeds, len(jax.devices()), loop.student.steps_per_round)
    if num_seeds % group:
        raise RunError(f"group must divide num_seeds, got {group} for {num_seeds} seeds.")
    student = loop.student
    named = {
        "env": student.environment.name if student.environment else None,
        "teacher": loop.teacher.name,
        "student": student.name,
        "challenge": "none",
        "seeds": num_seeds,
        "seed": first_seed,
        "steps": float(num_steps),
        "group": group,
    }
    config = json.loads(json.dumps(named | (settings or {}), default=_as_text))
    return Experiment(
        loop=loop,
        num_seeds=num_seeds,
        first_seed=first_seed,
        group=group,
        num_advances=math.ceil(num_steps / loop.steps_per_advance),
        config=config,
        program=Program.of(lambda _: loop, num_seeds, group),
        lanes=Lanes(first_seed + np.arange(num_seeds, dtype=np.uint32), {}),
        rebuild=rebuild,
    )


def _check_sizes(num_seeds: int, num_steps: float, first_seed: int, group: int | None) -> None:
    if not is_number(num_steps, 1, LARGEST_INTEGER):
        raise RunError(f"num_steps must lie between 1 and {LARGEST_INTEGER}, got {num_steps!r}.")
    last = LARGEST_INTEGER + 1 - (num_seeds if is_integer(num_seeds, 1) else 1)
    for name, value, least, most in (
        ("num_seeds", num_seeds, 1, LARGEST_INTEGER),
        ("first_seed", first_seed, 0, last),  # the tables of a run hold seeds as int32
        ("group", 1 if group is None else group, 1, LARGEST_INTEGER),
    ):
        if not is_integer(value, least, most):
            bounds = f"between {least} and {most}"
            raise RunError(f"{name} must be an integer {bounds}, got {value!r}.")


def check_memory(experiment: Experiment) -> None:
    """Check that the states of all seeds fit into the memory, those of a CPU's devices together.

    Raises:
      RunError: when they do not.
    """
    num_seeds, states = experiment.num_seeds, state_shapes(experiment)
    on_cpu = jax.default_backend() == "cpu"
    num_groups = num_seeds // experiment.group
    num_devices = 1 if on_cpu else num_used(num_groups, len(jax.devices()))
    needed, there = 2 * tree.num_bytes(states) // num_devices, memory_bytes()
    if needed > there:
        raise RunError(
            f"`num_seeds` of {num_seeds} take {needed / GIB:.3g} GiB on a device, where a state is"
            f" kept before and after its rounds, but there are {there / GIB:.3g} GiB of memory; the"
            f" largest leaf of the states is {largest_leaf(states)}."
        )


def known_settings(loop: Loop) -> dict[str, Any]:
    """What the roles of `loop` know of how they were made, by names like "teacher.exploration".

    Raises:
      RunError: when `loop` is none.
    """
    if not isinstance(loop, Loop):
        raise RunError(f"loop must be a Loop, as make_loop returns it, got {type(loop).__name__}.")
    parts = {"teacher": loop.teacher.config, "student": loop.student.config, "loop": loop.config}
    return {
        f"{part}.{name}": value
        for part, config in parts.items()
        for name, value in named_fields(config).items()
    }


def _as_text(value: Any) -> Any:
    """What JSON holds of a value that it does not know; of a function its name."""
    if isinstance(value, np.ndarray | np.generic | jax.Array):
        return value.tolist()
    return getattr(value, "__qualname__", str(value))


def initial_states(experiment: Experiment) -> PyTree:
    """The loop state of every seed before its first round, [seeds, ...].

    It depends on the seed's number alone, and on the values of its settings.
    """
    return experiment.program.states(experiment.lanes)


def state_shapes(experiment: Experiment) -> PyTree:
    """The shapes and dtypes of `initial_states`; nothing is computed."""
    return experiment.program.state_shapes(experiment.lanes)


def seed_index(experiment: Experiment, seed: int | None) -> int:
    """Where the states of `seed` (by default the first) lie in those of all seeds.

    Raises:
      RunError: when the run has no such seed.
    """
    first = experiment.first_seed
    if seed is None:
        return 0
    if not (is_integer(seed, first) and seed < first + experiment.num_seeds):
        known = f"{first} to {first + experiment.num_seeds - 1}"
        raise RunError(f"seed must be one of the run's, {known}, got {seed!r}.")
    return int(seed) - first


def best_group(num_seeds: int, num_devices: int, steps_per_round: int) -> int:
    """The batch of seeds with which the most devices have work, and of these the widest; on a CPU
    rather one that nearly fills its cache.
    """
    widths = [width for width in range(1, num_seeds + 1) if num_seeds % width == 0]
    most = cached_width(steps_per_round)
    on_cpu = jax.default_backend() == "cpu"

    def merit(width: int) -> tuple[int, bool, int]:
        is_cached = on_cpu and most / 4 <= width <= most
        return num_used(num_seeds // width, num_devices), is_cached, width

    return max(widths, key=merit)


def cached_width(steps_per_round: int) -> int:
    """How many seeds a CPU has in its cache: at most 64, and 4,096 steps of a round together."""
    return max(1, min(64, 4096 // steps_per_round))


def num_used(num_groups: int, num_devices: int) -> int:
    """How many devices share `num_groups` groups of seeds evenly."""
    return max(num for num in range(1, num_devices + 1) if num_groups % num == 0)
