"""The pictures that teachers' reports give, and that each teacher's is known."""

import jax
import numpy as np
import pytest

from jaxcurriculum import Box, teachers
from jaxcurriculum.report.beliefs import MOST_SHAPES, belief_of

SPACE = Box(names=("x", "y"), low=(0.0, -2.0), high=(4.0, 2.0))
AXES = {"names": ["x", "y"], "low": [0.0, -2.0], "high": [4.0, 2.0]}
CELLS = teachers.arms.cells(SPACE, 3)
PICTURES = [
    (teachers.random(SPACE), None),
    (teachers.alp_gmm(SPACE), "gaussians"),
    (teachers.covar_gmm(SPACE), "gaussians"),
    (teachers.self_paced(SPACE), "gaussians"),
    (teachers.riac(SPACE), "boxes"),
    (teachers.adr(SPACE), "boxes"),
    (teachers.goal_gan(SPACE), "points"),
    (teachers.plr(SPACE), "points"),
    (teachers.learnability(SPACE), "points"),
    (teachers.procurl(SPACE), "points"),
    (teachers.exp3(CELLS), "bars"),
    (teachers.mix(teachers.random(SPACE), teachers.riac(SPACE), 0.5), "boxes"),
]


def reports(teacher):
    """What it would report of 3 seeds at 2 evaluations, as the files of a run name it."""
    shapes = jax.eval_shape(lambda key: teacher.report(teacher.init(key)), jax.random.key(0))
    return {
        jax.tree_util.keystr(path, simple=True, separator="."): np.ones((2, 3, *leaf.shape))
        for path, leaf in jax.tree_util.tree_leaves_with_path({"teacher": shapes})
    }


@pytest.mark.parametrize("teacher, kind", PICTURES, ids=[one.name for one, _ in PICTURES])
def test_the_picture_of_a_teacher(teacher, kind):
    belief = belief_of(reports(teacher), 1, AXES)
    assert (belief and belief.kind) == kind
    if belief is not None:
        evaluations, num = belief.strength.shape
        assert evaluations == 2 and num <= MOST_SHAPES
        assert all(shape.shape[:3] == (2, num, 2) for shape in belief.shapes.values())


def test_gaussians_are_those_of_the_seed_without_what_is_no_axis():
    means = np.arange(24.0).reshape(2, 2, 2, 3)
    covariances = np.arange(72.0).reshape(2, 2, 2, 3, 3)
    valid = np.array([[[True, False]] * 2, [[True, True]] * 2])
    liked = np.array([[[5.0, 9.0]] * 2, [[1.0, 3.0]] * 2])
    known = {"means": means, "covariances": covariances, "valid": valid, "preference": liked}
    belief = belief_of({f"teacher.{name}": values for name, values in known.items()}, 1, AXES)
    np.testing.assert_array_equal(belief.strength, [[5, np.nan], [3, 1]])  # the strongest first
    np.testing.assert_array_equal(belief.shapes["mean"][1], means[1, 1, ::-1, :2])
    np.testing.assert_array_equal(belief.shapes["covariance"][0], covariances[0, 1, :, :2, :2])


def test_a_deviation_in_shares_of_an_axis_becomes_one_in_its_units():
    known = {"mean": np.ones((1, 1, 2)), "std": np.array([[[0.5, 0.25]]])}
    belief = belief_of({f"teacher.{name}": values for name, values in known.items()}, 0, AXES)
    np.testing.assert_array_equal(belief.shapes["covariance"][0, 0], [[4.0, 0.0], [0.0, 1.0]])


def test_of_a_full_buffer_the_strongest_are_kept():
    rng = np.random.default_rng(0)
    tasks, scores = rng.random((1, 1, 500, 2)), rng.random((1, 1, 500))
    filled = np.array([[400]])
    known = {"tasks": tasks, "replay_probs": scores, "num_filled": filled}
    belief = belief_of({f"teacher.{name}": values for name, values in known.items()}, 0, AXES)
    best = np.argsort(-scores[0, 0, :400])[:MOST_SHAPES]
    np.testing.assert_array_equal(belief.shapes["task"][0], tasks[0, 0, best])


def test_of_many_arms_the_likeliest_are_kept_with_their_numbers():
    probabilities = np.zeros((2, 1, 500))
    probabilities[:, 0, 400:] = 0.01
    belief = belief_of({"teacher.probabilities": probabilities}, 0, AXES)
    assert belief.arms[-100:].tolist() == list(range(400, 500)) and len(belief.arms) == MOST_SHAPES
    assert (belief.strength[:, -100:] == 0.01).all() and not belief.strength[:, :-100].any()
