"""A student that forgets everything at set times."""

import jax
import jax.numpy as jnp
import pytest
from challenged import SMALL_PPO, proposals_in

from jaxcurriculum import challenges
from jaxcurriculum.students import ppo
from jaxcurriculum.students.simulated import (
    SkillGraphConfig,
    skill_graph,
)
from jaxcurriculum.testing import laws, probes
from jaxcurriculum.testing.compiling import quick_jit


@pytest.mark.parametrize(
    ("kind", "every"), [("skill-graph", 3), ("skill-graph", 2.5), ("ppo", 2.5)]
)
def test_a_forgetting_student_begins_anew_exactly_on_time(kind, every):
    """The same as a loop that replaces the whole state by a fresh one before rounds 3 and 6 (or
    3, 5 and 8), for three seeds.
    """
    plain = (
        ppo(probes.target(), *SMALL_PPO)
        if kind == "ppo"
        else skill_graph(SkillGraphConfig(episodes_per_round=8))
    )
    student = challenges.forgetting(
        plain, challenges.ForgettingConfig(every=int(every * plain.steps_per_round))
    )
    train, expected_train = (
        quick_jit(jax.vmap(each.train, in_axes=(0, 0, None, None))) for each in (student, plain)
    )
    keys = jax.random.split(jax.random.key(0), 3)
    begin = quick_jit(
        jax.vmap(lambda life: jax.vmap(lambda key: plain.init(jax.random.fold_in(key, life)))(keys))
    )(jnp.arange(4))
    life, resets = 0, []
    state, expected = (
        quick_jit(jax.vmap(student.init))(keys),
        jax.tree.map(lambda leaf: leaf[0], begin),
    )
    for round in range(9):
        if round >= (life + 1) * every:
            life, expected = life + 1, jax.tree.map(lambda leaf, life=life: leaf[life + 1], begin)
            resets.append(round)
        keys_round, proposals = (
            jax.random.split(jax.random.key(round), 3),
            proposals_in(plain.task_space, plain.num_proposals, round),
        )
        state, episodes = train(keys_round, state, proposals, jnp.int32(round))
        expected, expected_episodes = expected_train(
            keys_round, expected, proposals, jnp.int32(round)
        )
        laws.assert_close(state.student, expected, 1e-6)
        laws.assert_close(episodes.returns, expected_episodes.returns, 1e-6)
    assert (
        resets == ([3, 6] if every == 3 else [3, 5, 8])
        and state.num_resets.tolist() == [len(resets)] * 3
    )
