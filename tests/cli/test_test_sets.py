"""Which tasks a run is tested on."""

import numpy as np
import pytest

from jaxcurriculum import envs
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.runs.errors import RunError


@pytest.mark.slow
def test_the_test_tasks_are_the_first_set_within_the_bounds(untraced):
    """The published sets stay as they are; a wrong choice is said."""
    narrow = {"fields": {"env.max_stump_height": 1.5}}
    assert build(Settings(**narrow)).config["test_set"] == "grid"
    easy = {"env": "obstacle-tracks", "fields": {"env.easy": True}}
    assert build(Settings(**easy)).config["test_set"] == "uniform"
    assert build(Settings(env="obstacle-tracks")).config["test_set"] == "2022"
    with pytest.raises(
        RunError, match="lies outside the task space. Another --test-set: grid, uniform."
    ):
        build(Settings(**narrow, test_set="2019"))


@pytest.mark.slow
def test_sizes_of_the_body_leave_the_test_sets_that_have_them(untraced):
    """The published sets have no axis for a leg's length: the first that has one is taken, and
    a wrong choice is said.
    """
    sized = {"env": "stump-tracks", "fields": {"env.sizes": ("upper_length",)}}
    built = build(Settings(**sized))
    assert (
        built.config["test_set"] == "uniform"
        and built.loop.test_tasks.shape[1] == built.loop.student.task_space.dims == 3
    )
    with pytest.raises(RunError, match="The test set 2019 does not fit: .*--test-set: uniform"):
        build(Settings(**sized, test_set="2019"))


def test_published_test_tasks():
    """Portelas et al. drew height, then spacing, one task after the other, from NumPy's
    RandomState(4222).
    """
    draw = np.random.RandomState(4222).uniform
    np.testing.assert_array_equal(
        envs.stump_tasks_2019(), np.float32([[draw(0, 3), draw(0, 6)] for _ in range(50)])
    )
    grid = envs.stump_tasks_grid()
    assert grid.shape == (100, 2) and len(np.unique(grid, axis=0)) == 100
    assert grid.min(0).tolist() == [0, 0] and grid.max(0).tolist() == [3, 6]
