"""A study from start to end: its runs, and that no lane's numbers depend on the others."""

import pytest
from studies import content, plan_of, run, small

from jaxcurriculum.cli.build import rebuild
from jaxcurriculum.runs.host import restore


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("studies") / "first"


@pytest.fixture(scope="module")
def finished(folder):
    return run(small(), folder)


def test_each_cell_ends_as_an_ordinary_run_with_all_seeds(finished):
    assert list(finished) == [
        "toy-grid_alp-gmm_exploration=0.1",
        "toy-grid_alp-gmm_exploration=0.2",
    ]
    for one in finished.values():
        assert len(one.episodes()) == 3 * 2000
        assert len(one.evaluations()) == 3 * 4 * 25
        assert one.evaluations()["seed"].unique().sort().to_list() == [0, 1, 2]
        states = restore(rebuild(one.config), one)
        assert states.student.competence.shape == (3, 25)
        score = one.reports()["student.score"][-1, :, -1]
        assert [100 * (points > 75).mean() for points in states.student.competence] == list(score)


def test_a_lane_is_the_same_in_another_study(finished, tmp_path):
    other = run(small(exploration=0.2, seeds=2, seed=1), tmp_path / "other")
    mine = finished["toy-grid_alp-gmm_exploration=0.2"]
    (theirs,) = other.values()
    for seed in (1, 2):
        assert content(mine, seed) == content(theirs, seed)
    assert content(mine, 1) != content(theirs, 2)


def test_a_study_is_extended_and_nothing_runs_twice(finished, folder):
    jobs = {path: path.read_bytes() for path in folder.glob("jobs/*/meta.json")}
    before = {name: [content(one, seed) for seed in range(3)] for name, one in finished.items()}
    more = run(small(teachers=("alp-gmm", "random"), seeds=4), folder)
    assert len(jobs) == 3 and len(plan_of(folder).jobs) == 3 + 1 + 2
    assert all(path.read_bytes() == meta for path, meta in jobs.items())
    assert len(more) == 3 and all(one.meta["num_seeds"] == 4 for one in more.values())
    assert before == {name: [content(more[name], seed) for seed in range(3)] for name in before}
