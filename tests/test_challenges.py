"""Challenges that stretch a space: what the teacher sees, what the student really practises, and
what is refused.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from challenged import GRID, SMALL_PPO, proposals_in

from jaxcurriculum import Box, challenges
from jaxcurriculum.records import random_seeds
from jaxcurriculum.rollout.evaluate import attempt
from jaxcurriculum.students import ppo
from jaxcurriculum.students.simulated import (
    ToyGridConfig,
    toy_grid,
)
from jaxcurriculum.testing import laws, probes
from jaxcurriculum.testing.compiling import quick_jit
from jaxcurriculum.testing.trials import EnvironmentTrial


def test_unfeasible_tasks_teach_nothing_and_return_the_lowest():
    """The grid learns what it would from the feasible tasks alone; the teacher gets its own
    tasks back.
    """
    plain = toy_grid(GRID)
    student = challenges.mostly_unfeasible(plain, challenges.MostlyUnfeasibleConfig(lowest=-1.0))
    assert (student.task_space.low, student.task_space.high) == ((0.0, 0.0), (3.0, 1.0))
    proposals = proposals_in(student.task_space, 600)
    feasible = np.asarray(proposals.tasks[:, 0] <= 1)
    state, episodes = quick_jit(student.train)(
        jax.random.key(0), student.init(jax.random.key(0)), proposals, jnp.int32(0)
    )
    num = int(feasible.sum())
    alone = toy_grid(ToyGridConfig(cells=4, episodes_per_round=num))
    expected_state, expected = quick_jit(alone.train)(
        jax.random.key(0),
        state.replace(competence=jnp.zeros(16)),
        proposals_of(proposals, feasible),
        jnp.int32(0),
    )
    assert 150 < num < 250 and float(expected_state.competence[0]) > 5
    np.testing.assert_array_equal(state.competence, expected_state.competence)
    np.testing.assert_array_equal(episodes.tasks, proposals.tasks)
    np.testing.assert_array_equal(episodes.returns[feasible], expected.returns)
    np.testing.assert_array_equal(episodes.returns[~feasible], -1)
    master = state.replace(competence=jnp.full((16,), 100.0))
    tests = student.evaluate(
        jax.random.key(0),
        master,
        jnp.array([[0.5, 0.5], [1.5, 0.5]]),
        jnp.arange(2, dtype=jnp.uint32),
        2,
        True,
    )
    assert tests.returns.tolist() == [1, 1, -1, -1] and tests.solved.tolist() == [
        True,
        True,
        False,
        False,
    ]


def proposals_of(proposals, chosen):
    return jax.tree.map(lambda leaf: leaf[np.flatnonzero(chosen)], proposals)


def test_trivial_tasks_are_the_nearest_original_ones():
    plain = toy_grid(GRID)
    student = challenges.mostly_trivial(plain)
    assert (student.task_space.low, student.task_space.high) == ((-1.0, 0.0), (1.0, 1.0))
    proposals = proposals_in(student.task_space, 600)
    state, episodes = quick_jit(student.train)(
        jax.random.key(0), student.init(jax.random.key(0)), proposals, jnp.int32(0)
    )
    clipped = proposals.replace(tasks=jnp.clip(proposals.tasks, 0.0, 1.0))
    expected_state, expected = quick_jit(plain.train)(
        jax.random.key(0), plain.init(jax.random.key(0)), clipped, jnp.int32(0)
    )
    np.testing.assert_array_equal(state.competence, expected_state.competence)
    np.testing.assert_array_equal(episodes.returns, expected.returns)
    np.testing.assert_array_equal(episodes.tasks, proposals.tasks)


def test_stretching_keeps_names_units_and_the_logarithm():
    space = Box(
        names=("rate", "height"),
        low=(1.0, -1.0),
        high=(10.0, 1.0),
        units=("1/s", "m"),
        log=(True, False),
    )
    student = with_space(space)
    wider = challenges.mostly_unfeasible(
        student, challenges.MostlyUnfeasibleConfig(factor=2.0, side="low")
    ).task_space
    np.testing.assert_allclose((wider.low, wider.high), ((0.1, -1.0), (10.0, 1.0)))
    wider = challenges.mostly_trivial(
        student, challenges.MostlyTrivialConfig(axis=1, factor=1.5)
    ).task_space
    assert (wider.low, wider.high) == ((1.0, -2.0), (10.0, 1.0)) and (wider.units, wider.log) == (
        space.units,
        space.log,
    )


def with_space(space):
    return dataclasses.replace(toy_grid(ToyGridConfig(cells=4)), task_space=space)


def test_environments_are_wrapped_themselves():
    """The counting environment's length and return tell the task that was really played."""
    env = probes.counting()
    unfeasible = challenges.mostly_unfeasible(env, challenges.MostlyUnfeasibleConfig(lowest=-7.0))
    tasks, seeds = jnp.array([[0.3], [1.0], [1.1], [2.9]]), random_seeds(jax.random.key(0), 4)
    policy = lambda key, memory, obs, first: (memory, jnp.zeros((obs.shape[0], 1)), None)
    play = quick_jit(
        lambda env, tasks: attempt(jax.random.key(0), env, policy, (), tasks, seeds, 1),
        static_argnums=0,
    )
    wide, own = play(unfeasible, tasks), play(env, jnp.clip(tasks, 0, 1))
    assert wide.lengths.tolist() == [own.lengths[0], own.lengths[1], 1, 1]
    np.testing.assert_array_equal(wide.returns, [own.returns[0], own.returns[1], -7.0, -7.0])
    np.testing.assert_array_equal(wide.tasks, tasks)
    trivial = play(challenges.mostly_trivial(env), -tasks)
    np.testing.assert_array_equal(trivial.lengths, 1)
    laws.keeps_its_contract(EnvironmentTrial(unfeasible))


