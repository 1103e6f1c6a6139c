"""The line that says how far a study is counts what every process did."""

from types import SimpleNamespace

import numpy as np
import pytest
from rich.console import Console
from studies import small

from jaxcurriculum.runs.files import write_json
from jaxcurriculum.study.jobs import job_folder
from jaxcurriculum.study.local import prepare
from jaxcurriculum.study.watch import StudyWatch

REPORT = SimpleNamespace(
    episodes=SimpleNamespace(valid=np.array([True]), returns=np.array([0.5])),
    evaluation=SimpleNamespace(solved=np.array([False])),
)
EVALUATION = 2 * 500  # episodes: lanes of a job, times those of each between evaluations


@pytest.fixture
def watch(tmp_path, monkeypatch):
    monkeypatch.setattr("jaxcurriculum.study.watch.SHARE", np.inf)  # it may always read
    plan = prepare(small(), tmp_path)
    return StudyWatch(Console(quiet=True), tmp_path, plan, [*plan.jobs])


def on_disk(watch, job, name, content):
    folder = job_folder(watch.folder, job)
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / name, content)


def test_evaluations_of_other_processes_count(watch):
    own, begun, finished = watch.evaluations
    assert (watch.done, watch.total) == (0, 3 * 4 * EVALUATION)
    on_disk(watch, begun, "meta.json", {"evaluations_done": 2})
    on_disk(watch, finished, "done.json", {"steps": 2000})  # its files are in the runs already
    with watch.of(own)(0) as steps:
        steps.show(EVALUATION, REPORT)
        assert watch.done == (1 + 2 + 4) * EVALUATION
        steps.show(EVALUATION, REPORT)
        assert watch.done == (2 + 2 + 4) * EVALUATION


def test_a_job_goes_on_from_where_another_process_left_it(watch):
    lost, *_ = watch.evaluations
    on_disk(watch, lost, "meta.json", {"evaluations_done": 3})
    with watch.of(lost)(1) as steps:  # the checkpoints after the first are damaged
        steps.show(EVALUATION, REPORT)
    assert watch.done == 2 * EVALUATION
