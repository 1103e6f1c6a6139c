"""The command `study`: flags that mean nothing together, and what it says when it is stopped."""

import signal

import pytest

from jaxcurriculum.cli import main, study_command


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "study.toml"
    path.write_text('teachers = ["random"]\nstudents = ["toy-grid"]\n')
    return str(path)


@pytest.mark.parametrize(
    "flags, message",
    [
        ("--worker 0/2 --ray local", "--worker and --ray do not go together: choose one of them."),
        ("--plan --worker 0/2", "--plan is of the whole study: leave --worker and --ray away."),
        ("--plan --ray local", "--plan is of the whole study"),
        ("--cpus-per-job 2", "--cpus-per-job is of a cluster: name it with --ray"),
        ("--gpus-per-job 0", "--gpus-per-job is of a cluster"),
        ("--worker=", "--worker is empty: say which, or leave it out."),
        ("--ray=", "--ray is empty: say which, or leave it out."),
        ("--plan --ray=", "--ray is empty"),
        ("--ray local --cpus-per-job 0", "A job must have a CPU, and may have GPUs, but was to"),
    ],
)
def test_flags_that_mean_nothing_together(file, flags, message, capsys):
    assert main.run(["study", file, *flags.split()]) == 1
    error = capsys.readouterr().err
    assert message in error and error.count("\n") == 1


@pytest.mark.parametrize("flags", ["", "--ray auto --cpus-per-job 2 --gpus-per-job 0"])
def test_what_is_stopped_tells_with_which_flags_it_goes_on(file, flags, capsys, monkeypatch):
    monkeypatch.setattr(study_command, "run_study_on", lambda *_: signal.SIGTERM)
    asked = ["study", file, *flags.split()]
    assert main.run(asked) == 128 + signal.SIGTERM
    told = capsys.readouterr().err.split("go on with: jaxcurriculum ")[1].split()
    assert told == ["study", file, "--folder", "studies/study", *flags.split()]


def test_a_finished_study_names_the_next_command(file, tmp_path, capsys, monkeypatch):
    folder = tmp_path / "a study"
    (folder / "runs/one").mkdir(parents=True)
    (folder / "runs/one/config.json").write_text("{}")
    monkeypatch.setattr(study_command, "run_study_on", lambda *_: None)
    assert main.run(["study", file, "--folder", str(folder)]) == 0
    assert capsys.readouterr().out.endswith(f": jaxcurriculum report '{folder}'\n")
