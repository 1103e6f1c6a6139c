"""kill -9 at random moments, then --resume: the same numbers, bit for bit, as a run that
nothing happened to.
"""

import random
import signal
import time

import pytest
from toy_runs import start, train

from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.runs.checkpoint import digest
from jaxcurriculum.runs.host import restore
from jaxcurriculum.runs.store import Run

RUN = ("--teacher", "exp3", "--steps", "20000")  # 40 evaluations, each with its checkpoint
pytestmark = pytest.mark.usefixtures("no_figures")


def kill_at_random(folder, pause):
    """Start or resume, wait until a further checkpoint is there and then `pause` seconds, and
    kill.
    """
    checkpoints = folder / "run" / "checkpoints"
    newest = lambda: max(
        (int(path.name) for path in checkpoints.glob("*") if path.name.isdigit()), default=-1
    )
    before = newest()
    process = start(folder, "--resume", *RUN)
    while process.poll() is None and newest() == before:
        time.sleep(0.01)
    time.sleep(pause)
    process.send_signal(signal.SIGKILL)
    errors = process.communicate()[1]
    assert process.returncode in (-signal.SIGKILL, 0), errors


@pytest.mark.slow
def test_a_killed_run_ends_with_the_same_numbers(tmp_path):
    status, whole = train(tmp_path / "whole", *RUN)
    assert status == 0
    chance = random.Random(0)
    for _ in range(2):
        kill_at_random(tmp_path, chance.uniform(0, 0.4))
    killed = Run(tmp_path / "run")
    assert killed.meta["evaluations_done"] < 40
    process = start(tmp_path, "--resume", *RUN)
    errors = process.communicate()[1]
    assert process.returncode == 0, errors

    assert killed.episodes().equals(whole.episodes()) and killed.evaluations().equals(
        whole.evaluations()
    )
    ours, theirs = killed.reports(), whole.reports()
    assert ours.keys() == theirs.keys() and all(
        ours[name].tobytes() == theirs[name].tobytes() for name in theirs
    )
    states = [restore(build(Settings.recorded(run.config)), run) for run in (killed, whole)]
    assert digest(states[0]) == digest(states[1])
    assert whole.meta["evaluations_done"] == killed.meta["evaluations_done"] == 40


@pytest.mark.slow
def test_killed_before_the_first_checkpoint(tmp_path):
    process = start(tmp_path, "--teacher", "random")
    while process.poll() is None and not (tmp_path / "run" / "config.json").exists():
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    status, run = train(tmp_path, "--teacher", "random", "--resume")
    _, whole = train(tmp_path, "--teacher", "random", name="whole")
    assert status == 0 and run.episodes().equals(whole.episodes())


@pytest.mark.parametrize("folder", ["episodes", "evaluations"])
def test_rows_without_a_checkpoint_are_removed_on_resume(tmp_path, folder):
    """A run killed between its files and the checkpoint that covers them holds rows that the
    checkpoint does not know.
    """
    _, run = train(tmp_path, "--teacher", "random", "--steps", "2000")
    _, longer = train(tmp_path, "--teacher", "random", name="longer")
    for path in (longer.path / folder).iterdir():
        (run.path / folder / path.name).write_bytes(path.read_bytes())
    assert train(tmp_path, "--teacher", "random", "--resume", "--steps", "4000")[0] == 0
    assert run.episodes().equals(longer.episodes()) and run.evaluations().equals(
        longer.evaluations()
    )
