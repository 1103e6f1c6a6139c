"""Configuration fields: what passes, and what is refused with its name, the rule and the value."""

import dataclasses
import inspect

import jax.numpy as jnp
import numpy as np
import pytest

import jaxcurriculum
from jaxcurriculum import students, teachers
from jaxcurriculum.fields import check_integers, check_numbers, check_one_or_each, check_range, check_tuples, check_widths
from jaxcurriculum.students import PpoConfig
from jaxcurriculum.students.simulated import ToyGridConfig
from jaxcurriculum.teachers import AlpGmmConfig

NAN, INF = float("nan"), float("inf")
WITH_BOOLEANS = [
    (config, field.name)
    for module in (jaxcurriculum, students, teachers)
    for config in vars(module).values()
    if inspect.isclass(config) and config.__name__.endswith("Config")
    for field in dataclasses.fields(config)
    if field.type == "bool"
]


@dataclasses.dataclass
class Config:
    size: object = 3
    rate: object = 0.5
    sharp: bool = True


@pytest.mark.parametrize("size", [1, 3, np.int32(3), np.int64(1)])
def test_integers_pass(size):
    check_integers(Config(size=size), size=1)


@pytest.mark.parametrize("size", [0, -1, 2.0, 50.5, True, "3", None, 1 + 2j, np.float32(2), (3,)])
def test_other_sizes_do_not(size):
    with pytest.raises(ValueError, match=r"Config.size must be an integer of at least 1, got"):
        check_integers(Config(size=size), size=1)


@pytest.mark.parametrize("rate", [0, 1, 0.3, np.float32(0.3), np.float64(1), jnp.array([0.1, 0.2]), jnp.float32(7)])
def test_numbers_and_arrays_pass(rate):
    check_numbers(Config(rate=rate), rate=(0, 1))


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.float32(2), NAN, INF, 10**400, 1 + 2j, True, "0.5", None])
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
            "a tuple of positive integers",
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
        (PpoConfig, dict(hidden=8), "PpoConfig.hidden must be a tuple of positive integers, got 8"),
    ],
)
def test_configurations_use_them(config, changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)
