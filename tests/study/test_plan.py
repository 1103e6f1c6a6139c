"""What is said of a plan before anything runs."""

import pytest
from rich.console import Console
from studies import run, small

from jaxcurriculum.study.jobs import open_jobs
from jaxcurriculum.study.local import prepare
from jaxcurriculum.study.rehearse import COPIES, _bytes_of_rows, plan_study, told_copies
from jaxcurriculum.study.trial import Cost


@pytest.mark.parametrize(
    ("group", "copies"),
    [(1, None), (3, None), (6, None), (12, None), (13, "Of the 13 lanes of its jobs 7 are copies")],
)
def test_more_copies_than_curricula_are_told(tmp_path, group, copies):
    told = told_copies(prepare(small(group=group), tmp_path))
    assert told is None if copies is None else told.startswith(copies)


def test_of_a_finished_study_it_is_said_that_nothing_is_left(tmp_path, capsys):
    run(small(), tmp_path)
    plan_study(small(), tmp_path, Console())
    assert "Nothing is left to do." in capsys.readouterr().out


def test_the_largest_run_must_fit_while_it_is_put_together(tmp_path):
    plan = prepare(small(seeds=5), tmp_path)
    cost = Cost(*[0.0] * (len(Cost.__dataclass_fields__) - 1), bytes_of_rows=10.0)
    costs = dict.fromkeys(plan.programs, cost)
    assert _bytes_of_rows(plan, open_jobs(tmp_path, plan), costs) == COPIES * 5 * 4 * 10
