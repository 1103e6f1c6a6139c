"""A policy that was exported is loaded and shown without its run."""

import json

import jax.numpy as jnp
import numpy as np
import pytest
from PIL import Image

from jaxcurriculum import envs, make_loop, runs, students, teachers
from jaxcurriculum.cli import main
from jaxcurriculum.rollout import RolloutConfig

SIZES = {"num_envs": 8, "num_steps": 16, "pool_size": 16}


@pytest.fixture(scope="module")
def exported(tmp_path_factory):
    """A run of CartPole with two seeds, and the policy of the second."""
    folder = tmp_path_factory.mktemp("runs")
    flags = [f"--student.rollout.{name.replace('_', '-')}={size}" for name, size in SIZES.items()]
    parts = ["--env", "cart-pole", "--teacher", "random", "--student.hidden", "8"]
    length = ["--steps", "256", "--evaluate-every", "128", "--seeds", "2", "--seed", "3"]
    place = ["--student.minibatch-size", "64", "--out", str(folder), "--name", "poles"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(main, "draw_results", lambda *_: None)
        assert main.run(["train", *parts, *flags, *length, *place]) == 0
    file = folder / "policy.npz"
    assert main.run(["export", str(folder / "poles"), "--seed", "4", "--out", str(file)]) == 0
    return folder / "poles", file


def test_it_acts_as_the_run_does(exported, tmp_path):
    run, file = exported
    ours, theirs = runs.load_policy(file), runs.load_policy(run, seed=4)
    obs = jnp.linspace(-0.2, 0.3, ours.source.obs_shapes.size)
    assert ours.source.seed == 4 and ours.weights.keys() == theirs.weights.keys()
    assert ours(obs) == theirs(obs)
    again = runs.export_policy(ours, tmp_path / "again.npz")
    with np.load(file) as before, np.load(again) as now:
        assert before.files == now.files
        for name in before.files[:-1]:
            np.testing.assert_array_equal(before[name], now[name])
        old, new = (json.loads(str(arrays["header"])) for arrays in (before, now))
    assert old | {"run": new["run"]} == new


def test_it_is_rendered_as_the_run_is(exported, tmp_path, monkeypatch, capsys):
    run, file = exported
    task = runs.Run(run).evaluations().select(runs.Run(run).meta["axes"]["names"]).row(0)
    pictures = [tmp_path / name for name in ("run.png", "file.png")]
    runs.render(run, seed=4, task=task, at=0.1, out=pictures[0])
    words = ["--task", *map(str, task), "--at", "0.1", "--out", str(pictures[1])]
    assert main.run(["render", str(file), *words]) == 0
    first, second = (np.asarray(Image.open(path)) for path in pictures)
    np.testing.assert_array_equal(first, second)
    assert main.run(["render", str(file)]) == 1
    assert "is a policy alone, without evaluations: name a --task" in capsys.readouterr().err


def test_what_is_no_such_policy_is_said(exported, tmp_path):
    _, file = exported
    env, config = envs.cart_pole(), students.PpoConfig(hidden=(4,), minibatch_size=64)
    wide = students.ppo(env, config, RolloutConfig(**SIZES))
    loop = make_loop(teachers.random(env.task_space), wide, envs.uniform_tasks(env.task_space))
    with pytest.raises(runs.RunError, match="student.hidden was \\[8\\] there"):
        runs.load_policy(file, loop=loop)
    with pytest.raises(runs.RunError, match="seed must be one of the run's, 4 to 4, got 3"):
        runs.load_policy(file, seed=3)
    with pytest.raises(runs.RunError, match="There is no policy .*nowhere.npz"):
        runs.load_policy(tmp_path / "nowhere.npz")
    with np.load(file) as arrays:
        content = dict(arrays)
    header = json.loads(str(content["header"]))
    bias = next(name for name in header["weights"] if name.endswith("Dense_0.bias"))
    damaged = {
        "is damaged": file.read_bytes()[:500],
        "is not a file of `export_policy`": {"weights": np.zeros(3)},
        "does not fit ppo: .*Dense_0.bias": content | {bias: np.zeros(9)},
    }
    for message, arrays in damaged.items():
        bad = tmp_path / "bad.npz"
        if isinstance(arrays, bytes):
            bad.write_bytes(arrays)
        else:
            np.savez(bad, **arrays)
        with pytest.raises(runs.RunError, match=message):
            runs.load_policy(bad)
