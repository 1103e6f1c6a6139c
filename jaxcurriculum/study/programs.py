"""Which cells share one compiled program.

They do when all their settings are equal but for those that may be arrays.

- Numbers that a configuration declares as `Swept` or `SweptPair` are arguments of the program,
  whether or not they differ in the study, so that a cell's program does not depend on what other
  cells there are.
- A name that it declares with its `arrays`, as a walker's body, is one where the study has another
  of the same structure: a program is faster where it need not be told.

Where settings of a world are arguments, so are the test tasks, which may depend on them.

A configuration may make another program of a number than of an array (a rate of 0 that leaves a
mechanism out, two equal bounds). Such a number stays a part of the program: it shows in the shapes
of the state, in the axes of a task that have a width, or the program cannot be traced.
"""

from __future__ import annotations

import collections
import dataclasses
import hashlib
import json
from collections.abc import Callable, Iterable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from jaxcurriculum import Box, tree
from jaxcurriculum.cli.build import TESTS, Setup, set_up
from jaxcurriculum.cli.settings import Parameter, Settings, parameters
from jaxcurriculum.cli.tables import TEACHERS
from jaxcurriculum.configs import alternatives
from jaxcurriculum.device.memory import working_bytes
from jaxcurriculum.fields import are_numbers, is_number
from jaxcurriculum.loop import Loop, bind, make_loop
from jaxcurriculum.records import PyTree
from jaxcurriculum.runs.checkpoint import shapes
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.study.cells import Cell

WORLD = ("env", "challenge")  # on whose settings test tasks may depend
SECTIONS = (*WORLD, "teacher", "student", "learner")  # whose settings can be arguments
LENGTH = ("seeds", "seed", "steps", "group")  # what does not decide a program
Varied = dict[tuple[str | None, str], set[Any]]  # the values of a setting in a study, by world


@dataclasses.dataclass(frozen=True)
class Placed:
    """A cell with all its settings, and the program that it belongs to."""

    cell: Cell
    config: dict[str, Any]  # of its run, but for the group
    program: str
    arguments: tuple[str, ...]  # the settings that are the program's arguments
    steps_per_round: int


def place(cells: Iterable[Cell]) -> list[Placed]:
    """Each of `cells` with its program.

    Raises:
      RunError: for settings that cannot be.
    """
    known: dict[str, tuple[str, ...]] = {}
    cells = list(cells)
    varied = _varied(cells)
    return [_place(cell, varied, known) for cell in cells]


def _varied(cells: Iterable[Cell]) -> Varied:
    varied: Varied = collections.defaultdict(set)
    for cell in cells:
        for name, value in cell.settings.fields.items():
            varied[cell.settings.env, name].add(value)
    return varied


def _place(cell: Cell, varied: Varied, known: dict[str, tuple[str, ...]]) -> Placed:
    """`known` says which settings can be arrays, by all the other settings."""
    try:
        setup = set_up(cell.settings, make=unchecked)
        config, candidates = experiment_config(setup), _candidates(setup, varied)
        others, loop = _digest(config, candidates), setup.loop
        if others not in known:
            make_loop(loop.teacher, loop.student, loop.test_tasks, loop.config)  # checks them
    except (RunError, ValueError) as error:
        raise RunError(f"{cell.name}: {error}") from error
    if others not in known:
        known[others] = tuple(_traceable(setup, candidates, advance_of(setup)))
    among = {name: candidates[name] for name in known[others]}
    arguments = _traceable(setup, among, state_of(setup))
    program = _digest(config | {"tests": shapes(setup.loop.test_tasks)}, arguments)
    names = tuple(arguments)
    if any(name.startswith(WORLD) for name in names):
        names += (TESTS,)
    return Placed(cell, config, program, names, setup.loop.student.steps_per_round)


def unchecked(*roles_and_tasks: Any) -> Loop:
    """`bind`, for roles whose contract is checked elsewhere."""
    teacher, student, tasks, config = roles_and_tasks
    return bind(teacher, student, jax.tree.map(jnp.asarray, tasks), config)


def experiment_config(setup: Setup) -> dict[str, Any]:
    """What config.json holds of a run, but for the group."""
    config = setup.experiment().config
    return {name: value for name, value in config.items() if name != "group"}


