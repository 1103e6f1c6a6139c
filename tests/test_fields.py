"""Configuration fields: what passes, and what is refused with its name, the rule and the value."""

import dataclasses
import inspect
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import jaxcurriculum
from jaxcurriculum import Box, Teacher, challenges, students, teachers
from jaxcurriculum.fields import check_integers, check_numbers, check_one_or_each, check_range, check_tuples, check_widths
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.students import PpoConfig, simulated
from jaxcurriculum.students.simulated import ToyGridConfig
from jaxcurriculum.teachers import AlpGmmConfig
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.trials import run_teacher

NAN, INF = float("nan"), float("inf")
MODULES = (jaxcurriculum, challenges, students, simulated, teachers)
CONFIGS = sorted(
    {config for module in MODULES for name, config in vars(module).items() if inspect.isclass(config) and name.endswith("Config")},
    key=lambda config: config.__name__,
)
WITH_BOOLEANS = [(config, field.name) for config in CONFIGS for field in dataclasses.fields(config) if field.type == "bool"]
SPACE = Box(names=("x", "y"), low=(0.0, 1.0), high=(1.0, 3.0))
FIRST = {"task_space": SPACE, "arms": teachers.arms.cells(SPACE, 2), "student": simulated.toy_grid(), "env": probes.counting()}


def _factory(config):
    """(configuration) -> teacher or student, of a class of configurations; None for those of something else."""
    name = re.sub("(?<!^)(?=[A-Z])", "_", config.__name__.removesuffix("Config")).lower()
    function = next((vars(module)[name] for module in (teachers, students, simulated) if name in vars(module)), None)
    if function is None:
        return None
    first = next(iter(inspect.signature(function).parameters))
    return function if first == "config" else lambda config: function(FIRST[first], config)


FACTORIES = {config: factory for config in CONFIGS if (factory := _factory(config))}


def fields_of(config, *types):
    return [field.name for field in dataclasses.fields(config) if field.type.startswith(types)]


def one_round(role):
    """The shapes of a round's results, traced but not run."""
    if isinstance(role, Teacher):
        return jax.eval_shape(lambda key: run_teacher(role, SPACE, key, 8, 1), jax.random.key(0))

    def practise(key):
        tasks = jax.vmap(role.task_space.sample)(jax.random.split(key, role.num_proposals))
        return role.train(key, role.init(key), fresh_proposals(key, tasks))

    return jax.eval_shape(practise, jax.random.key(0))


@dataclasses.dataclass
class Config:
    size: object = 3
    rate: object = 0.5
    sharp: bool = True


@pytest.mark.parametrize("size", [1, 3, np.int32(3), np.int64(1)])
def test_integers_pass(size):
    check_integers(Config(size=size), size=1)


@pytest.mark.parametrize("size", [0, -1, 2.0, 50.5, True, "3", None, 1 + 2j, np.float32(2), (3,), 2**31])
def test_other_sizes_do_not(size):
    with pytest.raises(ValueError, match=r"Config.size must be an integer from 1 to 2147483647, got"):
        check_integers(Config(size=size), size=1)


@pytest.mark.parametrize("rate", [0, 1, 0.3, np.float32(0.3), np.float64(1), jnp.array([0.1, 0.2]), jnp.float32(0)])
def test_numbers_and_arrays_pass(rate):
    check_numbers(Config(rate=rate), rate=(0, 1))


@pytest.mark.parametrize(
    "rate", [-0.1, 1.1, np.float32(2), NAN, INF, 10**400, 1 + 2j, True, "0.5", None, jnp.float32(7), jnp.array([0.1, NAN])]
)
def test_other_rates_do_not(rate):
    with pytest.raises(ValueError, match=r"Config.rate must be a finite number between 0 and 1, got"):
        check_numbers(Config(rate=rate), rate=(0, 1))


@pytest.mark.parametrize("sharp", [None, NAN, 1, "yes", [], jnp.array(True)])
def test_a_boolean_is_one(sharp):
    check_integers(Config(sharp=np.bool_(False)))
    with pytest.raises(ValueError, match=r"Config.sharp must be True or False, got"):
        check_integers(Config(sharp=sharp))


@pytest.mark.parametrize(("config", "name"), WITH_BOOLEANS, ids=lambda x: getattr(x, "__name__", x))
def test_so_it_is_in_every_configuration(config, name):
    assert len(WITH_BOOLEANS) >= 10
    with pytest.raises(ValueError, match=f"{config.__name__}.{name} must be True or False, got 'no'"):
        config(**{name: "no"})


