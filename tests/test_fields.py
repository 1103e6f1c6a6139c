"""Configuration fields: what passes, and what is refused with its name, the rule and the value."""

import dataclasses

import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.fields import check_integers, check_numbers
from jaxcurriculum.students import PpoConfig
from jaxcurriculum.students.simulated import ToyGridConfig
from jaxcurriculum.teachers import AlpGmmConfig


@dataclasses.dataclass
class Config:
    size: object = 3
    rate: object = 0.5


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


@pytest.mark.parametrize("rate", [-0.1, 1.1, np.float32(2), float("nan"), float("inf"), 1 + 2j, True, "0.5", None])
def test_other_rates_do_not(rate):
    with pytest.raises(ValueError, match=r"Config.rate must be a finite number between 0 and 1, got"):
        check_numbers(Config(rate=rate), rate=(0, 1))


@pytest.mark.parametrize(
    ("config", "changes", "message"),
    [
        (AlpGmmConfig, dict(fit_every=50.5), "AlpGmmConfig.fit_every must be an integer"),
        (ToyGridConfig, dict(cells=4.5), "ToyGridConfig.cells must be an integer"),
        (PpoConfig, dict(learning_rate=1 + 2j), "PpoConfig.learning_rate must be a finite number"),
        (PpoConfig, dict(learning_rate=float("inf")), "PpoConfig.learning_rate must be a finite number"),
        (PpoConfig, dict(discount=np.float32(1.5)), "PpoConfig.discount must be a finite number between 0 and 1"),
        (PpoConfig, dict(num_epochs=2.0), "PpoConfig.num_epochs must be an integer"),
    ],
)
def test_configurations_use_them(config, changes, message):
    with pytest.raises(ValueError, match=message):
        config(**changes)
