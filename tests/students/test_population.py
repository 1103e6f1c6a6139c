"""Several learners at once: whose episodes are whose, and regret against a loop in Python."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import Episodes
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, population, ppo, simulated
from jaxcurriculum.teachers.parts.regret import regret_by_origin
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

SLOTS = RolloutConfig(num_envs=8, num_steps=24, pool_size=8, assign="slot", carry=False)
SMALL = PpoConfig(hidden=(8,), minibatch_size=64, num_epochs=1)


def proposals_of(space, num, key=0):
    tasks = jax.vmap(space.sample)(jax.random.split(jax.random.key(key), num))
    proposals = fresh_proposals(jax.random.key(key + 1), tasks)
    return proposals.replace(origin=jnp.arange(num, dtype=jnp.int32))


def regret_by_hand(episodes, num_origins):
    """The same from one episode after the other."""
    returns = {origin: ([], []) for origin in range(num_origins)}
    for i in range(len(episodes.returns)):
        if episodes.valid[i] and 0 <= episodes.origin[i] < num_origins:
            returns[int(episodes.origin[i])][int(episodes.learner[i])].append(episodes.returns[i])
    known = [bool(first and second) for first, second in returns.values()]
    regret = [
        max(second) - sum(first) / len(first) if first and second else 0.0
        for first, second in returns.values()
    ]
    return np.array(regret), np.array(known)


def test_regret_of_two_on_the_same_levels_is_that_of_a_loop():
    pair = population(ppo(probes.target(), SMALL, SLOTS), 2)
    proposals = proposals_of(pair.task_space, SLOTS.num_envs)
    state = quick_jit(pair.init)(jax.random.key(2))
    train = quick_jit(pair.train)
    for round in range(3):
        state, episodes = train(jax.random.key(round), state, proposals, jnp.int32(round))
        expected, known = regret_by_hand(jax.tree.map(np.asarray, episodes), SLOTS.num_envs)
        regret, is_known = regret_by_origin(episodes, SLOTS.num_envs)
        np.testing.assert_array_equal(is_known, known)
        np.testing.assert_allclose(regret, expected, atol=1e-6)
        assert known.all() and len(set(np.round(expected, 5))) > 4


def test_who_is_unknown_or_missing_has_no_regret():
    proposals = proposals_of(probes.UNIT, 6).replace(origin=jnp.array([0, 0, 1, 1, -1, 7]))
    returns = jnp.array([1.0, 4.0, 2.0, jnp.nan, 9.0, 9.0])
    episodes = Episodes.of(proposals, returns, returns > 0, learner=jnp.array([0, 1, 0, 1, 1, 1]))
    regret, known = regret_by_origin(episodes, 3)
    assert regret.tolist() == [3.0, 0.0, 0.0] and known.tolist() == [True, False, False]


@pytest.mark.parametrize("share", [True, False])
def test_each_learner_is_the_student_alone(share):
    student = simulated.toy_grid(simulated.ToyGridConfig(cells=4, episodes_per_round=30))
    pair = population(student, 2, share)
    proposals = proposals_of(student.task_space, pair.num_proposals)
    keys = jax.random.split(jax.random.key(5), 2)
    states = jax.vmap(student.init)(jax.random.split(jax.random.key(4), 2))
    state, episodes = quick_jit(pair.train)(
        jax.random.key(5), pair.init(jax.random.key(4)), proposals, jnp.int32(0)
    )
    assert pair.num_proposals == (30 if share else 60) and pair.steps_per_round == 60
    for number in range(2):
        own = (
            proposals
            if share
            else jax.tree.map(lambda x, n=number: x[30 * n : 30 * n + 30], proposals)
        )
        alone = jax.tree.map(lambda leaf, n=number: leaf[n], states)
        after, expected = student.train(keys[number], alone, own, jnp.int32(0))
        mine = jax.tree.map(lambda leaf, n=number: leaf[episodes.learner == n], episodes)
        np.testing.assert_array_equal(mine.returns, expected.returns)
        np.testing.assert_array_equal(state.competence[number], after.competence)


def test_an_evaluation_keeps_the_order_of_the_tasks():
    student = simulated.toy_grid(simulated.ToyGridConfig(cells=4))
    pair = population(student, 3)
    tasks = simulated.toy_grid_test_tasks(simulated.ToyGridConfig(cells=4))
    seeds = jnp.arange(len(tasks), dtype=jnp.uint32)
    episodes = pair.evaluate(jax.random.key(0), pair.init(jax.random.key(1)), tasks, seeds, 2, True)
    np.testing.assert_array_equal(episodes.seeds, np.repeat(seeds, 6))
    assert episodes.learner[:6].tolist() == [0, 0, 1, 1, 2, 2]


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0,), "population.n must be a positive integer, got 0"),
        ((2, "no"), "share must be True or False, got 'no'"),
    ],
)
def test_a_population_has_someone_and_shares_or_does_not(given, message):
    with pytest.raises(ValueError, match=message):
        population(simulated.toy_grid(), *given)