@pytest.mark.parametrize(
    ("check", "good", "bad", "rule"),
    [
        (
            lambda config: check_tuples(config, rate=(0, 1)),
            [(), (0, 1), [0.5], (np.float32(0.3),)],
            [0.5, None, "ab", ("a",), (0.5, NAN), (2.0,), (True,), ((0.5,),), jnp.array([0.5])],
            "a tuple of finite numbers between 0 and 1",
        ),
        (
            lambda config: check_one_or_each(config, rate=(0, 1)),
            [0.5, (0, 1), jnp.array([0.5])],
            [2.0, None, "abc", ("a",), (0.5, NAN)],
            "a finite number, or a tuple of them, between 0 and 1",
        ),
        (
            lambda config: check_range(config, "rate"),
            [None, (-150, 350.0), [0.0, 1.0], (0, np.float32(1))],
            [
                0.5,
                "ab",
                ("a", "b"),
                (),
                (1.0,),
                (0, 1, 2),
                (1, 1),
                (2, 1),
                (0, NAN),
                (-INF, INF),
                (0, INF),
                (0, 1e39),
                (-3e38, 3e38),
                (0, 1e-46),
            ],
            r"None or \(low, high\), finite with low < high in float32",
        ),
        (
            lambda config: check_widths(config, "rate"),
            [(8,), [8, 4], (np.int32(3),)],
            [8, (), (8, 0), (8.0,), "8", (True,), None],
            "a tuple of integers from 1 to 10000",
        ),
    ],
    ids=["tuples", "one or each", "range", "widths"],
)
def test_what_holds_several_numbers(check, good, bad, rule):
    for rate in good:
        check(Config(rate=rate))
    for rate in bad:
        with pytest.raises(ValueError, match=f"Config.rate must be {rule}, got"):
            check(Config(rate=rate))


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        (AlpGmmConfig, dict(fit_every=50.5), "AlpGmmConfig.fit_every must be an integer"),
        (ToyGridConfig, dict(cells=4.5), "ToyGridConfig.cells must be an integer"),
        (PpoConfig, dict(learning_rate=1 + 2j), "PpoConfig.learning_rate must be a finite number"),
        (PpoConfig, dict(learning_rate=float("inf")), "PpoConfig.learning_rate must be a finite number"),
        (PpoConfig, dict(discount=np.float32(1.5)), "PpoConfig.discount must be a finite number between 0 and 1"),
        (PpoConfig, dict(num_epochs=2.0), "PpoConfig.num_epochs must be an integer"),
        (PpoConfig, dict(hidden=8), "PpoConfig.hidden must be a tuple of integers from 1 to 10000, got 8"),
    ],
)
def test_configurations_use_them(config, changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)


@pytest.mark.parametrize("config", CONFIGS, ids=lambda config: config.__name__)
def test_an_integer_beyond_int32_is_refused_in_every_configuration(config):
    for name in fields_of(config, "int"):
        with pytest.raises(ValueError, match=rf"{config.__name__}\.{name} must .*, got 2147483648"):
            config(**{name: 2**31})


@pytest.mark.parametrize("config", FACTORIES, ids=lambda config: config.__name__)
def test_what_is_accepted_fits_in_memory(config):
    """Of each field alone the largest power of ten that is taken, or all that int32 holds."""
    for name in fields_of(config, "int"):
        for size in (2**31 - 1, *(10**digits for digits in range(9, -1, -1))):
            try:
                role = FACTORIES[config](config(**{name: size}))
            except ValueError:
                continue
            state = jax.eval_shape(role.init, jax.random.key(0))
            assert sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)) < 5e8, (name, size)
            break


@pytest.mark.parametrize("number", [0, 1, 2**31])
@pytest.mark.parametrize("config", FACTORIES, ids=lambda config: config.__name__)
def test_integers_are_floats_where_those_are_asked_for(config, number):
    """In every field that allows the number, all at once; JAX would take them for int32."""
    changed, names = config(), fields_of(config, "float", "ArrayLike")
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
    with pytest.raises(TypeError, match=f"must be of the type {config.__name__}, got {type(other).__name__}"):
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
        with pytest.raises(TypeError, match=rf"{teacher.__name__}\.{argument} must be of the type {kind}, got"):
            teacher(wrong)
