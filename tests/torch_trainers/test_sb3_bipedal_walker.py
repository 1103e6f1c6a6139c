"""The example with Stable-Baselines3 as a user runs it: killed in the middle, and resumed."""

import pathlib
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

gymnasium = pytest.importorskip("gymnasium")
pytest.importorskip("stable_baselines3")

EXAMPLE = pathlib.Path(__file__).parents[2] / "docs/examples/sb3_bipedal_walker.py"
NUM_WORKERS = 2


@pytest.fixture(scope="module")
def example():
    sys.path.insert(0, str(EXAMPLE.parent))
    import sb3_bipedal_walker

    return sb3_bipedal_walker


def command(folder, *options):
    sizes = {"workers": NUM_WORKERS, "round": 128, "episode-steps": 20, "fit-every": 16}
    flags = [f"--{name}={size}" for name, size in sizes.items()]
    return [sys.executable, str(EXAMPLE), f"--folder={folder}", *flags, *options]


def teacher_states(folder):
    """The teacher's arrays in each whole checkpoint, by steps."""
    found = sorted(path for path in folder.glob("*") if path.name.isdigit())
    return {int(path.name): dict(np.load(path / "teacher.npz")) for path in found}


def test_killed_and_resumed(tmp_path):
    folder = tmp_path / "walker"
    running = subprocess.Popen(command(folder, "--steps", "1000000"))
    deadline = time.monotonic() + 400  # s, on a machine with much else to do
    while not len(list(folder.glob("0*"))) > 5 and time.monotonic() < deadline:
        assert running.poll() is None
        time.sleep(0.1)
    running.send_signal(signal.SIGKILL)
    running.wait()
    before = teacher_states(folder)
    latest = max(before)
    refused = subprocess.run(command(folder), capture_output=True, text=True)
    assert refused.returncode != 0 and "--resume goes on" in refused.stderr
    subprocess.run(command(folder, "--resume", "--steps", str(latest + 1536)), check=True)
    after = teacher_states(folder)
    assert max(after) > latest and latest in after
    for state in after.values():
        given_back = state["rounds.teacher.history.num_rows"] + len(state["waiting.valid"])
        assert len(state["open.ids"]) == 2 * NUM_WORKERS
        assert given_back == state["counts.tickets"] - 2 * NUM_WORKERS, "each ticket counts once"
    saved, last = before[latest], after[max(after)]
    assert last["counts.tickets"] > saved["counts.tickets"] > 2 * NUM_WORKERS
    assert last["rounds.teacher.num_fits"] > saved["rounds.teacher.num_fits"] > 0
    history = "rounds.teacher.history.values"
    num_before = int(saved["rounds.teacher.history.num_rows"])
    np.testing.assert_array_equal(last[history][:, :num_before], saved[history][:, :num_before])


def test_the_task_makes_the_ground(example):
    walker = example.RoughWalker()
    flat = ground(walker, [0.0, 0.0], seed=1)
    np.testing.assert_array_equal(flat, flat[0])
    rough, rougher = ground(walker, [1.0, 0.0], seed=1), ground(walker, [1.5, 0.0], seed=1)
    assert np.ptp(rough[:20]) == 0 and 0 < np.ptp(rough) < np.ptp(rougher)
    np.testing.assert_array_equal(ground(walker, [1.0, 0.0], seed=1), rough)
    num_pieces = len(walker.terrain)
    ground(walker, [1.0, 0.5], seed=1)
    assert len(walker.terrain) == num_pieces + 11  # every 15 of the 165 pieces behind the first
    assert walker.observation_space.contains(walker.reset()[0])


def ground(walker, task, seed):
    walker.set_task(np.array(task, np.float32), seed)
    walker.reset()
    return np.array(walker.terrain_y)