@pytest.mark.parametrize(
    ("message", "make"),
    [
        ("MostlyUnfeasibleConfig.factor", lambda: challenges.MostlyUnfeasibleConfig(factor=0.5)),
        ("MostlyTrivialConfig.side", lambda: challenges.MostlyTrivialConfig(side="left")),
        ("RuggedConfig.intervals", lambda: challenges.RuggedConfig(intervals=0)),
        ("RuggedConfig.landscape", lambda: challenges.RuggedConfig(landscape=-1)),
        (
            "RuggedConfig.landscape must be an integer from 0 to 2147483647",
            lambda: challenges.RuggedConfig(landscape=2**32),
        ),
        (
            "RuggedConfig.intervals must be an integer from 1 to 1000",
            lambda: challenges.RuggedConfig(intervals=3_000_000_000),
        ),
        ("RuggedConfig.intervals", lambda: challenges.rugged_maps(toy_grid(GRID).task_space, 0, 0)),
        (
            "ForgettingConfig.every must be an integer from 1 to 2147483647",
            lambda: challenges.ForgettingConfig(every=2**31),
        ),
        ("ForgettingConfig.every must be an integer", lambda: challenges.ForgettingConfig(every=0)),
        (
            "ForgettingConfig.every must be at least a round",
            lambda: challenges.forgetting(toy_grid(GRID), challenges.ForgettingConfig(every=9)),
        ),
        (
            "axis must be one of the 2 axes",
            lambda: challenges.mostly_trivial(
                toy_grid(GRID), challenges.MostlyTrivialConfig(axis=2)
            ),
        ),
        (
            "always 2.0",
            lambda: challenges.mostly_trivial(
                with_space(Box(names=("x",), low=(2.0,), high=(2.0,)))
            ),
        ),
        ("wrap the environment", lambda: challenges.rugged(ppo(probes.target(), *SMALL_PPO))),
        (
            "lowest must not count as solved",
            lambda: challenges.mostly_unfeasible(
                probes.target(), challenges.MostlyUnfeasibleConfig(lowest=1.0)
            ),
        ),
    ],
)
def test_bad_uses_are_named(message, make):
    with pytest.raises(ValueError, match=message):
        make()


@pytest.mark.parametrize(
    ("message", "make"),
    [
        (
            r"config must be of the type MostlyUnfeasibleConfig, got MostlyTrivialConfig\(",
            lambda: challenges.mostly_unfeasible(toy_grid(GRID), challenges.MostlyTrivialConfig()),
        ),
        (
            "config must be of the type RuggedConfig, got <class",
            lambda: challenges.rugged(toy_grid(GRID), challenges.RuggedConfig),
        ),
        (
            "mostly_trivial.role must be an Environment or a Student, got None",
            lambda: challenges.mostly_trivial(None),
        ),
        (
            "forgetting.student must be of the type Student, got None",
            lambda: challenges.forgetting(None),
        ),
        (
            r"forgetting.student must be of the type Student, got Environment\(",
            lambda: challenges.forgetting(probes.target()),
        ),
        ("diverse.make must be a function, got 3", lambda: challenges.diverse(3, 4)),
        (
            "What diverse.make returns must be of the type Student, got 3",
            lambda: challenges.diverse(lambda _: 3, lambda key: 0),
        ),
        (
            r"rugged_maps.space must be of the type Box, got Student\(",
            lambda: challenges.rugged_maps(toy_grid(GRID)),
        ),
    ],
)
def test_what_is_no_role_or_configuration_is_named(message, make):
    with pytest.raises(TypeError, match=message):
        make()
