"""What cannot be: other contents in a folder, no memory, a full disk, other versions."""

import dataclasses
import errno
import json
import shutil

import pytest
from rich.console import Console
from studies import run, small

from jaxcurriculum.runs import recorder
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.study import read_study, run_study
from jaxcurriculum.study.local import prepare


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    prepare(small(), folder)
    return folder


OTHERS = {
    "a cell is gone": (small((0.1,)), "has the run toy-grid_random_unlearnable=0.3"),
    "another setting": (
        small(
            settings={"toy-grid": {"cells": 6, "episodes_per_round": 50, "unlearnable": (0.1, 0.3)}}
        ),
        "student.cells was 5 and is now 6",
    ),
    "fewer seeds": (small(seeds=2), "seeds may only grow, but were 3 and are now 2"),
    "fewer steps": (small(steps=1000), "steps may only grow, but were 2000 and are now 1000"),
    "another first seed": (small(seed=1), "seed was 0 and is now 1"),
    "another group": (small(group=3), "group was 2 and is now 3"),
}


@pytest.mark.parametrize("case", OTHERS)
def test_what_was_begun_can_only_be_extended(begun, case):
    study, words = OTHERS[case]
    before = (begun / "plan.json").read_bytes()
    with pytest.raises(RunError, match="choose another|may only grow") as told:
        prepare(study, begun)
    assert words in str(told.value)
    assert (begun / "plan.json").read_bytes() == before


def test_a_folder_of_something_else_is_left_alone(tmp_path):
    (tmp_path / "mine.txt").write_text("dear diary")
    with pytest.raises(RunError, match="exists and is not a study"):
        prepare(small(), tmp_path)


@pytest.mark.parametrize(
    "damage",
    [
        lambda plan: plan.pop("jobs"),
        lambda plan: plan["programs"].clear(),
        lambda plan: next(iter(plan["cells"].values()))["config"].pop("steps"),
        lambda plan: next(iter(plan["jobs"].values()))["lanes"].append(["another", 0]),
        lambda plan: next(iter(plan["jobs"].values()))["lanes"].clear(),
        lambda plan: next(iter(plan["jobs"].values()))["lanes"][0].__setitem__(1, "0"),
        lambda plan: next(iter(plan["programs"].values())).update(group="2"),
        lambda plan: next(iter(plan["cells"].values()))["config"].update(seeds="2"),
        lambda plan: next(iter(plan["cells"].values()))["config"].update(steps=None),
        lambda plan: next(iter(plan["cells"].values())).update(config=[]),
        lambda plan: plan.update(cells=[]),
    ],
)
def test_a_damaged_plan_is_named(begun, tmp_path, damage):
    plan = json.loads((begun / "plan.json").read_text())
    damage(plan)
    (tmp_path / "plan.json").write_text(json.dumps(plan))
    with pytest.raises(RunError, match="plan.json is damaged"):
        prepare(small(), tmp_path)


def test_a_study_has_at_most_so_many_curricula(tmp_path):
    words = "at most 1,000,000 curricula, not 2 combinations of 2,000,000,000 seeds"
    with pytest.raises(RunError, match=words):
        prepare(small(seeds=2_000_000_000), tmp_path)


def test_too_many_combinations_are_refused_before_they_are_listed(tmp_path):
    file, values = tmp_path / "study.toml", [place / 500 for place in range(200)]
    names = ("bandit.exploration", "bandit.bias", "bandit.low_quantile")
    lines = [f"{name} = {values}" for name in names]
    file.write_text("\n".join(['teachers = ["exp3"]', 'students = ["toy-grid"]', "[exp3]", *lines]))
    with pytest.raises(RunError, match="curricula, not 8,000,000 combinations of 2 seeds"):
        read_study(file)


def test_a_run_that_was_removed_is_named(tmp_path):
    """With what to remove, too, so that its seeds run again."""
    run(small(), tmp_path)
    first = min((tmp_path / "runs").glob("toy*"))
    shutil.rmtree(first)
    with pytest.raises(
        RunError, match=f"{first.name} is gone.* or remove .*00000, .* to run"
    ) as told:
        run(small(), tmp_path)
    for folder in str(told.value).partition("remove ")[2].partition(" to run")[0].split(", "):
        shutil.rmtree(folder)
    assert len(run(small(), tmp_path)) == 2


def test_a_value_that_cannot_be_is_told(tmp_path):
    with pytest.raises(RunError, match="^toy-grid: ToyGridConfig.unlearnable must be"):
        prepare(small((0.1, 2.0)), tmp_path / "study")
    assert not list(tmp_path.glob("study/plan.json"))


def test_a_teacher_that_its_student_cannot_have_is_told(tmp_path):
    study = small(teachers=("plr",), settings={"plr": {"score": "max_mc"}})
    with pytest.raises(RunError, match="^toy-grid_plr: Teacher 'plr' needs a critic's scores"):
        prepare(study, tmp_path / "study")


def test_a_plan_that_cannot_fit(tmp_path, monkeypatch):
    monkeypatch.setattr("jaxcurriculum.study.plan.memory_bytes", lambda: 10_000)
    with pytest.raises(RunError, match="2 of its seeds side by side take .* GiB"):
        prepare(small(), tmp_path)
    with pytest.raises(RunError, match="1 of its seeds side by side take .* GiB"):
        prepare(small(group=None), tmp_path)


def test_other_versions_are_told(tmp_path, capsys):
    plan = prepare(small(), tmp_path)
    dataclasses.replace(plan, versions=plan.versions | {"jax": "0.0.1"}).write(tmp_path)
    prepare(small(), tmp_path)
    assert "Going on with jax 0.0.1 -> " in capsys.readouterr().out


def test_a_full_disk_stops_a_study_that_goes_on_later(tmp_path, monkeypatch):
    def full(self, rows):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(recorder.Table, "append", full)
        with pytest.raises(RunError, match="The disk is full.*start the study again"):
            run_study(small(), tmp_path, Console(quiet=True))
    assert run_study(small(), tmp_path, Console(quiet=True)) is None
    assert len(list(tmp_path.glob("runs/toy*/config.json"))) == 2
    assert json.loads((tmp_path / "jobs" / "00000" / "done.json").read_text())["steps"] == 2000
