"""Students of which no two seeds learn alike."""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np
from challenged import SMALL_PPO, proposals_in

from jaxcurriculum import LoopConfig, challenges, make_loop, teachers
from jaxcurriculum.students import ppo
from jaxcurriculum.students.simulated import (
    AbilitiesConfig,
    abilities,
)
from jaxcurriculum.testing import laws, probes
from jaxcurriculum.testing.compiling import quick_jit


def test_diverse_seeds_are_the_students_that_their_parameters_make():
    make = lambda parameters: abilities(AbilitiesConfig(episodes_per_round=50, **parameters))
    sample = lambda key: {"growth": jax.random.uniform(key, (), maxval=0.2), "slope": 2.0}
    student = challenges.diverse(make, sample)
    states = quick_jit(jax.vmap(student.init))(jax.random.split(jax.random.key(0), 3))
    proposals = proposals_in(student.task_space, 50)
    after, episodes = quick_jit(jax.vmap(student.train, in_axes=(None, 0, None, None)))(
        jax.random.key(1), states, proposals, jnp.int32(0)
    )
    for seed in range(2):
        own = make({"growth": float(states.parameters["growth"][seed]), "slope": 2.0})
        expected, expected_episodes = quick_jit(own.train)(
            jax.random.key(1), own.init(jax.random.key(0)), proposals, jnp.int32(0)
        )
        np.testing.assert_allclose(after.student.ability[seed], expected.ability, rtol=1e-5)
        np.testing.assert_array_equal(episodes.returns[seed], expected_episodes.returns)
    assert len(np.unique(after.student.ability[:, 0])) == 3
    loop = make_loop(
        teachers.random(student.task_space),
        student,
        proposals.tasks[:2],
        LoopConfig(rounds_per_evaluation=2),
    )
    laws.a_checkpoint_in_the_middle_changes_nothing(loop)


def test_diverse_policies_learn_at_rates_of_their_own():
    """One with rate 0 keeps its networks, in the same program as one that learns."""
    make = lambda rate: ppo(
        probes.target(), dataclasses.replace(SMALL_PPO[0], learning_rate=rate), SMALL_PPO[1]
    )
    student = challenges.diverse(make, lambda key: jnp.where(jax.random.bernoulli(key), 0.0, 0.01))
    states = quick_jit(jax.vmap(student.init))(jax.random.split(jax.random.key(0), 6))
    train = quick_jit(jax.vmap(student.train, in_axes=(None, 0, None, None)))
    after, _ = train(
        jax.random.key(0),
        states,
        proposals_in(student.task_space, student.num_proposals),
        jnp.int32(0),
    )
    moved = sum(
        jnp.abs(a - b).reshape(6, -1).sum(1)
        for a, b in zip(
            *map(jax.tree.leaves, (after.student.learner.params, states.student.learner.params))
        )
    )
    np.testing.assert_array_equal(moved > 0, states.parameters > 0)
    assert 0 < np.count_nonzero(states.parameters) < 6
    one = jax.tree.map(lambda leaf: leaf[0], after)
    obs, first = jnp.zeros((1, 1)), jnp.ones(1, bool)
    _, action = student.act(jax.random.key(0), one, student.memory(1), obs, first, True)
    assert action.shape == (1, 1)
