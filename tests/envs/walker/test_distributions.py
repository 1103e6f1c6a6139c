"""400 episodes of the engine beside 2,000 of Box2D, kept in a file (`references/distributions.py`).

The engine is as near to Box2D as Box2D is to itself: closer than the 99th percentile of resampled
episodes of Box2D. Two things are further away, where tests hold what has been reached: where random
play ends, and the gait on one long edge, which stands in every episode of Box2D and falls in 1.5 %
here.
"""

import numpy as np
import pytest

from references.distributions import (
    SCENES,
    Scene,
    by_chance,
    distances,
    engine_episodes,
    kept_episodes,
)

NUM = 400  # episodes of the engine


def distances_and_chances(scene):
    """Kolmogorov-Smirnov distance of lengths and of final x, and for each the 99th percentile
    by chance.
    """
    box2d, engine = kept_episodes()[str(scene)], engine_episodes(scene, NUM)
    return [(distances(a, b)[0], by_chance(a, NUM)[0]) for a, b in zip(box2d, engine)]


def test_the_file_has_all_scenes():
    assert {name: x.shape for name, x in kept_episodes().items()} == {
        str(scene): (2, 2000) for scene in SCENES
    }


@pytest.mark.slow
def test_constant_actions_end_as_in_box2d():
    for distance, chance in distances_and_chances(Scene("constant")):
        assert distance <= chance


@pytest.mark.slow
def test_random_actions_last_as_long_as_in_box2d():
    (length, chance), (x, _) = distances_and_chances(Scene("random"))
    assert length <= chance
    assert x < 0.16


# gymnasium's flags hardly change the gait, so they are tried on its own ground alone. Flat pieces
# are what low stumps stand on.
@pytest.mark.slow
@pytest.mark.parametrize(
    "scene",
    [
        Scene("gait", "pieces"),
        Scene("gait", "low stumps"),
        Scene("gait", "pieces", "box2d"),
    ],
    ids=str,
)
def test_the_gait_falls_as_in_box2d(scene):
    for distance, chance in distances_and_chances(scene):
        assert distance <= chance


@pytest.mark.slow
def test_the_gait_on_one_long_edge_stands_almost_always():
    box2d, _ = kept_episodes()[str(Scene("gait"))]
    length, x = engine_episodes(Scene("gait"), NUM)
    assert (box2d == 2000).all() and (length < 2000).mean() < 0.04
    assert abs(np.median(x) - 6.27) < 0.1


def test_distances():
    assert distances(np.array([0.0, 1.0]), np.array([0.0, 1.0])) == (0.0, 0.0)
    assert distances(np.array([0.0, 0.0]), np.array([0.0, 3.0])) == (0.5, 1.5)
