"""Before a run: what it will cost, and one round of it in slow motion."""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
from rich.console import Console
from rich.table import Table

from jaxcurriculum import tree
from jaxcurriculum.records import PyTree
from jaxcurriculum.roles import Environment
from jaxcurriculum.runs.amounts import size_text, time_text
from jaxcurriculum.runs.experiment import Experiment, check_memory, num_used
from jaxcurriculum.runs.lookout import QUICKLY, Lookout
from jaxcurriculum.runs.store import title

# How much longer the whole program of a walker takes to compile than a round in haste, and how much
# faster it is.
IN_HASTE = (5.0, 6.0)
COMPILED = "/jax/core/compile/backend_compile_duration"
SAVED = "/jax/compilation_cache/compile_time_saved_sec"
LOADED = "/jax/compilation_cache/cache_retrieval_time_sec"
MOST_ROUNDS = 20  # of a rehearsal in which no episode ends
Watch = Callable[[Environment], Environment]


def plan(experiment: Experiment, console: Console) -> None:
    """Run a few rounds of one group of seeds, and print what the whole run will take. Writes no
    file.

    A walker's program takes long to compile. So it is compiled in haste, and from its speed follows
    about how fast the whole one will be.
    """
    check_memory(experiment)
    loop, unit = experiment.loop, experiment.loop.student.step_unit
    num_groups = experiment.num_seeds // experiment.group
    num_devices = num_used(num_groups, len(jax.devices()))
    num_rounds = experiment.num_advances * loop.config.rounds_per_evaluation
    steps = num_rounds * loop.student.steps_per_round * experiment.num_seeds
    trial = _try_rounds(experiment)
    seconds = num_rounds * num_groups / num_devices * trial.seconds_a_round
    kept = trial.kept * num_groups // num_devices
    of_devices = "the device" if num_devices == 1 else f"each of {num_devices} devices"
    table = Table(
        title=f"{title(experiment.config)}, {experiment.num_seeds} seeds", show_header=False
    )
    for what, value in (
        ("work", f"{experiment.num_advances:,} evaluations, {steps:,} {unit}"),
        ("compile time at the first start", f"about {time_text(trial.compile_seconds)}"),
        (f"memory of {of_devices}", size_text(kept + trial.scratch)),
        ("of them states and reports", size_text(kept)),
        ("speed", f"about {steps / seconds:,.0f} {unit}/s"),
        ("run time", f"about {time_text(seconds)}"),
    ):
        table.add_row(what, value)
    console.print(table)


class Trial(NamedTuple):
    """What a few rounds of one group of seeds took; times as of the whole program."""

    compile_seconds: float
    seconds_a_round: float
    kept: int  # bytes of states and reports
    scratch: int  # bytes


def _try_rounds(experiment: Experiment) -> Trial:
    loop, group = experiment.loop, experiment.group
    in_haste = experiment.loop.student.environment is not None and jax.default_backend() == "cpu"
    options, longer, slower = (QUICKLY, *IN_HASTE) if in_haste else ({}, 1.0, 1.0)
    keys = jax.random.split(jax.random.key(experiment.first_seed), group)
    states = jax.jit(jax.vmap(loop.init), compiler_options=QUICKLY)(keys)
    round = jax.jit(loop.round)  # so that it is traced only once
    # A student may not learn yet in the first rounds.
    halfway = experiment.num_advances * loop.config.rounds_per_evaluation // 2
    one = jax.tree.map(lambda leaf: leaf[0], states)
    _, episodes = jax.eval_shape(round, one, jnp.int32(0))

    def rounds(states: PyTree, num: jax.Array) -> PyTree:
        step = lambda index, states: jax.vmap(round, in_axes=(0, None))(states, halfway + index)[0]
        return jax.lax.fori_loop(0, num, step, states)

    lowered = jax.jit(rounds).lower(states, jnp.int32(1))
    with compile_seconds() as compiling:
        program = lowered.compile(options)
    seconds = _seconds_a_round(lambda num: program(states, jnp.int32(num)))
    memory = program.memory_analysis()
    assert memory is not None
    reports = group * loop.config.rounds_per_evaluation * tree.num_bytes(episodes)
    kept = 2 * tree.num_bytes(states) + reports  # states go in and come out
    return Trial(longer * compiling.seconds, seconds / slower, kept, memory.temp_size_in_bytes)


def debug(make: Callable[[Watch], Experiment], console: Console) -> None:
    """Run rounds of the first seed until an episode ends, and look for numbers that are not finite
    after each function of a role.

    Args:
      make: the experiment, with an environment that is watched.

    Raises:
      FloatingPointError: naming the function and the leaf.
    """
    lookout = Lookout()
    experiment = make(lookout.environment)
    loop = lookout.loop(experiment.loop)
    state = lookout.program(loop.init)(jax.random.key(experiment.first_seed))
    round_checked = lookout.program(loop.round)
    num_ended = num_rounds = 0
    while num_ended == 0 and num_rounds < MOST_ROUNDS:
        state, episodes = round_checked(state, jnp.int32(num_rounds))
        num_ended = int(episodes.valid.sum())
        num_rounds += 1
    steps, unit = num_rounds * loop.student.steps_per_round, loop.student.step_unit
    rounds = f"{num_rounds} round{'s' if num_rounds > 1 else ''}"
    console.print(f"No nan in {rounds} of {steps:,} {unit}; {num_ended:,} episodes ended.")


def _seconds_a_round(run: Callable[[int], Any]) -> float:
    """How long a round takes, of so many that they take a second."""
    num, seconds = 1, 0.0
    while seconds < 1:
        num = math.ceil(num * min(10, 1.2 / seconds)) if seconds else num
        began = time.monotonic()
        jax.block_until_ready(run(num))
        seconds = time.monotonic() - began
    return seconds / num


@dataclasses.dataclass
class Compiling:
    """Seconds that compiling takes, or took when a program was put into the cache of them."""

    seconds: float = 0.0
    spent: float = 0.0  # now, what was loaded from the cache left out


@contextmanager
def compile_seconds() -> Iterator[Compiling]:
    """How long what is compiled inside takes."""
    compiling = Compiling()

    def note(event: str, duration_secs: float, **kwargs: str | int) -> None:
        if event in (COMPILED, SAVED):
            compiling.seconds += duration_secs
        if event in (COMPILED, LOADED):  # the former holds the latter
            compiling.spent += duration_secs if event == COMPILED else -duration_secs

    jax.monitoring.register_event_duration_secs_listener(note)
    try:
        yield compiling
    finally:
        jax.monitoring.unregister_event_duration_listener(note)
