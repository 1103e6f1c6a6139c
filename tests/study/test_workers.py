"""Several processes on one study: none is corrupted, none runs a job twice, none loses anything."""

import json
import signal
import time

import pytest
from studies import FILE, content, run, runs_in, small, start

SEEDS = range(3)


def wait_for(condition):
    """Wait until there is something on the disk."""
    for _ in range(6000):
        if condition():
            return
        time.sleep(0.05)
    raise AssertionError("it never came")


def everything(runs):
    return {name: [content(run, seed) for seed in SEEDS] for name, run in runs.items()}


@pytest.mark.slow  # three processes that import
def test_two_processes_of_which_one_is_killed_end_as_one_does(tmp_path):
    file = tmp_path / "study.toml"
    file.write_text(FILE)
    shared = tmp_path / "shared"
    alone = run(small((0.1, 0.3, 0.5), steps=4000), tmp_path / "alone")  # the same as FILE
    workers = [start(file, shared) for _ in range(2)]
    wait_for(lambda: list(shared.glob("jobs/*/checkpoints/[0-9]*")))
    workers[0].send_signal(signal.SIGKILL)
    assert workers[1].wait() == 0, workers[1].stderr.read()
    last = start(file, shared)  # the killed one's job, if the other had begun none after it
    assert last.wait() == 0
    assert everything(runs_in(shared)) == everything(alone)
    done = [json.loads(path.read_text()) for path in shared.glob("jobs/*/done.json")]
    assert len(done) == 5 and {one["process"] for one in done} <= {
        process.pid for process in [*workers, last]
    }
