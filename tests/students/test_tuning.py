"""Settings that change while a student learns: schedules, populations that evolve, discounts."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pytest
from flax import struct

from jaxcurriculum import Box, Student, students
from jaxcurriculum.records import Episodes, attempts, fresh_proposals
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.students import PpoConfig, population, tune
from jaxcurriculum.students.tuning.tune import settings_of, with_settings
from jaxcurriculum.testing import probes
from jaxcurriculum.testing.compiling import quick_jit

UNIT = Box(names=("x",), low=(0.0,), high=(1.0,))


class Settings(struct.PyTreeNode):
    first: jax.Array
    second: jax.Array


class Climber(struct.PyTreeNode):
    place: jax.Array  # [2]
    settings: Settings


class ClimberState(struct.PyTreeNode):
    learner: Climber


def climber():
    """Ascends 1.2 - sum (setting x)^2 from (0.9, 0.9), 10 steps a round; worth 1.2 - sum x^2."""

    def init(key):
        return ClimberState(Climber(jnp.full(2, 0.9), Settings(jnp.float32(0), jnp.float32(0))))

    def worth(state):
        return 1.2 - jnp.sum(state.learner.place**2)

    def train(key, state, proposals, round):
        settings = state.learner.settings
        weight = jnp.stack([settings.first, settings.second])
        place = state.learner.place * (1 - 0.02 * weight**2) ** 10
        state = state.replace(learner=state.learner.replace(place=place))
        return state, Episodes.of(proposals, jnp.full(1, worth(state)), jnp.ones(1, bool))

    def evaluate(key, state, tasks, seeds, num_episodes, deterministic):
        asked = attempts(tasks, seeds, num_episodes)
        returns = jnp.full(asked.seeds.shape, worth(state))
        return Episodes.of(asked, returns, returns > 1)

    return Student(
        name="climber",
        task_space=UNIT,
        num_proposals=1,
        steps_per_round=10,
        step_unit="environment steps",
        init=init,
        train=train,
        evaluate=evaluate,
        report=lambda state: {"worth": worth(state)},
    )


def half_blind_pair():
    """Two climbers, each of which feels one half of its place."""
    pair = population(climber(), 2)

    def init(key):
        return with_settings(pair.init(key), first=jnp.array([1, 0]), second=jnp.array([0, 1]))

    return dataclasses.replace(pair, init=init)


def final_worth(student, num_seeds=200, rounds=20):
    """The mean worth of the better of two climbers after 200 steps."""

    def one(key):
        def step(state, round):
            own = jax.random.fold_in(key, round)
            proposals = fresh_proposals(own, jnp.zeros((1, 1)))
            return student.train(own, state, proposals, round)[0], None

        state, _ = jax.lax.scan(step, student.init(key), jnp.arange(rounds))
        tests = student.evaluate(key, state, jnp.zeros((1, 1)), jnp.zeros(1, jnp.uint32), 1, True)
        return jnp.max(tests.returns)

    return float(jnp.mean(quick_jit(jax.vmap(one))(jax.random.split(jax.random.key(0), num_seeds))))


def test_a_population_that_evolves_solves_what_no_fixed_setting_does():
    """The toy problem of population-based training: 0.39 for the fixed pair, 1.2 at best."""
    pair = half_blind_pair()
    assert final_worth(pair) == pytest.approx(0.39, abs=1e-3)
    space = Box(names=("first", "second"), low=(0.0, 0.0), high=(1.0, 1.0))
    config = students.EvolvingConfig(
        share=0.5, scale=0.1, resample=0.0, copy_settings=False, draw_first=False
    )
    evolved = final_worth(tune(pair, students.evolving(space, config), [[0.5]]))
    assert 1.1 < evolved < 1.2
    only_copied = dataclasses.replace(config, scale=0.0)
    copied = final_worth(tune(pair, students.evolving(space, only_copied), [[0.5]]))
    assert copied == pytest.approx(1.172, abs=0.01)


TINY = (
    PpoConfig(hidden=(4,), minibatch_size=16),
    RolloutConfig(num_envs=4, num_steps=4, pool_size=8),
)


FALLING = students.scheduled(learning_rate=optax.linear_schedule(1.0, 0.0, 4))


def test_a_schedule_is_followed_round_by_round():
    student = tune(students.ppo(probes.target(), *TINY), FALLING, every=2)
    state = student.init(jax.random.key(0))
    rates, train = [student.report(state)["learning_rate"]], quick_jit(student.train)
    proposals = fresh_proposals(jax.random.key(1), jnp.zeros((8, 1)))
    for round in range(4):
        state, _ = train(jax.random.key(round), state, proposals, jnp.int32(round))
        rates.append(student.report(state)["learning_rate"])
    np.testing.assert_allclose(rates, [1.0, 1.0, 0.5, 0.5, 0.0])
    assert int(state.test_steps) == 0


def test_the_discount_rises_while_near_tasks_are_solved():
    rule = students.rising_discount([1, 2, 3, 4], students.RisingDiscountConfig(first_share=0.5))
    student = students.ppo(probes.target(), *TINY)
    horizon, state = rule.init(jax.random.key(0), student.init(jax.random.key(0)))
    seen = [float(settings_of(state).discount)]
    for solved in ([1, 0, 1, 1], [1, 1, 0, 0], [1, 1, 1, 1]):
        asked = attempts(jnp.zeros((4, 1)), jnp.zeros(4, jnp.uint32), 1)
        tests = Episodes.of(asked, jnp.zeros(4), jnp.array(solved, bool))
        horizon, state = rule.update(jax.random.key(0), horizon, state, tests, jnp.int32(0))
        seen.append(float(settings_of(state).discount))
    np.testing.assert_allclose(seen, [0.2 ** (1 / k) for k in (2, 2, 3, 4)], rtol=1e-6)


@pytest.mark.slow  # 20 s
def test_a_late_reward_is_learned_with_a_rising_discount_alone():
    env = probes.toll()
    config = PpoConfig(hidden=(32,), minibatch_size=512, learning_rate=3e-3, gae_lambda=0.9)
    ppo = students.ppo(env, config, RolloutConfig(num_envs=64, num_steps=64, pool_size=1024))
    goals = jnp.arange(1.0, 27.0)[:, None]

    def final_return(student, key, discount=None):
        def step(state, round):
            own = jax.random.fold_in(key, round)
            proposals = fresh_proposals(own, jnp.full((student.num_proposals, 1), 26.0))
            return student.train(own, state, proposals, round)[0], None

        state = student.init(key)
        state = state if discount is None else with_settings(state, discount=discount)
        state, _ = jax.lax.scan(step, state, jnp.arange(40))
        asked = (goals[-1:], jnp.zeros(1, jnp.uint32), 1, True)
        return student.evaluate(key, state, *asked).returns[0]

    keys = jax.random.split(jax.random.key(0), 2)
    ends = jnp.array([0.2 ** (1 / 5.2), 0.2 ** (1 / 26)])
    fixed = jax.jit(jax.vmap(lambda key, end: final_return(ppo, key, end)))(keys, ends)
    np.testing.assert_allclose(fixed, [0.8, 3.0], rtol=1e-5)
    rule = students.rising_discount(range(1, 27), students.RisingDiscountConfig(most_increments=1))
    rising = tune(ppo, rule, goals)
    returns = jax.jit(jax.vmap(lambda key: final_return(rising, key)))(keys)
    np.testing.assert_allclose(returns, 5.3, rtol=1e-5)


def test_each_of_a_succession_follows_the_schedule_from_its_own_first_round():
    student = students.succession(tune(students.ppo(probes.target(), *TINY), FALLING), 2, 3)
    state, train = student.init(jax.random.key(0)), quick_jit(student.train)
    proposals, rates = fresh_proposals(jax.random.key(1), jnp.zeros((8, 1))), []
    for round in range(6):
        state, _ = train(jax.random.key(round), state, proposals, jnp.int32(round))
        rates.append(student.report(state)["learning_rate"])
    np.testing.assert_allclose(rates, [0.75, 0.5, 0.25] * 2)


def test_what_a_rule_writes_is_clipped_to_the_bounds_of_the_student():
    bounds = {"first": (0, None), "second": (0, 1)}
    student = dataclasses.replace(climber(), setting_bounds=bounds)
    rule = students.scheduled(first=lambda round: 1.0 - round, second=lambda round: 0.5 + round)
    tuned = tune(student, rule)
    state, seen = tuned.init(jax.random.key(0)), []
    for round in range(3):
        proposals = fresh_proposals(jax.random.key(round), jnp.zeros((1, 1)))
        state, _ = tuned.train(jax.random.key(round), state, proposals, jnp.int32(round))
        settings = settings_of(state.student)
        seen.append((float(settings.first), float(settings.second)))
    assert seen == [(0.0, 1.0)] * 3


def test_a_learner_tells_the_bounds_that_its_configuration_declares():
    ppo = students.ppo(probes.target(), *TINY)
    assert ppo.setting_bounds["discount"] == (0, 1)
    assert population(ppo, 2).setting_bounds["learning_rate"] == (0, None)
    assert "initial_log_std" not in ppo.setting_bounds
