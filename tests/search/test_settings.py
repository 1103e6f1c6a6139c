"""Which settings can be searched, and what becomes of them."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

from jaxcurriculum.configs import Config, Swept, field
from jaxcurriculum.search import with_values
from jaxcurriculum.students import PpoConfig
from jaxcurriculum.teachers import AlpGmmConfig


@dataclasses.dataclass(frozen=True, kw_only=True)
class Both(Config):
    teacher: AlpGmmConfig = AlpGmmConfig(window=100)
    share: Swept = field(0.5, low=0, high=1, help="of something")


def test_settings_are_written_also_inside_a_jitted_program():
    @jax.jit
    def read(values):
        config = with_values(Both(), values)
        teacher = config.teacher
        return config.share, teacher.exploration, teacher.fit_every, teacher.initial_std

    values = {"share": 0.25, "teacher.exploration": 0.75, "teacher.fit_every": 41.7}
    share, exploration, fit_every, std = read({name: jnp.float32(x) for name, x in values.items()})
    assert (share, exploration, std) == (0.25, 0.75, Both().teacher.initial_std)
    assert fit_every == 42 and fit_every.dtype == jnp.int32
    assert with_values(PpoConfig(), {}) == PpoConfig()


@pytest.mark.parametrize(
    "config, name, message",
    [
        (AlpGmmConfig(), "explore", r"AlpGmmConfig\.explore is no setting; .* exploration, fit_ev"),
        (AlpGmmConfig(), "max_components", r"AlpGmmConfig\.max_components decides the program; th"),
        (AlpGmmConfig(), "num_rows", r"AlpGmmConfig\.num_rows is no setting"),
        (AlpGmmConfig(), "fit_every", r"AlpGmmConfig\.window must be given where fit_every is an "),
        (Both(), "teacher", r"Both\.teacher decides the program; .* are share\."),
        (Both(), "teacher.explore", r"AlpGmmConfig\.explore is no setting"),
        (Both(), "share.explore", r"Both\.share\.explore is no setting"),
        (PpoConfig(), "num_epochs", r"PpoConfig\.num_epochs decides the program; .*learning_rate"),
        (AlpGmmConfig(), "exploration", r"AlpGmmConfig\.exploration must be .*, got .*1\.5"),
    ],
)
def test_what_cannot_be_searched_is_named(config, name, message):
    with pytest.raises(ValueError, match=message):
        with_values(config, {name: jnp.float32(1.5)})
