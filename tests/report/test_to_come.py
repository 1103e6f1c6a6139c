"""What a study has planned and not yet finished is named in its report."""

import json

import pytest
from made_up_runs import made_up_run, with_curriculum
from rich.console import Console

from jaxcurriculum import runs
from jaxcurriculum.report import study_report
from jaxcurriculum.report.to_come import MOST_NAMED, still_to_come
from jaxcurriculum.runs.errors import RunError

GRID = {"seeds": 2, "steps": 200, "seed": 0}


def plan(study, *configs):
    """The plan of a study, a cell of each of `configs` by its teacher's name."""
    cells = {one["teacher"]: {"config": GRID | one, "program": "p"} for one in configs}
    (study / "plan.json").write_text(json.dumps({"cells": cells}))


@pytest.fixture
def study(tmp_path, monkeypatch):
    """Of a study one run, of two seeds."""
    monkeypatch.setattr(study_report, "write_figures", lambda *_: [])
    with_curriculum(made_up_run(tmp_path / "runs/random", [1, 2]))
    return tmp_path


def test_a_report_names_the_runs_still_to_come_on_console_and_page(study):
    plan(study, {"teacher": "random"}, {"teacher": "accel"}, {"teacher": "paired"})
    console = Console(record=True, width=140)
    page = runs.report(study, console=console)[0].read_text()
    said = "is not finished. Still to come, of 3 runs: accel, paired."
    assert said in console.export_text() and said in page


@pytest.mark.parametrize("grown", [{"seeds": 3}, {"steps": 400}])
def test_a_run_that_is_to_grow_is_still_to_come(study, grown):
    plan(study, {"teacher": "random"})
    assert still_to_come([study]) == []
    plan(study, {"teacher": "random"} | grown)
    (sentence,) = still_to_come([study])
    assert sentence.endswith("Still to come, of 1 run: random.")


def test_of_many_conditions_some_are_named(study):
    plan(study, *({"teacher": f"t{number}"} for number in range(MOST_NAMED + 3)))
    (sentence,) = still_to_come([study])
    assert sentence.endswith("t10, t11 and 3 more.")


@pytest.mark.parametrize("text", ["{", "[]", '{"cells": []}', '{"cells": {"a": {"config": {}}}}'])
def test_a_damaged_plan_is_named_beside_what_has_finished(study, text):
    (study / "plan.json").write_text(text)
    (sentence,) = still_to_come([study])
    assert sentence.startswith("What is still to come is not known: ") and "is damaged" in sentence


def test_of_a_study_without_a_finished_run_it_is_said(tmp_path):
    plan(tmp_path, {"teacher": "random"}, {"teacher": "accel"})
    with pytest.raises(RunError, match="has nothing to report yet: none of its runs is done"):
        runs.report(tmp_path)