def _candidates(setup: Setup, varied: Varied) -> dict[str, PyTree]:
    """The settings that a program can be told as arrays, as such, by name."""
    settings, candidates = setup.named(), {}
    for name, parameter in parameters_of(setup).items():
        arrays = as_arrays(parameter, settings[name])
        values = varied[setup.settings.env, name]
        if arrays is not None and (
            parameter.arrays is None or _is_shared(parameter, arrays, values)
        ):
            candidates[name] = arrays
    return candidates


def _is_shared(parameter: Parameter, arrays: PyTree, values: Iterable[Any]) -> bool:
    """Whether several of `values` make arrays of the structure of `arrays`."""
    structures = [jax.tree.structure(as_arrays(parameter, value)) for value in values]
    return structures.count(jax.tree.structure(arrays)) > 1


def parameters_of(setup: Setup) -> dict[str, Parameter]:
    """The parameters that can be a program's arguments, by the names of their settings."""
    return {
        f"{section}.{each.name}": each
        for section, config in setup.configs.items()
        if section in SECTIONS
        for each in parameters(config)
    }


def as_arrays(parameter: Parameter, value: Any) -> PyTree | None:
    """What a program is told of a setting, None where it cannot be told."""
    if parameter.arrays is not None:
        return parameter.arrays(value)
    kinds = alternatives(parameter.type)
    if jax.Array in kinds and (is_number(value) or are_numbers(value)):
        return np.array(value, np.int32 if int in kinds else np.float32)
    return None


def _traceable(
    setup: Setup, candidates: dict[str, PyTree], trace: Callable[[dict[str, Any]], Any]
) -> dict[str, PyTree]:
    """Those of `candidates` with which the loop can be traced and has the same state."""
    expected = shapes(jax.eval_shape(trace, {}))

    def same(values: dict[str, PyTree]) -> bool:
        try:
            return shapes(jax.eval_shape(trace, values)) == expected
        except (TypeError, ValueError):  # JAX's errors of what needs a number are TypeErrors
            return False

    if same(candidates):
        return candidates
    return {name: value for name, value in candidates.items() if same({name: value})}


def state_of(setup: Setup) -> Callable[[dict[str, Any]], PyTree]:
    """The state of the loop with other values, and a number for each axis of its tasks that has a
    width, to be traced.
    """

    def trace(values: dict[str, Any]) -> PyTree:
        loop = setup.at(values)
        space = loop.student.task_space
        num_wide = space.has_width.sum() if isinstance(space, Box) else 0
        return loop.init(jax.random.key(0)), jnp.zeros(num_wide)

    return trace


def advance_of(setup: Setup) -> Callable[[dict[str, Any]], PyTree]:
    """The loop with other values up to its first evaluation, to be traced; nothing comes of it."""

    def trace(values: dict[str, Any]) -> PyTree:
        advanced(setup.at(values), jax.random.key(0))
        return ()

    return trace


def _digest(config: dict[str, Any], arguments: dict[str, PyTree]) -> str:
    """A name for all settings but `arguments`, and for which these are and of which structure."""
    fixed = {name: value for name, value in config.items() if name not in (*LENGTH, *arguments)}
    fixed["teacher"] = _same_teacher(config["teacher"])
    structures = {name: repr(jax.tree.map(np.shape, value)) for name, value in arguments.items()}
    text = json.dumps([fixed, structures], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _same_teacher(name: str) -> str:
    """The first name of the teacher that differs from `name` in its settings alone."""
    if name not in TEACHERS:
        return name
    make = TEACHERS[name].make
    return next(other for other, part in TEACHERS.items() if part.make is make)


def settings_of(config: dict[str, Any]) -> Settings:
    """The settings of a run from its config, the group left open."""
    return Settings.recorded(config | {"group": None})


def bytes_of_a_lane(placed: Placed) -> int:
    """What a lane takes on its device: two states, the report of an advance, and what this needs
    for a moment.
    """
    setup = set_up(placed.cell.settings, make=unchecked)
    state = jax.eval_shape(setup.loop.init, jax.random.key(0))
    traced, (_, report) = jax.make_jaxpr(setup.loop.advance, return_shape=True)(state, jnp.int32(0))
    return 2 * tree.num_bytes(state) + tree.num_bytes(report) + working_bytes(traced.jaxpr)


def advanced(loop: Loop, key: jax.Array) -> PyTree:
    """State and report of `loop` after its first evaluation."""
    return loop.advance(loop.init(key), jnp.int32(0))
