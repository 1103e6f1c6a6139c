"""Every configuration of the library: what its fields refuse, and roles that fit no machine."""

import dataclasses
import inspect
import re
import types
import typing
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Box, Teacher, make_loop, students, teachers
from jaxcurriculum.checks import check_size
from jaxcurriculum.cli import tables
from jaxcurriculum.configs import Config, Range, alternatives
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.students import PpoConfig, simulated
from jaxcurriculum.students.simulated import ToyGridConfig
from jaxcurriculum.study import Study
from jaxcurriculum.teachers import AlpGmmConfig
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.trials import run_teacher

NAN, INF = float("nan"), float("inf")
SPACE = Box(names=("x", "y"), low=(0.0, 1.0), high=(1.0, 3.0))
FIRST = {
    "task_space": SPACE,
    "arms": teachers.arms.cells(SPACE, 2),
    "student": simulated.toy_grid(),
    "env": probes.counting(),
    "editor": teachers.box_editor(SPACE),
}


def _every(config):
    """Every class of configurations that the library declares."""
    for one in config.__subclasses__():
        if one.__module__.startswith("jaxcurriculum."):
            yield one
        yield from _every(one)


CONFIGS = sorted(set(_every(Config)), key=lambda config: config.__name__)


def _factory(config):
    """(configuration) -> teacher or student, of a class of configurations; None for those of
    something else.
    """
    name = re.sub("(?<!^)(?=[A-Z])", "_", config.__name__.removesuffix("Config")).lower()
    function = next(
        (vars(module)[name] for module in (teachers, students, simulated) if name in vars(module)),
        None,
    )
    if not inspect.isfunction(function):
        return None
    signature = inspect.signature(function)
    if signature.return_annotation not in ("Teacher", "Student"):
        return None
    first = next(iter(signature.parameters))
    return function if first == "config" else lambda config: function(FIRST[first], config)


LARGE = ("GoalGanConfig", "SetterSolverConfig")  # of which one traced round takes seconds
FACTORIES = {config: factory for config in CONFIGS if (factory := _factory(config))}


def fields_of(config, *names_of_types):
    return [one.name for one in dataclasses.fields(config) if one.type.startswith(names_of_types)]


def one_round(role):
    """The shapes of a round's results, traced but not run."""
    if isinstance(role, Teacher):
        return jax.eval_shape(lambda key: run_teacher(role, SPACE, key, 64, 1), jax.random.key(0))

    def practise(key):
        tasks = jax.vmap(role.task_space.sample)(jax.random.split(key, role.num_proposals))
        return role.train(key, role.init(key), fresh_proposals(key, tasks), jnp.int32(0))

    return jax.eval_shape(practise, jax.random.key(0))


WRONG = [1 + 2j, "?", [NAN], {}]  # whatever is asked for
PYTHON = {
    float: (int, float),
    types.NoneType: types.NoneType,
    jax.Array: jax.Array,
    bool: bool,
    int: int,
}


def refused(kind, low, high):
    """Values that a field of one type between two bounds must not take."""
    below = [] if low is None else [low - 1 - abs(low)]
    beyond = below if high is None else [*below, 2 * high + 1]
    numbers = [NAN, INF, -INF, 10**400, *beyond]
    integers = [2**31, 2.5, NAN, INF, np.float32(2), *[int(number) for number in beyond]]
    if kind is int:
        return [*integers, True, None, (3,)]
    if kind is float:
        return [*numbers, True, None, (0.5,), jnp.array([0.5])]
    if kind is jax.Array:
        arrays = [jnp.array([number], jnp.float32) for number in (NAN, INF, *beyond)]
        return [*arrays, jnp.array(True)]
    if kind is bool:
        return [None, NAN, 1, 0.0, jnp.array(True)]
    if kind == tuple[int, ...]:
        return [(), 8, None, (True,), ("8",), *((number,) for number in integers)]
    if kind == tuple[float, ...]:
        return [0.5, None, ("a",), (True,), ((0.5,),), *((0.5, number) for number in numbers)]
    if kind == tuple[float, float]:
        return [0.5, (0.5,), (0.5, NAN), (INF, 0.5), (1, 2, 3)]
    if kind == Range:
        return [
            0.5,
            (),
            (1.0,),
            (0, 1, 2),
            (1, 1),
            (2, 1),
            (0, NAN),
            (-INF, INF),
            (0, 1e39),
            (-3e38, 3e38),
            (0, 1e-46),
        ]
    if typing.get_origin(kind) is Literal:
        return [None, NAN, typing.get_args(kind)]
    return [None, Config(), kind] if isinstance(kind, type) and issubclass(kind, Config) else []


