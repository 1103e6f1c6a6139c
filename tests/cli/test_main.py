"""The commands beside training runs: help, lists, plans, and one round to debug."""

import dataclasses
import re

import jax.numpy as jnp
import pytest
from toy_runs import train

from jaxcurriculum.cli import main, tables


def test_list_shows_the_parameters_of_what_is_named(capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert main.run(["list", "alp-gmm", "ppo"]) == 0
    shown = capsys.readouterr().out
    assert "teacher.exploration" in shown and "--student.rollout.num-envs" in shown
    assert "riac" not in shown
    assert main.run(["list", "alp_gmm"]) == 1
    assert "There is no part 'alp_gmm'; there are" in capsys.readouterr().err


def test_a_folder_that_holds_no_run_cannot_be_drawn(capsys):
    assert main.run(["plot", "nowhere"]) == 1
    assert "nowhere holds no run" in capsys.readouterr().err


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

    def train(key, state, proposals, round):
        own, episodes = student.train(key, state["own"], proposals, round)
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


def test_debug_names_the_law_that_a_world_of_your_own_breaks(tmp_path, monkeypatch, capsys):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "forgetful.py").write_text(
        "from dataclasses import replace\n"
        "from jaxcurriculum import envs\n"
        "def world():\n"
        "    env = envs.point_mass()\n"
        "    return replace(env, generate=lambda key, task: env.generate(key, task * 0 + 1))\n"
    )
    status = main.run(["train", "--debug", "--env", "forgetful:world", "--teacher", "random"])
    assert status == 1
    said = capsys.readouterr().err
    assert re.fullmatch(
        r"jaxcurriculum: --env forgetful:world: .* ignores .* in 50 steps\.\n", said
    )
