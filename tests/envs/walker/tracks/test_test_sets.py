import numpy as np

from jaxcurriculum.envs.walker.tracks import test_sets


def test_2019_tasks_are_the_published_draws():
    tasks = test_sets.stump_tasks_2019()
    assert tasks.shape == (50, 2) and tasks.dtype == np.float32
    # uniform(0, b) is b times the next draw
    draws = np.random.RandomState(4222).rand(100).reshape(50, 2)
    np.testing.assert_allclose(tasks, draws * [3, 6], rtol=1e-6)
    higher = test_sets.stump_tasks_2019(4.0)
    np.testing.assert_allclose(higher[:, 0], tasks[:, 0] * 4 / 3, rtol=1e-6)


def test_grid_has_the_corners_and_even_steps():
    grid = test_sets.stump_tasks_grid()
    assert grid.shape == (100, 2) and len(np.unique(grid, axis=0)) == 100
    np.testing.assert_allclose(np.unique(grid[:, 0]), np.arange(10) / 3, rtol=1e-6)
    np.testing.assert_allclose(np.unique(grid[:, 1]), np.arange(10) * 2 / 3, rtol=1e-6)
