"""Configuration fields: what passes, and what is refused with its name, the rule and the value."""

import dataclasses
import typing
from typing import Literal

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import challenges, students, teachers
from jaxcurriculum.configs import Config, Range, Swept, field
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig
from jaxcurriculum.students.simulated import ToyGridConfig
from jaxcurriculum.teachers.parts.level_scores import SCORES, ScoreName
from jaxcurriculum.testing import probes


@dataclasses.dataclass(frozen=True, kw_only=True)
class Inner(Config):
    size: int = field(1, help="of it")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Example(Config):
    size: int = field(3, low=1, help="an integer")
    rate: float = field(0.5, low=0, high=1, help="a number")
    swept: Swept = field(0.5, low=0, high=1, help="a number or an array")
    sharp: bool = field(True, help="a flag")
    kind: Literal["low", "high"] = field("low", help="a choice")
    widths: tuple[int, ...] = field((8,), low=1, help="integers")
    shares: tuple[float, ...] = field((), low=0, high=1, help="numbers")
    each: Swept | tuple[float, ...] = field(0.5, low=0, help="one or each")
    bounds: Range | None = field(None, help="a range")
    pair: tuple[float, float] = field((0.0, 0.0), help="two numbers")
    corner: int | Literal["random"] = field(0, low=0, help="an integer or a word")
    inner: Inner = field(Inner(), help="another configuration")
    name: str = field("x", help="a text")
    plain: int = 3


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("size", [1, 3, np.int32(3), np.int64(1), 2**31 - 1]),
        ("rate", [0, 1, 0.3, np.float32(0.3), np.float64(1)]),
        (
            "swept",
            [0, 1, 0.3, np.float32(0.3), jnp.array([0.1, 0.2]), jnp.float32(0), jnp.array([0, 1])],
        ),
        ("sharp", [False, np.bool_(False)]),
        ("kind", ["low", "high"]),
        ("widths", [(8,), [8, 4], (np.int32(3),)]),
        ("shares", [(), (0, 1), [0.5], (np.float32(0.3),)]),
        ("each", [0.5, (0, 1), jnp.array([0.5])]),
        ("bounds", [None, (-150, 350.0), [0.0, 1.0], (0, np.float32(1))]),
        ("pair", [(1, 1), (2.0, 1.0)]),
        ("corner", [0, 7, "random"]),
        ("inner", [Inner(size=2)]),
        ("name", ["", "anything"]),
        ("plain", ["anything"]),
    ],
)
def test_what_passes(name, values):
    for value in values:
        Example(**{name: value})


def test_nobody_knows_the_numbers_of_a_traced_array():
    shape = jax.eval_shape(lambda rates: Example(swept=rates).swept, jnp.array([7.0]))
    assert shape.shape == (1,)


def test_integers_become_floats_where_those_are_asked_for():
    example = Example(rate=1, shares=(0, 1), bounds=[0, 2], corner=1)
    assert (example.rate, example.shares, example.bounds) == (1.0, (0.0, 1.0), (0.0, 2.0))
    floats = (example.rate, *example.shares, *example.bounds)
    assert {type(number) for number in floats} == {float} and type(example.corner) is int


@pytest.mark.parametrize(
    ("name", "rule"),
    [
        ("size", "an integer from 1 to 2147483647"),
        ("rate", "a finite number between 0 and 1"),
        ("swept", "a finite number between 0 and 1"),
        ("sharp", "True or False"),
        ("kind", '"low" or "high"'),
        ("widths", "a tuple of integers from 1 to 2147483647"),
        ("shares", "a tuple of finite numbers between 0 and 1"),
        ("each", "a finite number of at least 0 or a tuple of finite numbers of at least 0"),
        ("bounds", r"\(low, high\), finite with low < high in float32 or None"),
        ("pair", "two finite numbers"),
        ("corner", 'an integer from 0 to 2147483647 or "random"'),
        ("inner", "of the type Inner"),
        ("name", "a text"),
    ],
)
def test_what_is_refused_says_the_rule_and_the_value(name, rule):
    with pytest.raises(ValueError, match=rf"^Example\.{name} must be {rule}, got \(1\+2j\)\.$"):
        Example(**{name: 1 + 2j})


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (
            lambda: RolloutConfig(assign="slot", num_envs=4, pool_size=5),
            "RolloutConfig.pool_size must equal num_envs",
        ),
        (
            lambda: students.ppo(probes.target(), PpoConfig(minibatch_size=1000)),
            "PpoConfig.minibatch_size must divide",
        ),
        (
            lambda: teachers.TsclConfig(algorithm="naive", window=1),
            "TsclConfig.window must be at least 2",
        ),
        (
            lambda: teachers.TsclConfig(algorithm="sampling", policy="boltzmann"),
            "TsclConfig.policy must be 'epsilon-greedy'",
        ),
        (
            lambda: teachers.LearnabilityConfig(num_candidates=10**6),
            "num_candidates \\* num_attempts <= 1,000,000",
        ),
        (lambda: teachers.RiacConfig(max_items=10**6), "max_items \\* max_draws <= 10,000,000"),
        (
            lambda: teachers.AccelConfig(replay=teachers.PlrConfig()),
            "AccelConfig.replay must be robust.* got PlrConfig.robust=False",
        ),
        (
            lambda: teachers.AccelConfig(num_parents=17),
            "AccelConfig.num_parents must be at most num_candidates=16",
        ),
        (lambda: teachers.AdrConfig(shrink_at=200.0), "AdrConfig must have shrink_at < grow_at"),
        (lambda: ToyGridConfig(dims=8), r"ToyGridConfig must have cells\*\*dims <= 10,000,000"),
        (lambda: ToyGridConfig(corner=4), "ToyGridConfig.corner must lie between 0 and 2"),
        (
            lambda: ToyGridConfig(start_cell=(1, 10)),
            "ToyGridConfig.start_cell must lie between 0 and 9",
        ),
        (
            lambda: ToyGridConfig(start_cell=[1, 2]),
            "ToyGridConfig.start_cell must be a tuple of dims=2 cells",
        ),
        (lambda: teachers.Knowledge(failure=200.0), "Knowledge.failure must lie below success"),
        (
            lambda: challenges.MostlyTrivialConfig(side="left"),
            'MostlyTrivialConfig.side must be "low" or "high"',
        ),
    ],
)
def test_rules_between_fields(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_scores_have_names():
    assert typing.get_args(ScoreName) == tuple(SCORES)
