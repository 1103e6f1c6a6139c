"""A study from start to end: its runs, and that no lane's numbers depend on the others."""

import signal

import pytest
from studies import content, run, small

from jaxcurriculum.cli.build import rebuild
from jaxcurriculum.runs.host import restore
from jaxcurriculum.study import run_job, run_study
from jaxcurriculum.study.jobs import claimed, job_folder
from jaxcurriculum.study.local import prepare
from jaxcurriculum.study.plan import Plan

NAMES = ["_unlearnable=0.1", "_unlearnable=0.3"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("studies") / "first"


@pytest.fixture(scope="module")
def finished(folder):
    return run(small(), folder)


def test_each_cell_ends_as_an_ordinary_run_with_all_seeds(finished):
    assert list(finished) == NAMES
    for one in finished.values():
        assert len(one.episodes()) == 3 * 2000
        assert len(one.evaluations()) == 3 * 4 * 25
        assert one.evaluations()["seed"].unique().sort().to_list() == [0, 1, 2]
        states = restore(rebuild(one.config), one)
        assert states.student.competence.shape == (3, 25)
        mastered = 100 * (states.student.competence > 75).mean(axis=1)
        assert mastered.tolist() == one.reports()["student.score"][-1, :, -1].tolist()


def test_finished_jobs_keep_no_files_but_the_note_that_they_are_done(finished, folder):
    jobs = sorted(folder.glob("jobs/*"))
    assert len(jobs) == 3  # six lanes, two a job
    for job in jobs:
        assert {path.name for path in job.iterdir()} == {"done.json", ".claim"}


def test_a_lane_is_the_same_in_another_study(finished, tmp_path):
    other = run(small(unlearnable=0.3, seeds=2, seed=1), tmp_path / "other")
    mine, (theirs,) = finished[NAMES[1]], other.values()
    for seed in (1, 2):
        assert content(mine, seed) == content(theirs, seed)
    assert content(mine, 1) != content(theirs, 2)


def test_other_numbers_compile_nothing(finished, tmp_path, monkeypatch):
    def made_again(*arguments, **others):
        raise AssertionError("the program of the first study should serve")

    monkeypatch.setattr("jaxcurriculum.study.lanes.set_up", made_again)
    assert len(run(small(unlearnable=(0.2, 0.4), seeds=1), tmp_path / "other")) == 2


def test_a_study_is_extended_and_goes_on_bit_for_bit(finished, folder, tmp_path):
    before = {name: [content(one, seed) for seed in range(3)] for name, one in finished.items()}
    notes = {path: path.read_bytes() for path in folder.glob("jobs/*/done.json")}
    cells = (0.1, 0.3, 0.5)
    more = run(small(cells, seeds=4), folder)
    assert len(more) == 3 and len(Plan.read(folder).jobs) == 3 + 3
    assert all(path.read_bytes() == note for path, note in notes.items())
    assert before == {name: [content(more[name], seed) for seed in range(3)] for name in before}
    longer = run(small(cells, seeds=4, steps=3000), folder)
    at_once = run(small(cells, seeds=4, steps=3000), tmp_path / "at-once")
    for name, one in longer.items():
        assert one.meta["evaluations_done"] == 6
        for seed in range(4):
            assert content(one, seed) == content(at_once[name], seed)


def test_a_study_that_is_stopped_before_it_goes_on_for_more_steps(tmp_path):
    run(small(), tmp_path / "longer")
    plan = prepare(small(steps=3000), tmp_path / "longer")
    for job in plan.jobs:  # before the first evaluation
        assert not run_job(tmp_path / "longer", job, stopped_by=lambda: signal.SIGTERM)
    longer = run(small(steps=3000), tmp_path / "longer")
    at_once = run(small(steps=3000), tmp_path / "at-once")
    for name, one in longer.items():
        assert all(content(one, seed) == content(at_once[name], seed) for seed in range(3))


def test_a_process_that_ends_first_says_that_another_still_works(finished, tmp_path, capsys):
    prepare(small(), tmp_path)
    with claimed(job_folder(tmp_path, "00000")):
        assert run_study(small(), tmp_path) is None
    assert "Another process still works at 1 job, " in capsys.readouterr().out


def test_two_landscapes_share_a_program_and_nothing_else(tmp_path):
    def rugged(landscape, name):
        grid = small().settings["toy-grid"] | {"unlearnable": 0.1}
        settings = {"toy-grid": grid, "rugged": {"landscape": landscape}}
        study = small(challenges=("rugged",), settings=settings, seeds=1)
        return list(run(study, tmp_path / name).values())

    both = rugged((1, 2), "both")
    assert len(Plan.read(tmp_path / "both").programs) == 1
    for number, one in zip((1, 2), both, strict=True):
        assert content(one, 0) == content(*rugged(number, f"{number}"), 0)
    assert content(both[0], 0) != content(both[1], 0)