def python_types(kind):
    """What values of one type look like, whether they hold or not."""
    if typing.get_origin(kind) is Literal:
        return str
    return tuple if kind == Range or typing.get_origin(kind) is tuple else PYTHON.get(kind, object)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_every_field_of_every_configuration_refuses_what_is_not_of_its_kind(config):
    hints = typing.get_type_hints(config, include_extras=True)
    fields = dataclasses.fields(config)
    needed = {one.name: AlpGmmConfig() for one in fields if one.default is dataclasses.MISSING}
    for declared in fields:
        kinds = alternatives(hints[declared.name])
        for kind in kinds:
            others = tuple(python_types(other) for other in kinds if other is not kind)
            values = refused(kind, declared.metadata.get("low"), declared.metadata.get("high"))
            for value in values and [*values, *WRONG]:
                if not isinstance(value, others):
                    with pytest.raises(ValueError, match=rf"\.{declared.name} must be"):
                        config(**{**needed, declared.name: value})


def test_every_configuration_declares_its_fields():
    assert len(CONFIGS) >= 37 and Study in CONFIGS
    assert {type(part.config) for part in tables.ENVIRONMENTS.values()} < set(CONFIGS)
    for config in CONFIGS:
        assert all(one.metadata["help"] for one in dataclasses.fields(config)), config


@pytest.mark.parametrize(
    "config",
    [
        pytest.param(one, marks=pytest.mark.slow) if one.__name__ in LARGE else one
        for one in FACTORIES
    ],
    ids=lambda config: config.__name__,
)
def test_the_size_of_what_is_accepted_is_known_before_it_is_made(config):
    """Of each field alone the largest power of ten that is taken, or all that int32 holds."""
    for name in fields_of(config, "int", "tuple[int"):
        for size in (2**31 - 1, *(10**digits for digits in range(9, -1, -1))):
            try:
                changed = config(**{name: size if name in fields_of(config, "int") else (size,)})
                check_size(name, FACTORIES[config](changed))
            except ValueError:
                continue
            break


@pytest.mark.parametrize(
    ("teacher", "student", "message"),
    [
        (
            lambda space: teachers.plr(space, teachers.PlrConfig(capacity=10**9)),
            simulated.toy_grid,
            r"Teacher 'plr': the state of one seed must take at most 8 GiB, but takes 29.8 GiB; "
            r"its largest leaf is \.buffer\.tasks of shape \[1000000000, 2\]\.",
        ),
        (
            teachers.random,
            lambda: students.ppo(probes.counting(), PpoConfig(hidden=(10**6, 10**6))),
            r"Student 'ppo': the state .*\['kernel'\] of shape \[1000000, 1000000\]\.",
        ),
    ],
)
def test_a_loop_refuses_a_state_that_fits_no_machine(teacher, student, message):
    student = student()
    task = student.task_space.sample(jax.random.key(0))
    with pytest.raises(ValueError, match=message):
        make_loop(teacher(student.task_space), student, task[None])


@pytest.mark.parametrize("number", [0, 1, 2**31])
@pytest.mark.parametrize("config", FACTORIES, ids=lambda config: config.__name__)
def test_integers_are_floats_where_those_are_asked_for(config, number):
    """In every field that allows the number, all at once; JAX would take them for int32."""
    changed, names = config(), fields_of(config, "float", "Swept")
    for name in names:
        try:
            changed = dataclasses.replace(changed, **{name: number})
        except ValueError:
            continue
        assert type(getattr(changed, name)) is float, name
    one_round(FACTORIES[config](changed))


@pytest.mark.parametrize("config", FACTORIES, ids=lambda config: config.__name__)
def test_the_configuration_of_something_else_is_refused(config):
    other = ToyGridConfig() if config is AlpGmmConfig else AlpGmmConfig()
    with pytest.raises(
        TypeError, match=f"must be of the type {config.__name__}, got {type(other).__name__}"
    ):
        FACTORIES[config](other)


@pytest.mark.parametrize(
    ("teacher", "argument", "kind"),
    [
        (teacher, first.name, first.annotation)
        for teacher in map(vars(teachers).get, teachers.__all__)
        if inspect.isfunction(teacher)
        for first in [next(iter(inspect.signature(teacher).parameters.values()))]
        if first.annotation in ("Box", "Arms")
    ],
    ids=lambda x: getattr(x, "__name__", x),
)
def test_so_is_what_a_teacher_cannot_choose_from(teacher, argument, kind):
    for wrong in (None, SPACE if kind == "Arms" else FIRST["arms"]):
        with pytest.raises(
            TypeError, match=rf"{teacher.__name__}\.{argument} must be of the type {kind}, got"
        ):
            teacher(wrong)
