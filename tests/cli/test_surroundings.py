"""What a process is started in: notebooks, threads, terminals that are not UTF-8, schedulers."""

import io
import os
import signal
import subprocess
import sys
import threading
import types

import matplotlib
import pytest
from rich.console import Console
from toy_runs import train

from jaxcurriculum.cli import main
from jaxcurriculum.report import film, plots, summary
from jaxcurriculum.runs import results

RANDOM = ("--teacher", "random", "--steps", "1000")


def playing(an_environment):
    """As much of an experiment as the end of a run asks for."""
    env = types.SimpleNamespace(viewer=True) if an_environment else None
    student = types.SimpleNamespace(environment=env)
    return types.SimpleNamespace(loop=types.SimpleNamespace(student=student))


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    status, run = train(tmp_path_factory.mktemp("runs"), *RANDOM)
    assert status == 0
    return run


@pytest.mark.slow
def test_the_backend_of_a_notebook_is_not_needed(finished):
    program = "from jaxcurriculum.cli import main; main.main()"
    command = [sys.executable, "-c", program, "plot", finished.path]
    surroundings = os.environ | {"MPLBACKEND": "module://matplotlib_inline.backend_inline"}
    done = subprocess.run(command, env=surroundings, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")


def test_figures_do_not_need_latex(finished):
    with matplotlib.rc_context({"text.usetex": True, "font.size": 50}):
        assert len(plots.draw(finished)) == 3


def test_a_terminal_that_is_not_utf_8(finished, monkeypatch, no_figures):
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", stream)
    folder, name = str(finished.path.parent), finished.path.name
    assert main.run(["train", "--out", folder, "--name", name, "--resume"]) == 0
    stream.flush()
    shown = stream.buffer.getvalue().decode("ascii")
    assert "mean ? sd" in shown


def test_a_run_from_another_thread_ends_with_the_same_numbers(finished, tmp_path, no_figures):
    answers = []
    thread = threading.Thread(target=lambda: answers.append(train(tmp_path, *RANDOM)))
    thread.start()
    thread.join()
    ((status, run),) = answers
    assert status == 0 and run.episodes().equals(finished.episodes())


@pytest.mark.usefixtures("no_figures")
@pytest.mark.parametrize(
    "number, status, how",
    [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "terminated")],
)
def test_a_signal_saves_a_checkpoint_and_says_how_to_go_on(
    finished,
    tmp_path,
    monkeypatch,
    capsys,
    number,
    status,
    how,
):
    handlers = [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)]
    show = "jaxcurriculum.runs.progress.Watch.show"
    with monkeypatch.context() as patch:
        patch.setattr(show, lambda *_: signal.raise_signal(number))
        stopped, run = train(tmp_path, *RANDOM)
    again = f"jaxcurriculum train --out {tmp_path} --name run --resume"
    assert stopped == status
    message = f"{how}; everything so far is in {run.path}, go on with: {again}"
    assert capsys.readouterr().err == f"jaxcurriculum: {message}\n"
    assert [path.name for path in (run.path / "checkpoints").iterdir()] == ["1"]
    assert run.meta["evaluations_done"] == 1
    assert [signal.getsignal(one) for one in (signal.SIGINT, signal.SIGTERM)] == handlers
    assert main.run(again.split()[1:]) == 0 and run.episodes().equals(finished.episodes())


@pytest.mark.parametrize(
    "module, function, what, again",
    [
        (summary, "summarise", "table", "train --out {out} --name run --resume"),
        (plots, "draw", "figures", "plot {out}/run"),
        (plots, "mastery_map", "figures", "plot {out}/run"),
        (film, "animate", "film", "render {out}/run"),
    ],
)
def test_what_fails_after_the_training_says_how_to_try_again(
    finished,
    monkeypatch,
    capsys,
    module,
    function,
    what,
    again,
):
    def fail(*_, **__):
        raise ValueError("no font")

    monkeypatch.setattr(module, function, fail)
    experiment = playing(what == "film")
    results.draw_results(finished, experiment, Console(), results.by_commands(finished))
    shown = capsys.readouterr()
    command = again.format(out=finished.path.parent)
    message = f"the run is complete, but not its {what} (ValueError: no font)"
    assert shown.err == f"jaxcurriculum: {message}; try again with: jaxcurriculum {command}\n"
    assert "mastery_map.png" in shown.out if what == "table" else "mean ± sd" in shown.out


def test_ctrl_c_after_the_training_says_how_to_draw_again(finished, monkeypatch, capsys):
    def interrupt(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(film, "animate", interrupt)
    experiment = playing(True)
    with pytest.raises(KeyboardInterrupt):
        results.draw_results(finished, experiment, Console(), results.by_commands(finished))
    assert f"(interrupted); try again with: jaxcurriculum render {finished.path}\n" in (
        capsys.readouterr().err
    )
