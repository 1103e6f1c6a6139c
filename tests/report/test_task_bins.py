"""Tasks in bins, from the files of a run whose content is known."""

import numpy as np
import polars as pl
import pytest

from jaxcurriculum.report import lifelong, task_bins
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.files import write_json
from jaxcurriculum.runs.store import Run, Table

AXES = {"names": ["x", "y"], "units": ["", ""], "low": [0.0, 1.0], "high": [2.0, 1.0]}
META = {
    "axes": AXES,
    "step_unit": "episodes",
    "steps_per_round": 4,
    "rounds_per_evaluation": 2,
    "num_seeds": 2,
    "first_seed": 3,
    "evaluations_done": 3,
    "wall_seconds": 1.0,
}
CONFIG = dict.fromkeys(("env", "teacher", "student", "seeds", "seed", "steps", "group"), 0)
PRACTISED = [[0.1, 0.1], [1.9, 1.9], [0.1, 1.9]]  # x of the first and second half, by evaluation


@pytest.fixture
def run(tmp_path):
    """Two bins of x, y has no width; the seeds practise in another order, tested at four places."""
    write_json(tmp_path / "config.json", CONFIG)
    write_json(tmp_path / "meta.json", META)
    episodes, tests = [], []
    for seed, order in ((3, PRACTISED), (4, PRACTISED[::-1])):
        for evaluation, places in enumerate([*order, [0.1, 0.1]]):  # the last was not finished
            rows = [(seed, 2 * evaluation + half, x, 1.0) for half, x in enumerate(places)] * 4
            episodes += rows
            tests += [
                (seed, evaluation, x, 1.0, 10.0 * seed + evaluation + x) for x in (0, 0.5, 1, 2)
            ]
    for name, rows, columns in (
        ("episodes", episodes, ["seed", "round", "x", "y"]),
        ("evaluations", tests, ["seed", "evaluation", "x", "y", "return"]),
    ):
        Table(tmp_path / name).append(pl.DataFrame(rows, schema=columns, orient="row"))
    return Run(tmp_path)


def test_scores_and_practice_are_those_of_the_files(run):
    scores, practised = task_bins.of_run(run, 2)
    seed, evaluation = np.array([3, 4]), np.arange(3)
    expected = 10.0 * seed[:, None, None] + evaluation[None, :, None] + np.array([0.25, 1.5])
    # two cells an axis are four bins: an even share is two of eight episodes, half of it one
    np.testing.assert_allclose(scores, expected)
    first = [[True, False], [False, True], [True, True]]
    np.testing.assert_array_equal(practised, [first, first[::-1]])
    found = lifelong.summary(scores, practised)
    assert found["forward_transfer_ratio"].shape == (2,)


@pytest.mark.parametrize("cells", [0, 1.5, 101])
def test_a_number_of_bins_that_cannot_be_is_named(run, cells):
    with pytest.raises(RunError, match=f"cells must be .* at most 10,000 bins, got {cells} on 2"):
        task_bins.of_run(run, cells)


def test_tasks_without_bounds_are_named(run):
    write_json(run.path / "meta.json", META | {"axes": AXES | {"low": [None, None]}})
    with pytest.raises(RunError, match="only tasks whose axes have bounds"):
        task_bins.of_run(run, 2)
