"""Bad input and faults: one clear sentence, a status that is not 0, and nothing on disk is lost."""

import dataclasses
import json

import jax.numpy as jnp
import pytest
from rich.console import Console
from toy_runs import train

from jaxcurriculum.cli import main, tables
from jaxcurriculum.runs import store
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.host import alone
from jaxcurriculum.runs.store import Run

pytestmark = pytest.mark.usefixtures("no_figures")


def test_a_folder_of_something_else_is_left_alone(tmp_path, capsys):
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "thesis.tex").write_text("precious")
    status, _ = train(tmp_path, "--resume")
    assert status == 1 and "is not a run" in capsys.readouterr().err
    assert [path.name for path in (tmp_path / "run").iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--student.dims", "20"), "cells**dims <= 10,000,000, got 10**20"),
        (("--env", "nope"), "nope"),
        (("--learner", "nope:make"), "nope:make"),
        (("--teacher", "nowhere:make"), "No module named 'nowhere'"),
        (("--teacher", "json:nothing"), "json has no 'nothing'"),
        (("--name", "../else"), "without slashes, got '../else'"),
        (("--name", ""), "without slashes, got ''"),
        (("--name=-dash",), "must not begin with a dash, got '-dash'"),
    ],
)
def test_nonsense_is_refused_before_anything_is_written(tmp_path, capsys, arguments, message):
    status = main.run(
        ["train", "--student", "toy-grid", "--steps", "100", "--out", str(tmp_path), *arguments]
    )
    assert status == 1 and message in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_damaged_rows_are_found_before_anything_is_cut(tmp_path, capsys):
    _, run = train(tmp_path, "--teacher", "random", "--steps", "1000")
    part = next((run.path / "evaluations").glob("part-*.parquet"))
    part.write_bytes(part.read_bytes()[:40])
    before = {
        path: path.read_bytes()
        for path in run.path.rglob("*")
        if path.is_file() and path.name not in ("meta.json", "config.json")
    }
    assert (
        main.run(["train", "--resume", "--out", str(tmp_path), "--name", "run", "--steps", "4000"])
        == 1
    )
    assert f"{part} is damaged" in capsys.readouterr().err
    assert all(path.read_bytes() == content for path, content in before.items())


def test_settings_of_the_wrong_type_in_a_config(tmp_path, capsys):
    _, run = train(tmp_path, "--teacher", "random", "--steps", "1000")
    config = json.loads((run.path / "config.json").read_text())
    (run.path / "config.json").write_text(json.dumps(config | {"seeds": "two"}))
    assert main.run(["train", "--resume", "--out", str(tmp_path), "--name", "run"]) == 1
    assert "config.json of the run is damaged" in capsys.readouterr().err


def test_a_path_that_cannot_be_a_folder(tmp_path, capsys):
    (tmp_path / "file").write_text("precious")
    status, _ = train(tmp_path / "file")
    assert (
        status == 1
        and f"cannot use {tmp_path / 'file' / 'run'}: not a directory." in capsys.readouterr().err
    )
    assert (tmp_path / "file").read_text() == "precious"


def test_two_processes_do_not_train_in_one_folder(tmp_path):
    run, console = Run(tmp_path), Console()
    with (
        alone(run, console),
        pytest.raises(RunError, match="Another process is training"),
        alone(run, console),
    ):
        pass
    with alone(run, console):
        pass


def nonfinite_after(student, rounds):
    """`student` whose report counts something non-finite once its score has been computed
    `rounds` times.
    """

    def report(state):
        return student.report(state[0]) | {"nonfinite": (state[1] > rounds).astype(jnp.int32)}

    def trained(key, state, proposals, round):
        inner, episodes = student.train(key, state[0], proposals, round)
        return (inner, state[1] + 1), episodes

    return dataclasses.replace(
        student,
        init=lambda key: (student.init(key), jnp.int32(0)),
        train=trained,
        evaluate=lambda key, state, *args: student.evaluate(key, state[0], *args),
        report=report,
    )


def test_a_run_that_turns_nonfinite_stops_and_keeps_its_last_good_checkpoint(
    tmp_path, capsys, monkeypatch
):
    part = tables.STUDENTS["toy-grid"]
    broken = dataclasses.replace(
        part, make=lambda env, config: nonfinite_after(part.make(env, config), 35)
    )
    monkeypatch.setitem(tables.STUDENTS, "toy-grid", broken)
    status, run = train(tmp_path, "--teacher", "random")
    message = capsys.readouterr().err
    assert status == 1 and "Seed 0, 1 turned non-finite" in message
    assert max(int(path.name) for path in (run.path / "checkpoints").iterdir()) == 3
    assert (
        run.evaluations()["evaluation"].max() == 3
    )  # what is known of the broken stretch is kept for the person who looks for the cause


@pytest.mark.parametrize("folder", ["episodes", "evaluations", "reports"])
def test_a_full_disk_is_said_and_what_was_saved_is_kept(tmp_path, capsys, monkeypatch, folder):
    write, seen = store.write_file, []

    def fill_up(path, content):
        seen.append(path)
        if path.parent.name == folder and sum(one.parent.name == folder for one in seen) > 2:
            raise OSError(28, "No space left on device", str(path))
        write(path, content)

    monkeypatch.setattr("jaxcurriculum.runs.recorder.SECONDS_BETWEEN_CHECKPOINTS", 0.0)
    monkeypatch.setattr("jaxcurriculum.runs.store.write_file", fill_up)
    status, run = train(tmp_path, "--teacher", "random")
    assert status == 1 and "the disk is full" in capsys.readouterr().err
    monkeypatch.undo()
    _, complete = train(tmp_path, "--teacher", "random", name="complete")
    assert train(tmp_path, "--resume")[0] == 0
    assert run.episodes().equals(complete.episodes()) and run.evaluations().equals(
        complete.evaluations()
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        (
            ["train", "--student", "toy-grid", "--teacher", "magic"],
            "There is no teacher 'magic'; there are random",
        ),
        (["render", "nowhere"], "nowhere holds no run"),
        (["render", "nowhere", "--html"], "nowhere holds no run"),
    ],
)
def test_mistakes_end_in_one_sentence_on_stderr(arguments, message, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main.run(arguments) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        ["tran"],
        ["train", "--teachr", "x"],
        ["train", "--seeds", "two"],
        ["train", "--seeds", "0"],
    ],
)
def test_misspelt_arguments_end_with_status_2(arguments, capsys):
    with pytest.raises(SystemExit) as exit:
        main.run(arguments)
    assert exit.value.code == 2 and capsys.readouterr().err
