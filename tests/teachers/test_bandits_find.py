"""Bandit teachers that practise: the arm, or the order of arms, that they should find."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from bandits import ARMS, NUM_ARMS, episodes_of, updated

from jaxcurriculum import teachers


def practise(teacher, outcome, rounds, num=1, seed=0):
    """Arms proposed in every round ([rounds, num]) to a student that knows how often it practised
    each arm.

    outcome: (key, counts [arms], arm) -> (return, solved)
    """

    def one_round(carry, key):
        state, counts = carry
        key_propose, key_student, key_update = jax.random.split(key, 3)
        state, proposals = teacher.propose(key_propose, state, num)
        counts = counts.at[proposals.origin].add(1)
        returns, solved = jax.vmap(lambda key, arm: outcome(key, counts, arm))(
            jax.random.split(key_student, num), proposals.origin
        )
        state = updated(teacher, key_update, state, episodes_of(proposals.origin, returns, solved))
        return (state, counts), (proposals.origin, teacher.report(state))

    start = (teacher.init(jax.random.key(seed)), jnp.zeros((NUM_ARMS,), jnp.int32))
    _, (origin, report) = jax.jit(
        lambda: jax.lax.scan(one_round, start, jax.random.split(jax.random.key(seed), rounds))
    )()
    return np.asarray(origin), report


@pytest.mark.parametrize("name", ["online", "naive", "window", "sampling", "exp3"])
def test_the_arm_with_progress_is_found(name):
    """Only arm 3 gets better with practice; the others' returns are noise about different
    levels.
    """

    def outcome(key, counts, arm):
        learnt = jnp.where(arm == 3, 0.1 * counts[3], 10.0 * arm)
        return learnt + 0.02 * jax.random.normal(key), True

    exp3 = teachers.exp3(ARMS, teachers.Exp3Config(learning_rate=0.02))
    teacher = (
        exp3
        if name == "exp3"
        else teachers.tscl(ARMS, teachers.TsclConfig(algorithm=name, exploration=0.3))
    )
    origin, _ = practise(teacher, outcome, 1500)
    assert np.mean(origin[-500:] == 3) > 0.65


def test_ucb_finds_the_arm_with_the_largest_advantages():
    outcome = lambda key, counts, arm: (
        jnp.where(arm == 3, 1.0, 0.1) * jax.random.normal(key),
        False,
    )
    origin, _ = practise(teachers.ucb_advantage(ARMS), outcome, 2000)
    assert np.mean(origin[-500:] == 3) > 0.6 and np.all(
        np.bincount(origin[:500].ravel(), minlength=6) > 10
    )


def test_balanced_filtering_finds_the_arm_of_intermediate_difficulty():
    rates = jnp.array([0.0, 0.02, 1.0, 0.5, 0.98, 0.0])
    outcome = lambda key, counts, arm: (0.0, jax.random.bernoulli(key, rates[arm]))
    origin, _ = practise(teachers.balanced_filtering(ARMS), outcome, 500, num=8)
    assert np.mean(origin[-250:] == 3) > 0.7


def test_missing_skill_practises_what_fails_until_it_no_longer_does():
    """Every skill is there but number 3, which is learnt by 300 episodes."""
    outcome = lambda key, counts, arm: (0.0, (arm != 3) | (counts[3] > 300))
    origin, report = practise(teachers.missing_skill(ARMS), outcome, 800)
    taught = np.argmax(np.cumsum(origin == 3) > 300)
    assert 300 < taught < 500 and np.mean(origin[200:taught] == 3) > 0.85
    np.testing.assert_allclose(report["probabilities"][-1], np.full(6, 1 / 6), rtol=1e-5)


def test_skill_it_teaches_prerequisites_first_and_faster_for_knowing_them():
    """A chain: a skill is learnt by 60 episodes that come after the skill before it was learnt."""
    chain = np.eye(6) + 0.5 * np.triu(np.ones((6, 6)), 1)

    def learn(graph, rounds=4000):
        teacher = teachers.skill_it(
            ARMS, teachers.SkillItConfig(learning_rate=2.0, round_episodes=20, window=10), graph
        )

        def one_round(carry, key):
            state, practised = carry
            key_propose, key_update = jax.random.split(key)
            state, proposals = teacher.propose(key_propose, state, 1)
            arm = proposals.origin[0]
            ready = (arm == 0) | (practised[arm - 1] >= 60)
            practised = practised.at[arm].add(ready)
            state = updated(
                teacher,
                key_update,
                state,
                episodes_of(arm[None], [0.0], (practised[arm] >= 60)[None]),
            )
            return (state, practised), (practised, teacher.report(state)["probabilities"])

        start = (teacher.init(jax.random.key(0)), jnp.zeros((6,), jnp.int32))
        _, seen = jax.jit(
            lambda: jax.lax.scan(one_round, start, jax.random.split(jax.random.key(1), rounds))
        )()
        return [np.asarray(x) for x in seen]

    practised, probabilities = learn(chain)
    assert np.all(np.diff(probabilities[0]) < 0)
    frontier = np.sum(practised >= 60, axis=1)
    busy = frontier < 6
    assert np.mean(probabilities.argmax(1)[busy] == frontier[busy]) > 0.6
    ended = [np.argmax(np.sum(learnt >= 60, axis=1) == 6) for learnt in (practised, learn(None)[0])]
    assert 0 < 1.5 * ended[0] < ended[1]


def test_naive_practises_an_arm_in_rows_that_go_on_in_the_next_round():
    teacher = teachers.tscl(ARMS, teachers.TsclConfig(algorithm="naive", window=10))
    outcome = lambda key, counts, arm: (jax.random.normal(key), False)
    rows = practise(teacher, outcome, 40, num=25)[0].reshape(100, 10)
    assert np.all(rows == rows[:, :1]) and len(np.unique(rows[:, 0])) > 3
