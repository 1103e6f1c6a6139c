"""The graph of skills: learning curves in closed form, ceilings, and a plain loop."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.students.simulated import SkillGraphConfig, skill_graph, skill_graph_test_tasks
from jaxcurriculum.testing.compiling import quick_jit


def practise(student, state, tasks):
    proposals = fresh_proposals(jax.random.key(1), jnp.array(tasks, jnp.float32)[:, None])
    return quick_jit(student.train)(jax.random.key(0), state, proposals, jnp.int32(0))


def test_a_skill_under_a_fixed_ceiling_follows_its_learning_curve():
    """Skill 1 needs skill 0, which stands at 0.6: competence 0.6 (1 - 0.9^n)."""
    student = skill_graph(SkillGraphConfig(num_skills=3, growth=0.1, episodes_per_round=40))
    state = student.init(jax.random.key(0)).replace(competence=jnp.array([0.6, 0.0, 0.0]))
    state, episodes = practise(student, state, np.full(40, 1.3))
    n = np.arange(1, 41)
    np.testing.assert_allclose(episodes.returns, 0.6 * (1 - 0.9**n), rtol=1e-5)
    _, episodes = practise(student, state, np.full(40, 0.0))
    np.testing.assert_allclose(episodes.returns, 1 - 0.4 * 0.9**n, rtol=1e-5)
    np.testing.assert_array_equal(episodes.solved, 1 - 0.4 * 0.9**n > 0.75)


def test_without_its_prerequisite_a_skill_is_learned_as_far_as_it_needs_none():
    """Skill 1 needs skill 0, which stands at 0.5: ceiling 0.2 + 0.8 * 0.5 = 0.6."""
    config = SkillGraphConfig(num_skills=2, growth=0.1, unaided=0.2, episodes_per_round=40)
    student = skill_graph(config)
    state = student.init(jax.random.key(0)).replace(competence=jnp.array([0.5, 0.0]))
    _, episodes = practise(student, state, np.full(40, 1.5))
    np.testing.assert_allclose(episodes.returns, 0.6 * (1 - 0.9 ** np.arange(1, 41)), rtol=1e-5)


def test_a_skill_is_out_of_reach_until_all_of_its_prerequisites_are_learned():
    """Skill 3 needs 0 and 2; without them it stays at 0, and one of them is not enough."""
    student = skill_graph(
        SkillGraphConfig(num_skills=4, prerequisites=((), (0,), (), (0, 2)), episodes_per_round=30)
    )
    state, episodes = practise(student, student.init(jax.random.key(0)), np.full(30, 3.5))
    np.testing.assert_array_equal(episodes.returns, 0)
    state, _ = practise(student, state, np.full(30, 0.5))
    state, episodes = practise(
        student, state, np.full(30, 4.0)
    )  # the bound belongs to the last skill
    np.testing.assert_array_equal(episodes.returns, 0)
    state, _ = practise(student, state, np.full(30, 2.5))
    state, episodes = practise(student, state, np.full(30, 3.5))
    assert np.all(np.diff(episodes.returns) > 0) and 0.5 < episodes.returns[-1] < min(
        state.competence[0], state.competence[2]
    )
    assert state.competence[1] == 0


def test_thousands_of_random_episodes_equal_a_plain_loop():
    config = SkillGraphConfig(num_skills=6, growth=0.02, episodes_per_round=1000)
    student, rng = skill_graph(config), np.random.default_rng(0)
    state, train = student.init(jax.random.key(0)), quick_jit(student.train)
    competence = np.zeros(6)
    for _ in range(4):
        tasks = rng.uniform(0, 6, (1000, 1)).astype(np.float32)
        weight = rng.choice([0.0, 1.0, 2.0], 1000).astype(np.float32)
        proposals = fresh_proposals(jax.random.key(1), jnp.array(tasks)).replace(
            weight=jnp.array(weight)
        )
        state, episodes = train(jax.random.key(0), state, proposals, jnp.int32(0))
        expected = []
        for (task,), w in zip(tasks, weight):
            skill = int(task)
            ceiling = competence[skill - 1] if skill else 1.0
            competence[skill] += 0.02 * w * max(0.0, ceiling - competence[skill])
            expected.append(competence[skill])
        np.testing.assert_allclose(episodes.returns, expected, atol=1e-5)
    np.testing.assert_allclose(
        student.report(state)["score"], 100 * np.mean(competence > 0.75), rtol=1e-6
    )
    assert 0 < np.mean(competence > 0.75)


def test_test_tasks_are_the_skills():
    config = SkillGraphConfig(num_skills=3)
    student = skill_graph(config)
    state = student.init(jax.random.key(0)).replace(competence=jnp.array([0.9, 0.5, 0.1]))
    episodes = student.evaluate(
        jax.random.key(0), state, jnp.array(skill_graph_test_tasks(config)), jnp.arange(3), 1, True
    )
    np.testing.assert_array_equal(episodes.returns, state.competence)
    assert skill_graph_test_tasks(config).tolist() == [[0.5], [1.5], [2.5]]


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("num_skills", {"num_skills": 0}),
        ("num_skills", {"num_skills": 2000}),
        ("growth", {"growth": 1.5}),
        ("solved_above", {"solved_above": -0.1}),
        ("prerequisites must have one entry", {"num_skills": 2, "prerequisites": ((),)}),
        (
            "prerequisites must be a tuple of one tuple a skill",
            {"num_skills": 2, "prerequisites": (0, 1)},
        ),
        ("prerequisites must be a tuple of one tuple a skill", {"prerequisites": 3}),
        (
            "prerequisites must be numbers from 0 to 1",
            {"num_skills": 2, "prerequisites": ((), (2,))},
        ),
        (
            "prerequisites must not go round in a circle",
            {"num_skills": 3, "prerequisites": ((), (2,), (1,))},
        ),
    ],
)
def test_bad_configurations_are_named(field, values):
    with pytest.raises(ValueError, match=f"SkillGraphConfig.{field}"):
        SkillGraphConfig(**values)
