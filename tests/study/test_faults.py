"""What a kill or damage leaves behind: a study goes on, and loses no more than what is damaged."""

import json
import re
import shutil

import polars as pl
import pytest
from studies import content, run, small

from jaxcurriculum.runs.errors import RunError

FIRST, SECOND = (f"toy-grid_random_unlearnable={share}" for share in (0.1, 0.3))
STUDY = small(group=3)  # a job a run
LONGER = small(group=3, steps=3000)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    folder = tmp_path_factory.mktemp("faults") / "finished"
    run(STUDY, folder)
    return folder


@pytest.fixture
def folder(finished, tmp_path):
    return shutil.copytree(finished, tmp_path / "study")


@pytest.fixture(scope="module")
def expected(tmp_path_factory):
    """All numbers of the study that goes on for more steps."""
    return everything(run(LONGER, tmp_path_factory.mktemp("faults") / "longer"))


def everything(runs):
    return {name: [content(one, seed) for seed in range(3)] for name, one in runs.items()}


def killed_while_files_of_a_job_were_removed(folder):
    for job in folder.glob("jobs/*"):
        (job / ".gone" / "4").mkdir(parents=True)
        (job / "episodes").mkdir()


def killed_while_a_run_was_replaced(folder):
    shutil.copytree(folder / "runs" / FIRST, folder / "runs" / f".{FIRST}.old")


def killed_when_a_job_was_to_go_on(folder):
    for job in folder.glob("jobs/*"):
        (job / "checkpoints").mkdir()


def notes_of_jobs_were_lost(folder):
    shutil.rmtree(folder / "jobs")


@pytest.mark.parametrize(
    "harm",
    [
        killed_while_files_of_a_job_were_removed,
        killed_while_a_run_was_replaced,
        killed_when_a_job_was_to_go_on,
        notes_of_jobs_were_lost,
    ],
)
def test_a_study_goes_on_after(harm, folder, expected):
    harm(folder)
    assert everything(run(LONGER, folder)) == expected
    left = {path.name for job in folder.glob("jobs/*") for path in job.iterdir()}
    assert left == {"done.json", ".claim"}


def test_a_lost_report_is_missing_alone(folder):
    (folder / "runs" / FIRST / "reports" / "evaluation-00000002.npz").unlink()
    first, second = run(small(group=3, seeds=4), folder).values()
    names = sorted(path.name for path in (first.path / "reports").iterdir())
    assert names == [f"evaluation-{number:08d}.npz" for number in (0, 1, 3)]
    assert len(first.evaluations()) == len(second.evaluations()) == 4 * 4 * 25


def no_checkpoint(run):
    for path in run.glob("checkpoints/*/state/arrays.npz"):
        path.write_bytes(b"")


def no_checkpoints(run):
    shutil.rmtree(run / "checkpoints")


def no_third_evaluation(run):
    for path in run.glob("evaluations/*.parquet"):
        pl.read_parquet(path).filter(pl.col("evaluation") != 2).write_parquet(path)


@pytest.mark.parametrize(
    "harm, words",
    [
        (no_checkpoint, "No intact checkpoint"),
        (no_checkpoints, "No checkpoint is left"),
        (no_third_evaluation, "have 5 of 6 evaluations"),
    ],
)
def test_damage_of_one_run_stops_no_other_and_is_told_with_a_remedy(folder, expected, harm, words):
    harm(folder / "runs" / FIRST)
    with pytest.raises(RunError, match=f"{words}.* or remove .* run their seeds again") as told:
        run(LONGER, folder)
    assert json.loads((folder / "runs" / SECOND / "config.json").read_text())["steps"] == 3000
    for path in re.search("or remove (.*) to run", str(told.value))[1].split(", "):
        shutil.rmtree(path)
    assert everything(run(LONGER, folder)) == expected
