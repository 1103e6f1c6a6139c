"""Abilities: the law of success, and growth against its closed form."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.students.simulated import AbilitiesConfig, abilities, abilities_test_tasks
from jaxcurriculum.testing.compiling import quick_jit


def practise(student, state, tasks):
    return quick_jit(student.train)(
        jax.random.key(0),
        state,
        fresh_proposals(jax.random.key(1), jnp.array(tasks, jnp.float32)),
        jnp.int32(0),
    )


def test_growth_at_a_fixed_difficulty_follows_its_closed_form():
    """With z = slope (ability - difficulty), dz/dn = slope growth / cosh^2(z / 2): (z + sinh z)
    / 2 grows by slope growth an episode.
    """
    config = AbilitiesConfig(growth=0.002, episodes_per_round=3000)
    student = abilities(config)
    state, _ = practise(student, student.init(jax.random.key(0)), np.full((3000, 2), [1.5, 1.0]))
    z = config.slope * (np.array([0.0, float(state.ability[1])]) - 1.0)
    measured = np.diff((z + np.sinh(z)) / 2)[0]
    np.testing.assert_allclose(measured, config.slope * config.growth * 3000, rtol=2e-3)
    np.testing.assert_array_equal(state.ability[jnp.array([0, 2, 3])], 0)


def test_growth_is_largest_where_success_is_even():
    student = abilities(AbilitiesConfig(growth=0.5, initial_ability=3.0, num_abilities=1))
    difficulties = np.linspace(0, 10, 41)
    grown = [
        float(practise(student, student.init(jax.random.key(0)), [[0.5, d]])[0].ability[0]) - 3
        for d in difficulties
    ]
    assert difficulties[np.argmax(grown)] == 3.0 and max(grown) == 0.5
    p = 1 / (1 + np.exp(-2 * (3 - difficulties)))
    np.testing.assert_allclose(grown, 0.5 * 4 * p * (1 - p), atol=1e-5)


def test_success_is_drawn_from_the_logistic_law_in_training_and_in_evaluation():
    """4 standard deviations of 4,000 draws; weight 0 keeps the ability where it is."""
    student = abilities(AbilitiesConfig(initial_ability=2.0, slope=1.5, episodes_per_round=4000))
    state = student.init(jax.random.key(0))
    evaluate = quick_jit(student.evaluate, static_argnums=(4, 5))
    for difficulty in (1.0, 2.0, 3.5):
        p = 1 / (1 + np.exp(-1.5 * (2 - difficulty)))
        task = jnp.array([[3.2, difficulty]])
        proposals = fresh_proposals(jax.random.key(2), jnp.repeat(task, 4000, axis=0)).replace(
            weight=jnp.zeros(4000)
        )
        after, trained = quick_jit(student.train)(jax.random.key(3), state, proposals, jnp.int32(0))
        tested = evaluate(jax.random.key(4), state, task, jnp.zeros((1,), jnp.uint32), 4000, True)
        np.testing.assert_array_equal(after.ability, state.ability)
        for episodes in (trained, tested):
            assert set(np.unique(episodes.returns)) == {0.0, 1.0}
            np.testing.assert_array_equal(episodes.solved, episodes.returns == 1)
            assert abs(np.mean(episodes.returns) - p) < 4 * np.sqrt(p * (1 - p) / 4000)


def test_tasks_of_a_round_are_practised_one_after_the_other():
    """And the last interval holds the bound; a plain loop gives the same abilities."""
    config = AbilitiesConfig(num_abilities=3, growth=0.3, episodes_per_round=2000, hardest=4.0)
    student, rng = abilities(config), np.random.default_rng(0)
    tasks = np.stack(
        [rng.choice([0.0, 0.7, 1.0, 2.4, 3.0], 2000), rng.uniform(0, 4, 2000)], axis=1
    ).astype(np.float32)
    state, _ = practise(student, student.init(jax.random.key(0)), tasks)
    expected = np.zeros(3)
    for x, difficulty in tasks:
        k = min(int(x), 2)
        p = 1 / (1 + np.exp(-2 * (expected[k] - difficulty)))
        expected[k] += 0.3 * 4 * p * (1 - p)
    np.testing.assert_allclose(state.ability, expected, rtol=1e-4)


def test_test_tasks_and_score():
    config = AbilitiesConfig(num_abilities=2)
    tasks = abilities_test_tasks(config)
    assert tasks.shape == (20, 2) and tasks.dtype == np.float32
    assert sorted(set(tasks[:, 0].tolist())) == [0.5, 1.5] and tasks[:10, 1].tolist() == [
        0.5 + i for i in range(10)
    ]
    student = abilities(config)
    state = student.init(jax.random.key(0)).replace(ability=jnp.array([5.0, -100.0]))
    p = 1 / (1 + np.exp(-2 * (5 - tasks[:10, 1])))
    np.testing.assert_allclose(student.report(state)["score"], 100 * p.sum() / 20, rtol=1e-5)


@pytest.mark.parametrize(
    "bad",
    [
        {"num_abilities": 0},
        {"episodes_per_round": 0},
        {"hardest": 0.0},
        {"slope": -1.0},
        {"growth": -0.1},
        {"initial_ability": np.nan},
    ],
)
def test_bad_configurations_are_named(bad):
    with pytest.raises(ValueError, match=f"AbilitiesConfig.{next(iter(bad))}"):
        AbilitiesConfig(**bad)
