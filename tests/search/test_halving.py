"""Successive halving and Hyperband: published numbers, and searches whose answer is known."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from flax import struct

from jaxcurriculum import Box, Loop, LoopConfig, Report, make_loop, search, teachers
from jaxcurriculum.records import Episodes, fresh_proposals
from jaxcurriculum.search import Rung, brackets, cost, hyperband, rungs, successive_halving
from jaxcurriculum.students import simulated
from jaxcurriculum.testing.compiling import quick_jit

RATES = Box(names=("rate",), low=(0.0,), high=(1.0,))
ROUNDS = 2  # in a unit


class Walk(struct.PyTreeNode):
    place: jax.Array  # []
    num_units: jax.Array  # [], int32
    noise: jax.Array  # [], of this curriculum


def returned(value):
    """A report whose evaluation returns `value`."""
    proposals = fresh_proposals(jax.random.key(0), jnp.zeros((1, 1)))
    evaluation = Episodes.of(proposals, jnp.full(1, value), jnp.zeros(1, bool))
    return Report(episodes=(), evaluation=evaluation, teacher=(), student={}, counters=())


def walks(worth=lambda rate, state: state.place):
    """A `build` of loops that go `rate` further in every unit; their returns are `worth`."""

    def init(key):
        return Walk(jnp.float32(0), jnp.int32(0), jax.random.normal(key))

    def build(values):
        def advance(state, round):
            told = jnp.where(round == ROUNDS * state.num_units, 0.0, jnp.nan)
            place = state.place + values["rate"] + told
            state = state.replace(place=place, num_units=state.num_units + 1)
            return state, returned(worth(values["rate"], state))

        config = LoopConfig(rounds_per_evaluation=ROUNDS)
        return Loop(None, None, None, config, init, None, advance, None)

    return build


def run(key, build, *arguments, find=successive_halving, **options):
    return quick_jit(lambda key: find(key, build, RATES, *arguments, **options))(key)


PUBLISHED = [
    [(81, 1), (27, 3), (9, 9), (3, 27), (1, 81)],
    [(34, 3), (11, 9), (3, 27), (1, 81)],
    [(15, 9), (5, 27), (1, 81)],
    [(8, 27), (2, 81)],
    [(5, 81)],
]


def test_brackets_are_those_that_are_published():
    assert [[tuple(rung) for rung in bracket] for bracket in brackets(81, 3)] == PUBLISHED
    assert rungs(81, 81, 3) == brackets(81, 3)[0]
    restarted = [cost(bracket, restart=True) for bracket in brackets(81)]
    assert restarted == [405, 363, 351, 378, 405] and sum(restarted) == 1902
    carried = [sum(n * r for n, r in bracket) for bracket in PUBLISHED]
    saved = [
        sum(after[0] * before[1] for before, after in zip(bracket, bracket[1:]))
        for bracket in PUBLISHED
    ]
    expected = [whole - part for whole, part in zip(carried, saved)]
    assert [cost(bracket) for bracket in brackets(81)] == expected and sum(expected) == 1581


def test_rungs_end_where_there_is_one_configuration_or_the_first_has_one_unit():
    assert rungs(10, 9, 2) == (Rung(10, 1), Rung(5, 2), Rung(2, 4), Rung(1, 9))
    assert rungs(4, 100, 4) == (Rung(4, 25), Rung(1, 100))
    assert rungs(100, 4, 4) == (Rung(100, 1), Rung(25, 4))


def test_the_best_go_on_from_where_they_are():
    key = jax.random.key(0)
    found = run(key, walks(), rungs(9, 9))
    first, second, last = found.tried
    rates = np.asarray(first.values["rate"])
    assert len(np.unique(rates)) == 9 and (0 <= rates).all() and (rates <= 1).all()
    order = np.argsort(-rates)
    np.testing.assert_array_equal(second.values["rate"], rates[order[:3]])
    for rung, units in ((first, 1), (second, 3), (last, 9)):
        np.testing.assert_allclose(rung.scores, units * rung.values["rate"], rtol=1e-6)
    assert found.values["rate"] == rates.max() and found.score == last.scores[0]
    assert found.states.num_units.tolist() == [9]


def test_searches_are_mapped_over_keys():
    keys = jax.random.split(jax.random.key(1), 3)
    both = quick_jit(
        jax.vmap(lambda key: successive_halving(key, walks(), RATES, rungs(9, 9))),
    )(keys)
    alone = run(keys[1], walks(), rungs(9, 9))
    assert len(set(both.values["rate"].tolist())) == 3
    np.testing.assert_array_equal(both.values["rate"][1], alone.values["rate"])
    np.testing.assert_allclose(both.score[1], alone.score, rtol=1e-6)


def test_the_mean_over_the_seeds_of_a_configuration_counts():
    build = walks(lambda rate, state: rate + 100 * state.noise)
    found = run(jax.random.key(0), build, rungs(4, 4, 2), num_seeds=64)
    noise = found.states.noise
    assert noise.shape == (64,) and abs(float(noise.mean())) < 0.5
    expected = found.values["rate"] + 100 * noise.mean()
    np.testing.assert_allclose(found.score, expected, rtol=1e-4)


def test_a_configuration_that_breaks_loses_whatever_the_others_do():
    build = walks(lambda rate, state: jnp.where(rate > 0.3, jnp.nan, -1e30 * (1 - rate)))
    found = run(jax.random.key(0), build, rungs(9, 9))
    rates = np.asarray(found.tried[0].values["rate"])
    assert np.isnan(found.tried[0].scores).sum() == (rates > 0.3).sum() > 3
    assert found.values["rate"] == rates[rates <= 0.3].max() and np.isfinite(found.score)
    every = run(jax.random.key(0), walks(lambda rate, state: jnp.nan * rate), rungs(9, 9))
    assert np.isnan(every.score)  # nobody wins
    lowest = search.halving.best(jnp.array([jnp.nan, -jnp.inf, jnp.nan]), 2)
    assert lowest.tolist() == [1, 0]


def test_hyperband_finds_who_begins_late():
    def worth(rate, state):
        """Those above 0.5 are worth nothing until they have had all units."""
        late = jnp.where(state.num_units == 9, 100 * rate, 0.0)
        return jnp.where(rate > 0.5, late, rate)

    key = jax.random.key(0)
    early = run(key, walks(worth), rungs(9, 9))
    assert early.values["rate"] < 0.5
    found = run(key, walks(worth), 9, find=hyperband)
    assert [len(tried.scores) for tried in found.tried] == [9, 3, 1, 5, 1, 3]
    ends = np.concatenate([found.tried[index].scores for index in (2, 4, 5)])
    assert found.values["rate"] > 0.5 and found.score == ends.max() == 100 * found.values["rate"]
    assert found.states.num_units.tolist() == [9]


@pytest.mark.parametrize(
    "call, message",
    [
        (lambda: rungs(9, 9, 1), r"^eta must be an integer of at least 2, got 1\.$"),
        (lambda: rungs(2, 9, 3), r"^rungs\.num must be an integer of at least eta=3, got 2\.$"),
        (lambda: rungs(9, 2.5, 3), r"rungs\.units must be an integer of at least eta=3, got 2\.5"),
        (lambda: brackets(2, 3), r"^units must be an integer of at least eta=3, got 2\.$"),
        (lambda: brackets(9, True), "eta must be an integer of at least 2, got True"),
        (lambda: run(KEY, walks(), []), "rungs must be pairs"),
        (lambda: run(KEY, walks(), [(3, 1), (4, 2)]), "no more configurations and with more units"),
        (lambda: run(KEY, walks(), [(3, 2), (1, 2)]), "no more configurations and with more units"),
        (lambda: run(KEY, walks(), [(3, 2), (0, 4)]), "positive integers"),
        (lambda: run(KEY, walks(), rungs(3, 3), num_seeds=0), "num_seeds must be a positive"),
        (
            lambda: run(KEY, walks(), rungs(3, 3), score=lambda report: report.evaluation.returns),
            r"score must give one number, got an array of shape \[1\]",
        ),
    ],
)
def test_what_cannot_be_searched_is_named(call, message):
    with pytest.raises(ValueError, match=message):
        call()


KEY = jax.random.key(0)


def test_other_things_than_loops_and_boxes_are_named():
    with pytest.raises(TypeError, match="space must be of the type Box"):
        successive_halving(KEY, walks(), {"rate": (0, 1)}, rungs(3, 3))
    with pytest.raises(TypeError, match=r"build\(values\) must be of the type Loop"):
        run(KEY, lambda values: values["rate"], rungs(3, 3))


def test_a_search_runs_over_the_settings_of_a_teacher():
    student = simulated.skill_graph(simulated.SkillGraphConfig(num_skills=2, growth=1.0))
    arms = teachers.arms.cells(student.task_space, 2)

    def build(values):
        teacher = teachers.tscl(arms, search.with_values(teachers.TsclConfig(), values))
        return make_loop(teacher, student, [[0.5]], LoopConfig(rounds_per_evaluation=20))

    space = Box(names=("exploration",), low=(0.01,), high=(1.0,), log=(True,))
    find = quick_jit(lambda key: successive_halving(key, build, space, rungs(2, 2, 2)))
    found = find(KEY)
    assert 0.01 <= found.values["exploration"] <= 1 and found.score == 1
