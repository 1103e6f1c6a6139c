"""Successive halving: many configurations begin, and the best part of them goes on.

    rung 0      n configurations, drawn at random, train for r units and are scored
    rung i      the best n / eta^i of them go on until they have trained for r eta^i units

A unit is one `advance` of a loop: its rounds between two evaluations, and an evaluation. All
configurations of a rung are lanes of one program, each with its own state, which goes on from where
it is.

Source: K. Jamieson, A. Talwalkar, "Non-stochastic best arm identification and hyperparameter
optimization", AISTATS 2016.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import jax
import jax.numpy as jnp
from flax import struct

from jaxcurriculum import tree
from jaxcurriculum.fields import check_kind, is_integer
from jaxcurriculum.loop import Loop, LoopState, Report
from jaxcurriculum.records import Key
from jaxcurriculum.spaces import Box

Values = dict[str, jax.Array]


class Rung(NamedTuple):
    """How many configurations train until each has had so many units, from its beginning on."""

    num: int
    units: int


class Tried(struct.PyTreeNode):
    """What one rung found, [num] each; the score is nan where a configuration broke."""

    values: Values
    scores: jax.Array


class Found(struct.PyTreeNode):
    """The best configuration of those that trained longest."""

    values: Values  # [] each
    score: jax.Array  # [], after its last unit
    states: LoopState  # [num_seeds, ...], from which it goes on
    tried: tuple[Tried, ...]  # a rung each


def rungs(num: int, units: int, eta: int = 3) -> tuple[Rung, ...]:
    """The rungs of a halving that begins with `num` configurations and trains the last for `units`.

    Numbers are rounded down. There are as many rungs as leave a configuration and a unit on each.

    Raises:
      ValueError: when `eta` is less than 2, or there are fewer configurations or units than `eta`.

    >>> [(rung.num, rung.units) for rung in rungs(81, 81)]
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)]
    """
    check_rate(eta)
    for name, value in (("num", num), ("units", units)):
        if not is_integer(value, eta):
            raise ValueError(f"rungs.{name} must be an integer of at least {eta=}, got {value!r}.")
    return halved(num, units, eta, num_halvings(min(num, units), eta))


def halved(num: int, units: int, eta: int, times: int) -> tuple[Rung, ...]:
    """The rungs when `num` configurations become fewer so many `times`."""
    return tuple(
        Rung(num // eta**index, units // eta ** (times - index)) for index in range(times + 1)
    )


def num_halvings(most: int, eta: int) -> int:
    """The largest s with eta^s <= most."""
    s = 0
    while eta ** (s + 1) <= most:
        s += 1
    return s


def check_rate(eta: int) -> None:
    """Check that 1 / eta is a part of the configurations.

    Raises:
      ValueError: when it is all of them, or eta no integer.
    """
    if not is_integer(eta, 2):
        raise ValueError(f"eta must be an integer of at least 2, got {eta!r}.")


def cost(rungs: Sequence[Rung], restart: bool = False) -> int:
    """Units that the rungs take in all; with `restart` as if each of them began anew.

    >>> cost(rungs(81, 81)), cost(rungs(81, 81), restart=True)
    (297, 405)
    """
    before = [0, *(0 if restart else rung.units for rung in rungs)]
    return sum(rung.num * (rung.units - done) for rung, done in zip(rungs, before))


def mean_return(report: Report) -> jax.Array:
    """The mean return of an evaluation, []."""
    return jnp.mean(report.evaluation.returns)


def successive_halving(
    key: Key,
    build: Callable[[Values], Loop],
    space: Box,
    rungs: Sequence[Rung],
    score: Callable[[Report], jax.Array] = mean_return,
    num_seeds: int = 1,
) -> Found:
    """The best of many configurations, most of which train for a short time only.

    It is pure, and un-jitted: `jax.jit` makes one program of it, `jax.vmap` over keys independent
    searches.

    Args:
      build: makes the loop of one configuration of its settings ([] each, by the names of `space`);
        `with_values` writes them into a `Config`.
      space: what configurations are drawn from, uniformly.
      rungs: as `rungs` or `brackets` make them.
      score: of a configuration's last evaluation, [], higher is better. One that is nan loses.
      num_seeds: curricula of each configuration, whose mean score counts.

    Raises:
      TypeError: when `space` is no Box, or `build` makes no loop.
      ValueError: when the rungs do not get narrower and longer, or a score is no single number.

    >>> from jaxcurriculum import make_loop, teachers
    >>> from jaxcurriculum.search import with_values
    >>> from jaxcurriculum.students import simulated
    >>> grid = simulated.toy_grid(simulated.ToyGridConfig(cells=2))
    >>> arms = teachers.arms.cells(grid.task_space, 2)
    >>> def build(values):
    ...     teacher = teachers.tscl(arms, with_values(teachers.TsclConfig(), values))
    ...     return make_loop(teacher, grid, [[0.2, 0.2]])
    >>> space = Box(names=("exploration",), low=(0.0,), high=(1.0,))
    >>> found = jax.eval_shape(  # for the shapes alone: nothing is compiled
    ...     lambda key: successive_halving(key, build, space, rungs(4, 4, eta=2)), jax.random.key(0)
    ... )
    >>> [tried.scores.shape for tried in found.tried], sorted(found.values)
    ([(4,), (2,), (1,)], ['exploration'])
    """
    check_kind("successive_halving.space", space, Box)
    rungs = _checked_rungs(rungs)
    key_space, key_init = jax.random.split(key)
    drawn = jax.vmap(space.sample)(jax.random.split(key_space, rungs[0].num))
    values = dict(zip(space.names, drawn.T))
    init, train = _lane(build, score, num_seeds)
    states = jax.vmap(init)(jax.random.split(key_init, rungs[0].num), values)
    done, tried = 0, []
    for rung in rungs:
        if tried:
            states, values = tree.take((states, values), best(tried[-1].scores, rung.num))
        units = jnp.arange(done, rung.units, dtype=jnp.int32)
        states, scores = jax.vmap(train, in_axes=(0, 0, None))(states, values, units)
        tried.append(Tried(values, scores))
        done = rung.units
    winner = tree.take({"values": values, "score": scores, "states": states}, best(scores, 1)[0])
    return Found(**winner, tried=tuple(tried))


def _checked_rungs(rungs: Sequence[Rung]) -> list[Rung]:
    rungs = [Rung(*rung) for rung in rungs]
    numbers = [number for rung in rungs for number in rung]
    narrows = all(a.num >= b.num and a.units < b.units for a, b in zip(rungs, rungs[1:]))
    if not (rungs and narrows and all(is_integer(number, 1) for number in numbers)):
        raise ValueError(
            "rungs must be pairs (configurations, units) of positive integers, each with no more"
            f" configurations and with more units than the one before, got {rungs}."
        )
    return rungs


def _lane(
    build: Callable[[Values], Loop], score: Callable[[Report], jax.Array], num_seeds: int
) -> tuple[Callable[..., LoopState], Callable[..., tuple[LoopState, jax.Array]]]:
    """How the curricula of one configuration begin, and how they go on, as pure functions."""
    if not is_integer(num_seeds, 1):
        raise ValueError(f"num_seeds must be a positive integer, got {num_seeds!r}.")

    def init(key: Key, values: Values) -> LoopState:
        loop = build(values)
        check_kind("build(values)", loop, Loop)
        return jax.vmap(loop.init)(jax.random.split(key, num_seeds))

    def train(states: LoopState, values: Values, units: jax.Array) -> tuple[LoopState, jax.Array]:
        loop = build(values)

        def advance(states: LoopState, unit: jax.Array) -> tuple[LoopState, jax.Array]:
            start = unit * loop.config.rounds_per_evaluation
            states, reports = jax.vmap(loop.advance, in_axes=(0, None))(states, start)
            scores = jax.vmap(score)(reports)
            if scores.shape != (num_seeds,):
                shape = list(scores.shape[1:])
                raise ValueError(f"score must give one number, got an array of shape {shape}.")
            return states, jnp.mean(scores)

        states, scores = jax.lax.scan(advance, states, units)
        return states, scores[-1]

    return init, train


def best(scores: jax.Array, num: int) -> jax.Array:
    """The places of the `num` highest `scores`, [num] int32, the best first; nan is the lowest.

    >>> best(jnp.array([1.0, jnp.nan, 3.0, -jnp.inf]), 3).tolist()
    [2, 0, 3]
    """
    return jnp.argsort(-scores)[:num]  # nan is sorted to the end
