"""Runs made from Python and from the command line are shown and compared alike."""

import json

import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from PIL import Image
from rich.console import Console

from jaxcurriculum import LoopConfig, envs, make_loop, runs, students, teachers
from jaxcurriculum.cli import main
from jaxcurriculum.report.compare import compare
from jaxcurriculum.rollout import RolloutConfig

SILENT = Console(quiet=True)
SIZES = {"num_envs": 8, "num_steps": 16, "pool_size": 16}
FLAGS = [f"--student.rollout.{name.replace('_', '-')}={size}" for name, size in SIZES.items()]
HARD = "runs.train(..., resume=True)"


def loop_of(hidden=8):
    env = envs.cart_pole({"length": (0.1, 3.0)})
    config = students.PpoConfig(hidden=(hidden,), minibatch_size=64)
    student = students.ppo(env, config, RolloutConfig(**SIZES))
    tasks = envs.uniform_tasks(env.task_space)
    return make_loop(teachers.random(env.task_space), student, tasks, LoopConfig())


@pytest.fixture(scope="module")
def by_python(tmp_path_factory):
    path = tmp_path_factory.mktemp("python") / "mine"
    return runs.train(loop_of(), path, num_steps=256, console=SILENT, figures=False)


@pytest.fixture(scope="module")
def by_command(tmp_path_factory):
    """The same by name."""
    folder = tmp_path_factory.mktemp("command")
    none = [f"--env.{name}=None" for name in ("gravity", "mass-cart", "mass-pole", "force")]
    sizes = ["--student.hidden", "8", "--student.minibatch-size", "64", *FLAGS, "--seeds", "1"]
    length = ["--steps", "256", "--evaluate-every", "128", "--out", str(folder), "--name", "named"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "draw_results", lambda *_: None)
        made = ["train", "--env", "cart-pole", "--teacher", "random", *none, *sizes, *length]
        assert main.run(made) == 0
    return runs.Run(folder / "named")


def test_a_run_is_rendered_from_python(by_python, by_command, tmp_path):
    for run in (by_python, by_command):
        path = runs.render(run.path, loop=loop_of(), task=[0.5], at=0, out=tmp_path / "start.png")
        assert Image.open(path).size == (480, 256)
    assert by_command.evaluations().equals(by_python.evaluations())


def test_a_report_shows_students_at_work(by_python, by_command, tmp_path):
    console = Console(record=True, width=300)
    paths = runs.report([by_python.path, by_command.path], tmp_path, walks=True, console=console)
    text = console.export_text()
    assert "random (mine) does not play: " in text and "was made from Python" in text
    assert "random (named)" in text and "random (named) does not play" not in text
    assert "random (named), seed 0" in (page := paths[0].read_text())
    assert page.count("data:image/gif;base64,") == 9


def test_the_lengths_of_poles_and_of_episodes_are_two_columns(by_python):
    assert by_python.meta["axes"]["names"] == ["task_length"]
    for table in (by_python.episodes(), by_python.evaluations()):
        assert table["task_length"].is_between(0.1, 3.0).all() and table["length"].dtype == pl.Int32


def test_what_cannot_be_rendered_is_named(by_python, tmp_path):
    other = "student.hidden was \\[8\\] there and is \\[4\\] here"
    with pytest.raises(runs.RunError, match=other):
        runs.render(by_python.path, loop=loop_of(hidden=4))
    with pytest.raises(runs.RunError, match="holds no run"):
        runs.render(tmp_path, loop=loop_of())
    with pytest.raises(runs.RunError, match="`task` takes one value an axis"):
        runs.render(by_python.path, loop=loop_of(), task=jnp.ones(2))
    with pytest.raises(runs.RunError, match="`at` names the moment"):
        runs.render(by_python.path, loop=loop_of(), html=True, at=1.0)


@pytest.mark.parametrize("arguments", [("render",), ("train", "--resume", "--out")])
def test_the_command_line_sends_a_run_of_python_home(by_python, arguments, capsys):
    path = by_python.path
    words = [path.parent, "--name", path.name] if "--out" in arguments else [path]
    assert main.run([*arguments, *map(str, words)]) == 1
    assert f"This run was made from Python: go on with it by {HARD}" in capsys.readouterr().err


