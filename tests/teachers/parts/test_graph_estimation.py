"""Skill-It's graph: known prerequisites are found, and those that cannot be are not."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from jaxcurriculum import teachers
from jaxcurriculum.students.simulated import SkillGraphConfig, skill_graph
from jaxcurriculum.teachers.parts.arms import cells
from jaxcurriculum.testing.compiling import quick_jit

TREE = ((), (0,), (0,), (2,))
CASES = [  # unaided, competence to begin with, (i, j) of which i helps j
    (0.3, (0, 0, 0, 0), {(0, 1), (0, 2), (2, 3)}),  # the whole tree
    (0.0, (0, 0, 0, 0), {(0, 1), (0, 2)}),  # skill 2 cannot be learned yet
    (0.0, (1, 0, 0, 0), {(2, 3)}),  # of skill 0 no more is to be learned
    (1.0, (0, 0, 0, 0), set()),  # no skill needs another
]


def estimate(prerequisites, unaided, competence, **told):
    """The graph after 120 episodes of each skill and each pair."""
    num = len(prerequisites)
    config = SkillGraphConfig(num_skills=num, prerequisites=prerequisites, unaided=unaided)
    student = skill_graph(config)
    state = student.init(jax.random.key(0)).replace(competence=competence)
    arms = cells(student.task_space, num)
    return teachers.estimate_graph(jax.random.key(1), student, state, arms, 120, 2, **told)


def edges(graph):
    off = np.asarray(graph) * ~np.eye(len(graph), dtype=bool)
    return {(int(i), int(j)) for i, j in np.argwhere(off > 0)}


def test_an_edge_is_found_where_half_of_the_practice_is_better_spent_on_the_other_skill():
    """Four students in one program."""
    unaided = jnp.array([case[0] for case in CASES])
    competence = jnp.array([case[1] for case in CASES], jnp.float32)
    each = jax.vmap(lambda *student: estimate(TREE, *student, weight=0.25))
    graphs = np.asarray(quick_jit(each)(unaided, competence))
    assert [edges(graph) for graph in graphs] == [case[2] for case in CASES]
    assert set(np.unique(graphs)) == {0.0, 0.25, 1.0}
    np.testing.assert_array_equal(np.diagonal(graphs, axis1=1, axis2=2), 1)


def test_a_skill_that_helps_only_beside_another_is_not_found_nor_a_gain_below_the_margin():
    """Skill 3 needs skill 0: alone it comes to 0.3, in half of the practice to 0.9. Skill 2 needs
    both of the first.
    """

    def with_margins(competence):
        told = (((), (), (0, 1), (0,)), 0.3, competence)
        return [estimate(*told, margin=margin) for margin in (0.5, 0.7)]

    found, hidden = quick_jit(with_margins)(jnp.zeros(4))
    assert edges(found) == {(0, 3)} and edges(hidden) == set()


STUDENT = skill_graph()
REFUSED = [
    ({"student": "skill-graph"}, TypeError, "estimate_graph.student must be"),
    ({"arms": 10}, TypeError, "estimate_graph.arms must be"),
    ({"arms": cells(STUDENT.task_space, 101)}, ValueError, "at most 100 arms.*got 101"),
    ({"num_rounds": 0}, ValueError, "num_rounds must be a positive integer, got 0"),
    ({"num_tests": 1.5}, ValueError, "num_tests must be a positive integer, got 1.5"),
    ({"weight": np.nan}, ValueError, "weight must be a finite number of at least 0, got nan"),
    ({"margin": -0.1}, ValueError, "margin must be a finite number of at least 0, got -0.1"),
]


@pytest.mark.parametrize("changed, error, message", REFUSED)
def test_refusals(changed, error, message):
    told = {"student": STUDENT, "arms": cells(STUDENT.task_space, 10), "num_rounds": 5}
    state = STUDENT.init(jax.random.key(0))
    with pytest.raises(error, match=message):
        teachers.estimate_graph(jax.random.key(0), state=state, **(told | changed))
