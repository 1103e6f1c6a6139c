"""The study of transfer: what it says of matrices that are known, and which files it refuses."""

import numpy as np
import pytest
from transfer_figures import bounds, first_reaching
from transfer_study import read
from transfer_worlds import WORLDS

WORLD = WORLDS["cart-pole-mass"]


def test_the_first_policy_that_reaches_both():
    levels = {"independent": 0.5, "multi-task": 0.7}
    assert first_reaching(np.array([0.4, 0.6, 0.69999, 0.8]), levels) == 3
    assert first_reaching(np.array([0.4, 0.6, 0.699]), levels) is None


def test_bounds_are_of_scaled_returns():
    matrix = np.full((40, 40), 100.0)
    np.fill_diagonal(matrix, 200.0)
    matrix[3] = 450.0
    of_all = np.stack([np.full(40, 50.0), np.full(40, 600.0)])
    found = bounds(WORLD, {"matrices": matrix[None], "of_all": of_all[None]})
    expected = {"independent": (39 * 0.4 + 0.9) / 40, "multi-task": 1.0, "oracle transfer": 0.9}
    assert found == pytest.approx(expected)


def test_a_file_of_other_contexts_is_named(tmp_path):
    path = tmp_path / "cart-pole-mass.npz"
    np.savez_compressed(path, matrices=np.zeros((1, 7, 7)), of_all=np.zeros((1, 20, 7)))
    with pytest.raises(SystemExit, match="holds a study of 7 contexts, not of 40: move it away"):
        read(WORLD, path)
