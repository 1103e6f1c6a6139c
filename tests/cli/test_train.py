"""Training runs of the toy grid: what they leave on disk, what they say, and how they go on."""

import json
import signal
import time

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
from toy_runs import start, train

from jaxcurriculum import map_seeds
from jaxcurriculum.cli import main
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.runs import store
from jaxcurriculum.runs.checkpoint import digest
from jaxcurriculum.runs.host import initial_states, restore


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    status, run = train(tmp_path_factory.mktemp("runs"))
    assert status == 0
    return run


def test_the_files_say_what_the_loop_did(finished):
    experiment = build(Settings.recorded(finished.config))
    advance = map_seeds(experiment.loop.advance, 2, experiment.group)
    state, reports = initial_states(experiment), []
    for start_round in range(0, 80, 10):
        state, report = advance(state, jnp.int32(start_round))
        reports.append(jax.tree.map(np.asarray, report))
    episodes, tests, saved = finished.episodes(), finished.evaluations(), finished.reports()
    assert episodes.columns == ["seed", "round", "x0", "x1", "origin", "return", "length", "solved"]
    assert tests.columns == [
        "seed",
        "evaluation",
        "steps",
        "test_task",
        "x0",
        "x1",
        "return",
        "length",
        "solved",
    ]
    assert len(episodes) == 2 * 4000 and len(tests) == 2 * 8 * 25
    for seed in range(2):
        one = episodes.filter(pl.col("seed") == seed)
        assert one["round"].to_list() == np.repeat(np.arange(80), 50).tolist()
        np.testing.assert_array_equal(
            one["return"], np.concatenate([r.episodes.returns[seed].ravel() for r in reports])
        )
        tasks = np.concatenate([r.episodes.tasks[seed].reshape(-1, 2) for r in reports])
        np.testing.assert_array_equal(one.select("x0", "x1").to_numpy(), tasks)
        last = tests.filter((pl.col("seed") == seed) & (pl.col("evaluation") == 7))
        np.testing.assert_array_equal(last["solved"], reports[-1].evaluation.solved[seed])
        assert last["steps"].unique().to_list() == [4000] and last["test_task"].to_list() == list(
            range(25)
        )
    np.testing.assert_array_equal(saved["teacher.means"][-1], reports[-1].teacher.means)
    np.testing.assert_array_equal(
        saved["student.score"], np.stack([r.student["score"] for r in reports])
    )
    assert digest(restore(experiment, finished)) == digest(state)


def test_meta_and_figures(finished):
    meta = finished.meta
    assert meta["axes"] == {"names": ["x0", "x1"], "units": ["", ""], "low": [0, 0], "high": [1, 1]}
    assert (meta["step_unit"], meta["steps_per_round"], meta["evaluations_done"]) == (
        "episodes",
        50,
        8,
    )
    assert meta["versions"]["jax"] == jax.__version__ and meta["wall_seconds"] > 0
    assert sorted(path.name for path in finished.figures.iterdir()) == [
        "curriculum.png",
        "learning_curve.png",
        "mastery_map.png",
    ]
    assert len(list((finished.path / "checkpoints").iterdir())) <= 2


def test_the_end_of_a_run_shows_a_table_and_paths(tmp_path, capsys):
    status, run = train(tmp_path, "--teacher", "random")
    shown = capsys.readouterr().out
    assert status == 0 and "mastered" in shown and "4,000 episodes a seed, 8,000 in all" in shown
    for name in ("learning_curve", "curriculum", "mastery_map"):
        assert str(run.path / "figures" / f"{name}.png") in shown


@pytest.mark.slow
def test_seed_i_is_the_same_in_any_run(finished, tmp_path, no_figures):
    _, other = train(tmp_path, "--seeds", "1", "--seed", "1", "--group", "1")
    for mine, theirs in (
        (finished.episodes(), other.episodes()),
        (finished.evaluations(), other.evaluations()),
    ):
        assert mine.filter(pl.col("seed") == 1).equals(theirs)


def test_a_run_is_never_overwritten(finished, capsys):
    before = finished.episodes()
    status, _ = train(finished.path.parent)
    assert (
        status == 1
        and "already holds a run: go on with it by --resume, or choose another --name"
        in capsys.readouterr().err
    )
    assert finished.episodes().equals(before)


def test_resume_with_other_settings_names_the_first_that_differs(finished, capsys):
    status, _ = train(finished.path.parent, "--resume", "--teacher", "random")
    assert status == 1 and "teacher was alp-gmm and is now random" in capsys.readouterr().err
    status, _ = train(finished.path.parent, "--resume", "--seeds", "4")
    assert status == 1 and "seeds was 2 and is now 4" in capsys.readouterr().err


def test_a_resumed_run_keeps_its_teacher_and_does_not_shrink(finished, capsys):
    folder = finished.path.parent
    before = (finished.path / "config.json").read_text()
    for arguments, message in (
        (("--teacher", "oracle"), "teacher was"),
        (("--steps", "500"), "may only grow"),
    ):
        assert (
            main.run(
                [
                    "train",
                    "--resume",
                    "--out",
                    str(folder),
                    "--name",
                    finished.path.name,
                    *arguments,
                ]
            )
            == 1
        )
        assert message in capsys.readouterr().err
    assert (finished.path / "config.json").read_text() == before


def test_resume_remembers_settings_and_extends(finished, tmp_path, no_figures):
    short, run = train(tmp_path, "--steps", "2000")
    extended = main.run(
        ["train", "--resume", "--out", str(tmp_path), "--name", "run", "--steps", "4000"]
    )
    assert (short, extended) == (0, 0)
    assert run.episodes().equals(finished.episodes()) and run.evaluations().equals(
        finished.evaluations()
    )
    again = main.run(["train", "--resume", "--out", str(tmp_path), "--name", "run"])
    assert again == 0 and run.episodes().equals(finished.episodes())
    assert run.config["steps"] == 4000


def test_ctrl_c_saves_and_exits_with_130(tmp_path):
    process = start(tmp_path, "--steps", "4e6", "--teacher", "random")
    checkpoints = tmp_path / "run" / "checkpoints"
    while process.poll() is None and not any(path.name.isdigit() for path in checkpoints.glob("*")):
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    errors = process.communicate(timeout=60)[1]
    assert (
        process.returncode == 130
        and "interrupted; everything so far is in" in errors
        and "Traceback" not in errors
    )
    run = store.Run(tmp_path / "run")
    done = run.meta["evaluations_done"]
    assert [int(path.name) for path in checkpoints.iterdir() if path.name == str(done)] == [done]
    assert run.evaluations()["evaluation"].max() == done - 1


@pytest.mark.parametrize("flags", [[], ["--html"]])
def test_a_simulated_student_cannot_be_rendered(flags, finished, capsys):
    assert main.run(["render", str(finished.path), *flags]) == 1
    assert "toy-grid is a simulated student without an environment" in capsys.readouterr().err


def test_config_is_readable(finished):
    config = json.loads((finished.path / "config.json").read_text())
    assert (
        config["teacher.exploration"] == 0.2
        and config["student.cells"] == 5
        and config["loop.rounds_per_evaluation"] == 10
    )