def test_runs_are_compared_however_they_were_made(by_python, by_command, tmp_path):
    said = Console(record=True, width=120)
    compare([by_python, by_command], tmp_path / "both.png", said)
    text = said.export_text()
    assert "mine" in text and "named" in text and "They differ" not in text


def test_sentences_name_what_was_asked_by(by_python, capsys):
    with pytest.raises(runs.RunError, match="go on with it by `resume=True`"):
        runs.train(loop_of(), by_python.path, num_steps=256, console=SILENT)
    with pytest.raises(runs.RunError, match="`num_steps` of a resumed run may only grow"):
        runs.train(loop_of(), by_python.path, num_steps=128, console=SILENT, resume=True)
    folder = ["--out", str(by_python.path.parent), "--name", by_python.path.name]
    assert main.run(["train", *folder]) == 1
    assert "go on with it by --resume, or choose another --name" in capsys.readouterr().err


@pytest.fixture(scope="module")
def exported(by_command):
    """The policy of that run as a file."""
    file = by_command.path.parent / "policy.npz"
    assert main.run(["export", str(by_command.path), "--out", str(file)]) == 0
    return file


def test_a_policy_file_acts_as_its_run_does(by_command, exported, tmp_path):
    ours, theirs = runs.load_policy(exported), runs.load_policy(by_command)
    obs = jnp.linspace(-0.2, 0.3, ours.source.obs_shapes.size)
    assert ours.weights.keys() == theirs.weights.keys() and ours(obs) == theirs(obs)
    again = runs.export_policy(ours, tmp_path / "again.npz")
    with np.load(exported) as before, np.load(again) as now:
        assert before.files == now.files
        for name in set(before.files) - {"header"}:
            np.testing.assert_array_equal(before[name], now[name])
        old, new = (json.loads(str(arrays["header"])) for arrays in (before, now))
    assert old | {"run": new["run"]} == new


def test_a_policy_file_is_rendered_as_its_run_is(by_command, exported, tmp_path, capsys):
    pictures = [tmp_path / name for name in ("run.png", "file.png")]
    for path, picture in zip((by_command.path, exported), pictures):
        words = ["--task", "0.5", "--at", "0.1", "--out", str(picture)]
        assert main.run(["render", str(path), *words]) == 0
    first, second = (np.asarray(Image.open(path)) for path in pictures)
    np.testing.assert_array_equal(first, second)
    assert main.run(["render", str(exported)]) == 1
    assert "is a policy alone, without evaluations: name a --task" in capsys.readouterr().err


def test_what_is_no_such_policy_is_said(exported, tmp_path):
    with pytest.raises(runs.RunError, match="student.hidden was \\[8\\] there"):
        runs.load_policy(exported, loop=loop_of(hidden=4))
    with pytest.raises(runs.RunError, match="seed must be one of the run's, 0 to 0, got 3"):
        runs.load_policy(exported, seed=3)
    with pytest.raises(runs.RunError, match="There is no policy .*nowhere.npz"):
        runs.load_policy(tmp_path / "nowhere.npz")
    with np.load(exported) as arrays:
        content = dict(arrays)
    weights = json.loads(str(content["header"]))["weights"]
    bias = next(name for name in weights if name.endswith("Dense_0.bias"))
    bad = tmp_path / "bad.npz"
    damaged = {
        "is not a file of `export_policy`": {"weights": np.zeros(3)},
        "does not fit ppo: .*Dense_0.bias": content | {bias: np.zeros(9)},
    }
    for message, arrays in damaged.items():
        np.savez(bad, **arrays)
        with pytest.raises(runs.RunError, match=message):
            runs.load_policy(bad)
    bad.write_bytes(exported.read_bytes()[:500])
    with pytest.raises(runs.RunError, match="is damaged"):
        runs.load_policy(bad)
