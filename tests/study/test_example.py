"""The study of the documentation, planned and run from the command line."""

import pathlib
import re

import pytest
from studies import runs_in

from jaxcurriculum.cli import main
from jaxcurriculum.study.plan import Plan

EXAMPLE = pathlib.Path(__file__).parents[2] / "docs" / "examples" / "first_study.toml"


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


@pytest.mark.slow  # three programs are compiled
def test_the_example_runs_and_its_plan_says_what_it_leaves_on_disk(tmp_path, capsys):
    asked = ["study", str(EXAMPLE), "--folder", str(tmp_path / "study")]
    assert main.run([*asked, "--plan"]) == 0
    told = capsys.readouterr().out
    assert "4 runs, 32 curricula, in 2 compiled programs and 4 jobs, of which 0 are done." in told
    assert not (tmp_path / "study").exists()
    assert main.run(asked) == 0
    runs = runs_in(tmp_path / "study")
    assert len(runs) == 4 and len(Plan.read(tmp_path / "study").jobs) == 4
    planned = float(re.search(r"on disk\D*([\d.]+) MiB", told)[1])
    assert size(tmp_path / "study" / "runs") / 2**20 == pytest.approx(planned, rel=0.3)
    episodes = sum(size(run.path / "episodes") for run in runs.values())
    assert episodes <= 15 * sum(len(run.episodes()) for run in runs.values())
    assert main.run([*asked, "--plan"]) == 0
    told = capsys.readouterr().out
    assert "of which 4 are done" in told and "Nothing is left to do." in told
