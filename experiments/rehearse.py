"""Before a run: what it will cost, and one round of it in slow motion."""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
from jax.core import Tracer
from rich.console import Console
from rich.table import Table

from jaxcurriculum import make_loop, map_seeds
from jaxcurriculum.experiments.experiment import Experiment
from jaxcurriculum.experiments.settings import title
from jaxcurriculum.experiments.train import initial_states
from jaxcurriculum.types import PyTree


def plan(experiment: Experiment, console: Console) -> None:
    """Compile the run's program, run it up to the first evaluation, and print what the whole run will take. Writes no file."""
    loop = experiment.loop
    states, start = initial_states(experiment), jnp.int32(0)
    advance_all = map_seeds(loop.advance, experiment.num_seeds, experiment.group)
    num_devices = len(jax.tree.leaves(states)[0].sharding.device_set)
    on_one = jax.tree.map(lambda leaf: jax.ShapeDtypeStruct((len(leaf) // num_devices, *leaf.shape[1:]), leaf.dtype), states)
    compiling, program = _timed(lambda: advance_all.program.lower(on_one, (start,)).compile())
    jax.block_until_ready(advance_all(states, start))
    seconds, _ = _timed(lambda: jax.block_until_ready(advance_all(states, start)))
    memory = program.memory_analysis()
    held, scratch = memory.argument_size_in_bytes + memory.output_size_in_bytes, memory.temp_size_in_bytes
    steps, unit = loop.steps_per_advance * experiment.num_seeds, loop.student.step_unit
    table = Table(title=f"{title(experiment.config)}, {experiment.num_seeds} seeds", show_header=False)
    for what, value in (
        ("work", f"{experiment.num_advances:,} evaluations, {experiment.num_advances * steps:,} {unit}"),
        ("compile time (at the first start)", f"{compiling:,.1f} s"),
        (
            f"memory of each of {num_devices} devices",
            f"{(held + scratch) / 2**20:,.0f} MiB, {held / 2**20:,.0f} of them states and reports",
        ),
        ("speed up to the first evaluation", f"{steps / seconds:,.0f} {unit}/s"),
        ("run time, if that speed lasts", f"{experiment.num_advances * seconds:,.0f} s"),
    ):
        table.add_row(what, value)
    console.print(table)


def debug(experiment: Experiment, console: Console) -> None:
    """Run the first round of the first seed operation by operation, and look for nans after each function of a role.

    Raises:
      FloatingPointError: naming the function and the leaf.
    """
    loop = experiment.loop
    teacher = _watched(loop.teacher, {"init": lambda state: state, "propose": lambda result: result, "update": lambda result: result})
    # What a student does not know about an episode is nan by contract, and so may be what stands in an invalid slot.
    known = lambda result: (result[0], jnp.where(result[1].valid, result[1].returns, 0))
    student = _watched(loop.student, {"init": lambda state: state, "train": known})
    watched = make_loop(teacher, student, loop.test_tasks, loop.config)
    with jax.disable_jit():
        state, episodes = watched.round(watched.init(jax.random.key(experiment.first_seed)), jnp.int32(0))
    console.print(
        f"One round of {student.steps_per_round:,} {student.step_unit} without jit: no nan; {int(episodes.valid.sum()):,} episodes ended."
    )


def _watched(role: Any, looked_at: dict[str, Callable[[Any], PyTree]]) -> Any:
    """`role` with functions that raise as soon as the part of their result that is looked at holds a nan."""

    def watch(name, look):
        function = getattr(role, name)

        def watched(*args):
            result = function(*args)
            for path, leaf in jax.tree_util.tree_leaves_with_path(look(result)):
                if not isinstance(leaf, Tracer) and jnp.issubdtype(leaf.dtype, jnp.floating) and bool(jnp.isnan(leaf).any()):
                    raise FloatingPointError(f"{role.name}.{name} made a nan in {jax.tree_util.keystr(path)} of its result.")
            return result

        return watched

    return dataclasses.replace(role, **{name: watch(name, look) for name, look in looked_at.items()})


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    began = time.monotonic()
    result = work()
    return time.monotonic() - began, result
