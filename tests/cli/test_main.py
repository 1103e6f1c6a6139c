"""The command line on the toy grid: what it leaves on disk, what it says, and its exit status."""

import dataclasses
import json
import re
import signal
import time

import jax
import jax.numpy as jnp
import numpy as np
import polars as pl
import pytest
import toy_study
from toy_runs import start, train

from jaxcurriculum import map_seeds
from jaxcurriculum.cli import main, tables
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.report import summary
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


@pytest.mark.parametrize("num_seeds", [20, 101])
def test_many_seeds_are_summed_up_in_quantiles(tmp_path, num_seeds):
    run = store.Run(tmp_path)
    store.write_json(
        tmp_path / "config.json", dataclasses.asdict(Settings(teacher="riac", student="toy-grid"))
    )
    seeds = np.arange(num_seeds)
    store.Table(tmp_path / "episodes").append(pl.DataFrame({"seed": np.repeat(seeds, 3)}))
    tests = {"seed": seeds, "evaluation": 0 * seeds, "return": 1.0 * seeds, "solved": seeds >= 50}
    store.Table(tmp_path / "evaluations").append(pl.DataFrame(tests))
    names, *_, returns, mastered = (
        list(column.cells) for column in summary.seed_table(run).columns
    )
    if num_seeds == 20:
        assert names == [*map(str, range(20)), "mean ± sd"]
    else:
        assert names == ["min", "lower quartile", "median", "upper quartile", "max", "mean ± sd"]
        assert returns == [
            "0.00",
            "25.00",
            "50.00",
            "75.00",
            "100.00",
            f"50.00 ± {seeds.std(ddof=1):.2f}",
        ]
        assert mastered[:5] == ["0.0", "0.0", "100.0", "100.0", "100.0"]


@pytest.mark.parametrize(
    "content, reason",
    [
        ('{"num_seeds": 2, "gri', "Unterminated string"),
        ("", "Expecting value"),
        ("[]", "not a table"),
        ('{"num_seeds": 2, "grids": {"9-D": {"random": {}}}}', "not a table"),
        (
            (
                '{"num_seeds": 2, "grids": {"2-D-10": {"random": {"mean": [1], "sd": [1], "final":'
                " [1]}}}}"
            ),
            "scores are missing",
        ),
    ],
)
def test_a_broken_file_of_the_toy_study_is_named_and_kept(tmp_path, content, reason):
    path = tmp_path / "toy_study.json"
    path.write_text(content)
    with pytest.raises(
        SystemExit, match=f"toy_study.json is damaged .*{reason}.*: restore it, move it away"
    ) as exit:
        toy_study.run(tmp_path, ["2-D-10"], ["random"], 2)
    assert str(path) in str(exit.value) and path.read_text() == content
    assert list(tmp_path.iterdir()) == [path]


def test_seed_i_is_the_same_in_any_run(finished, tmp_path):
    _, other = train(tmp_path, "--seeds", "1", "--seed", "1", "--group", "1")
    mine = finished.episodes().filter(pl.col("seed") == 1)
    assert mine.equals(other.episodes())


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


def test_resume_remembers_settings_and_extends(finished, tmp_path, capsys):
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


def test_list_shows_the_parameters_of_what_is_named(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main.run(["list", "alp-gmm", "ppo"]) == 0
    shown = capsys.readouterr().out
    assert "teacher.exploration" in shown and "--student.rollout.num-envs" in shown
    assert "riac" not in shown
    assert main.run(["list", "alp_gmm"]) == 1
    assert "There is no part 'alp_gmm'; there are" in capsys.readouterr().err


@pytest.mark.parametrize("flags", [[], ["--html"]])
def test_a_simulated_student_cannot_be_rendered(flags, finished, capsys):
    assert main.run(["render", str(finished.path), *flags]) == 1
    assert "toy-grid is a simulated student without an environment" in capsys.readouterr().err


def test_plan_predicts_and_writes_nothing(tmp_path, capsys):
    status, run = train(tmp_path, "--plan", "--teacher", "random")
    shown = capsys.readouterr().out
    assert status == 0 and not run.path.exists()
    assert "8 evaluations, 8,000 episodes" in shown and "MiB" in shown and "run time" in shown


def test_debug_runs_one_round(tmp_path, capsys):
    status, run = train(tmp_path, "--debug", "--teacher", "random")
    assert status == 0 and not run.path.exists()
    assert "No nan in 1 round of 50 episodes; 50 episodes ended." in capsys.readouterr().out


def slow_to_end(student, rounds):
    """`student`, none of whose episodes end in the first rounds."""

    def train(key, state, proposals):
        own, episodes = student.train(key, state["own"], proposals)
        valid = episodes.valid & (state["round"] >= rounds)
        return {"own": own, "round": state["round"] + 1}, episodes.replace(valid=valid)

    return dataclasses.replace(
        student,
        init=lambda key: {"own": student.init(key), "round": jnp.int32(0)},
        train=train,
        evaluate=lambda key, state, *arguments: student.evaluate(key, state["own"], *arguments),
        report=lambda state: student.report(state["own"]),
    )


def test_debug_goes_on_until_an_episode_ends(tmp_path, monkeypatch, capsys):
    part = tables.STUDENTS["toy-grid"]
    slow = dataclasses.replace(part, make=lambda *arguments: slow_to_end(part.make(*arguments), 2))
    monkeypatch.setitem(tables.STUDENTS, "toy-grid", slow)
    train(tmp_path, "--debug", "--teacher", "random")
    assert "No nan in 3 rounds of 150 episodes; 50 episodes ended." in capsys.readouterr().out


@pytest.mark.slow
def test_debug_of_the_main_job_ends_episodes(capsys):
    assert main.run(["train", "--debug"]) == 0
    shown = re.match(
        r"No nan in 1 round of 2,048 environment steps; (\d+) episodes ended.",
        capsys.readouterr().out,
    )
    assert shown is not None and int(shown[1]) > 0


def test_debug_names_the_function_that_made_a_nan(tmp_path, monkeypatch):
    part = tables.TEACHERS["random"]

    def with_nan(space, config):
        teacher = part.make(space, config)
        update = lambda key, state, episodes, context: (
            {"score": jnp.mean(episodes.returns) * jnp.nan},
            jnp.int32(0),
        )
        return dataclasses.replace(
            teacher, init=lambda key: {"score": jnp.float32(0)}, update=update
        )

    monkeypatch.setitem(tables.TEACHERS, "random", dataclasses.replace(part, make=with_nan))
    with pytest.raises(FloatingPointError, match=r"random.update made a nan in .*score"):
        train(tmp_path, "--debug", "--teacher", "random")


def test_config_is_readable(finished):
    config = json.loads((finished.path / "config.json").read_text())
    assert (
        config["teacher.exploration"] == 0.2
        and config["student.cells"] == 5
        and config["loop.rounds_per_evaluation"] == 10
    )
