"""Dashboards get the numbers of a run's own files, each once, however often it was resumed."""

import shutil
import struct
import sys
import types

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from rich.console import Console
from tensorboardX import event_file_writer
from tensorboardX.proto.event_pb2 import Event

from jaxcurriculum import LoopConfig, make_loop, runs, teachers
from jaxcurriculum.cli import main
from jaxcurriculum.runs import logs, recorder
from jaxcurriculum.students import simulated

GRID = simulated.ToyGridConfig(cells=3, episodes_per_round=40)
STUDENT = simulated.toy_grid(GRID)
LOOP = make_loop(
    teachers.random(STUDENT.task_space),
    STUDENT,
    simulated.toy_grid_test_tasks(GRID),
    LoopConfig(rounds_per_evaluation=2),
)
ADVANCE = 80  # episodes


class Wandb(types.ModuleType):
    """As much of the package as is used, keeping what it is told."""

    def __init__(self):
        super().__init__("wandb")
        self.runs = []

    def Settings(self, **options):  # noqa: N802
        return options

    def init(self, **options):
        made = types.SimpleNamespace(options=options, points=[], is_finished=False)
        made.log = lambda scalars, step: made.points.append((step, scalars))
        made.finish = lambda: setattr(made, "is_finished", True)
        self.runs.append(made)
        return made


@pytest.fixture(scope="module")
def wandb():
    with pytest.MonkeyPatch.context() as patch:
        fake = Wandb()
        patch.setitem(sys.modules, "wandb", fake)
        patch.delenv("WANDB_MODE", raising=False)
        patch.delenv("WANDB_PROJECT", raising=False)
        yield fake


def train(path, advances, **options):
    options = {"num_seeds": 2, "figures": False, "console": Console(quiet=True)} | options
    return runs.train(LOOP, path, num_steps=advances * ADVANCE, **options)


@pytest.fixture(scope="module")
def logged(wandb, tmp_path_factory):
    """A run that loses its newest checkpoint after five evaluations, and goes on to eight."""
    path = tmp_path_factory.mktemp("runs") / "logged"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recorder, "SECONDS_BETWEEN_CHECKPOINTS", 0.0)
        patch.setattr(event_file_writer.time, "time", lambda: 1.8e9)  # both within a second
        train(path, 5, log=("tensorboard", "wandb"))
        shutil.rmtree(path / "checkpoints" / "5")
        return train(path, 8, resume=True)


def scalars(path):
    """(name, step, value) of every point in the event files under `path`: records of a length,
    its checksum, the event and its checksum.
    """
    points = []
    for file in sorted(path.glob("events*")):
        content, place = file.read_bytes(), 0
        while place < len(content):
            (length,) = struct.unpack_from("<Q", content, place)
            event = Event.FromString(content[place + 12 : place + 12 + length])
            points += [(one.tag, event.step, one.simple_value) for one in event.summary.value]
            place += length + 16
    return points


def expected(run, seed):
    """What the tables say: (name, step) to value."""
    tests, episodes = (
        table.filter(pl.col("seed") == seed) for table in (run.evaluations(), run.episodes())
    )
    known = {}
    for (step,), one in tests.group_by("steps"):
        known["eval/mean_reward", step] = one["return"].mean()
        known["eval/success_rate", step] = one["solved"].mean()
        ended = episodes.filter(pl.col("round") // 2 == step // ADVANCE - 1)
        known["rollout/episodes", step] = len(ended)
        known["rollout/ep_rew_mean", step] = ended["return"].mean()
        known["rollout/success_rate", step] = ended["solved"].mean()
        known["teacher/tasks/x1", step] = ended["x1"].mean()
        known["train/score", step] = run.reports()["student.score"][
            step // ADVANCE - 1, seed
        ].mean()
    return known


@pytest.mark.parametrize("seed", [0, 1])
def test_tensorboard_has_every_number_of_the_tables_once(logged, seed):
    points = scalars(logged.path / "tensorboard" / f"seed{seed}")
    places = [(name, step) for name, step, _ in points]
    assert len(places) == len(set(places)), "no point twice"
    found = {(name, step): value for name, step, value in points}
    known = expected(logged, seed)
    assert {step for _, step in known} == {ADVANCE * number for number in range(1, 9)}
    for place, value in known.items():
        np.testing.assert_allclose(found[place], value, rtol=1e-5)
    assert all(found["time/fps", step] > 0 for _, step in known)


@pytest.mark.parametrize("seed", [0, 1])
def test_weights_and_biases_has_a_run_a_seed_of_one_group(logged, wandb, seed):
    before, after = (wandb.runs[index] for index in (seed, 2 + seed))
    assert before.options["id"] == after.options["id"] and before.is_finished and after.is_finished
    assert before.options["name"] == f"logged-seed{seed}"
    assert before.options["mode"] == "offline"
    assert len({made.options["group"] for made in wandb.runs}) == 1
    assert len({made.options["id"] for made in wandb.runs}) == 2
    points = before.points + after.points
    assert [step for step, _ in points] == [ADVANCE * number for number in range(1, 9)]
    for (name, step), value in expected(logged, seed).items():
        np.testing.assert_allclose(dict(points)[step][name], value, rtol=1e-5)


def test_an_evaluation_in_which_no_episode_ended_has_no_means():
    _, report = jax.jit(LOOP.advance)(LOOP.init(jax.random.key(0)), jnp.int32(0))
    report = jax.tree.map(np.asarray, report)
    unended = report.episodes.replace(valid=np.zeros_like(report.episodes.valid))
    names = logs.scalars(report, STUDENT.task_space)
    fewer = logs.scalars(report.replace(episodes=unended), STUDENT.task_space)
    assert names["rollout/episodes"] == ADVANCE and fewer["rollout/episodes"] == 0
    means = {"rollout/ep_rew_mean", "rollout/ep_len_mean", "rollout/success_rate"}
    assert set(names) - set(fewer) == means | {"teacher/tasks/x0", "teacher/tasks/x1"}


@pytest.mark.parametrize(
    "log, others, message",
    [
        ("comet", {}, "There is no log 'comet'; there are tensorboard, wandb"),
        ("tensorboard", {"num_seeds": 65}, "log tensorboard takes at most 64 seeds, got 65"),
        ("wandb", {}, r"log wandb needs the package wandb: pip install 'jaxcurriculum\[log\]'"),
    ],
)
def test_what_cannot_be_logged_is_said_before_the_run(tmp_path, monkeypatch, log, others, message):
    monkeypatch.setitem(sys.modules, "wandb", None)
    with pytest.raises(runs.RunError, match=message):
        train(tmp_path / "run", 1, log=(log,), **others)
    assert not (tmp_path / "run").exists()


def test_a_package_that_is_missing_is_said_at_the_command_line(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    toy = ("--student", "toy-grid", "--teacher", "random", "--out", str(tmp_path))
    assert main.run(["train", *toy, "--log", "tensorboard"]) == 1
    assert "needs the package tensorboardX: pip install" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
