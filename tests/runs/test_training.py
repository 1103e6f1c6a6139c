"""One call for a whole run of anyone's roles, from Python and by name from the command line."""

import jax.numpy as jnp
import pytest
from rich.console import Console

from jaxcurriculum import LoopConfig, make_loop, runs, teachers
from jaxcurriculum.cli import main
from jaxcurriculum.rollout import RolloutConfig
from jaxcurriculum.runs.store import title
from jaxcurriculum.students import PpoConfig, ppo
from jaxcurriculum.testing import probes

SILENT = Console(quiet=True)
ENV = probes.remember()
STUDENT = ppo(
    ENV, PpoConfig(hidden=(8,), minibatch_size=64), RolloutConfig(num_envs=8, num_steps=16)
)
LOOP = make_loop(
    teachers.random(ENV.task_space), STUDENT, jnp.zeros((3, 1)), LoopConfig(num_test_episodes=2)
)
MINE = """
from jaxcurriculum import learners, teachers
from jaxcurriculum.testing import probes

def world():
    return probes.remember()

def choose(space):
    return teachers.random(space)

def learn(env, num_envs):
    return learners.ppo(env, learners.PpoConfig(hidden=(8,), minibatch_size=64), num_envs)

def number():
    return 3
"""


def train(path, **others):
    return runs.train(LOOP, path, num_steps=600, num_seeds=2, console=SILENT, **others)


def test_a_loop_of_ones_own_is_recorded_and_goes_on_bit_for_bit(tmp_path):
    """Observations of several parts, discrete actions, no viewer: everything but a film."""
    whole = train(tmp_path / "whole", figures=True)
    assert title(whole.config) == "random teaching ppo"
    assert {path.name for path in (whole.path / "figures").iterdir()} == {
        "learning_curve.png",
        "curriculum.png",
        "mastery_map.png",
    }
    steps, mastered = whole.mastered()
    assert steps.tolist() == [128, 256, 384, 512, 640] and mastered.shape == (5, 2)
    half = runs.train(
        LOOP, tmp_path / "half", num_steps=300, num_seeds=2, console=SILENT, figures=False
    )
    assert len(half.mastered()[0]) == 3
    half = train(tmp_path / "half", resume=True, figures=False)
    assert half.episodes().equals(whole.episodes())
    assert half.evaluations().equals(whole.evaluations())


def test_what_a_run_is_keeps_its_settings(tmp_path):
    first = {"note": "first", "scale": float("nan")}
    train(tmp_path / "run", figures=False, settings=first)
    with pytest.raises(runs.RunError, match="already holds a run"):
        train(tmp_path / "run", figures=False)
    with pytest.raises(runs.RunError, match="note was first and is now second"):
        train(tmp_path / "run", figures=False, resume=True, settings=first | {"note": "second"})
    others = make_loop(LOOP.teacher, LOOP.student, jnp.ones((3, 1)), LOOP.config)
    with pytest.raises(runs.RunError, match="keeps a run's test tasks, but it was tested on as"):
        runs.train(
            others,
            tmp_path / "run",
            num_steps=600,
            num_seeds=2,
            console=SILENT,
            resume=True,
            settings=first,
        )


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"loop": LOOP.teacher}, "loop must be a Loop, as make_loop returns it, got Teacher"),
        ({"num_seeds": 0}, "num_seeds must be an integer between 1 and"),
        ({"num_seeds": 2.5}, "num_seeds must be an integer .*, got 2.5"),
        ({"num_steps": "1e3"}, "num_steps must lie between 1 and .*, got '1e3'"),
        ({"num_steps": float("nan")}, "num_steps must lie between 1 and .*, got nan"),
        ({"first_seed": 1.5}, "first_seed must be an integer between 0 and .*, got 1.5"),
        ({"first_seed": 2**31 - 1, "num_seeds": 2}, "first_seed must be an integer"),
        ({"num_seeds": 4, "group": 0}, "group must be an integer between 1 and .*, got 0"),
        ({"num_seeds": 4, "group": 3}, "group must divide num_seeds, got 3 for 4 seeds"),
        ({"settings": {"steps": 9}}, "settings may not hold 'steps'"),
        ({"log": "wandb"}, "log must be a list of names, got 'wandb'"),
    ],
)
def test_arguments_that_cannot_be_are_named(tmp_path, arguments, message):
    asked = {"loop": LOOP, "path": tmp_path / "none", "num_steps": 10, "console": SILENT}
    with pytest.raises(runs.RunError, match=message):
        runs.train(**(asked | arguments))
    assert not (tmp_path / "none").exists()


@pytest.fixture
def mine(tmp_path, monkeypatch):
    """The folder in which a command is started, with a module of one's own."""
    (tmp_path / "mine_for_test.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    return tmp_path


def command(*arguments):
    small = ("--steps", "300", "--evaluate-every", "100", "--name", "own")
    return main.run(["train", *small, *arguments])


@pytest.mark.usefixtures("no_figures")
def test_world_teacher_and_learner_by_the_names_of_their_functions(mine, capsys):
    own = ("--env", "mine_for_test:world", "--teacher", "mine_for_test:choose")
    sizes = ("--student.rollout.num-envs", "8", "--student.rollout.num-steps", "16")
    arguments = (*own, "--learner", "mine_for_test:learn", *sizes)
    assert command(*arguments) == 0, capsys.readouterr().err
    run = runs.Run(mine / "runs" / "own")
    before = run.episodes()
    assert run.config["env"] == "mine_for_test:world" and len(before) > 0
    assert main.run(["train", "--name", "own", "--resume", "--steps", "400"]) == 0
    assert len(run.episodes()) > len(before)


@pytest.mark.parametrize(
    "arguments, message",
    [
        (("--env", "nowhere:world"), "No module named 'nowhere'"),
        (("--env", "mine_for_test:island"), "mine_for_test has no 'island'"),
        (("--env", "mine_for_test:number"), "--env must make an Environment, got int"),
        (("--env", "mine_for_test:world", "--teacher", "alp-gmm", "--test-set", "2019"), "2019"),
    ],
)
def test_a_function_that_cannot_be_is_named(mine, capsys, arguments, message):
    assert command(*arguments) == 1
    assert message in capsys.readouterr().err and not (mine / "runs").exists()
