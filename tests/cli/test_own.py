"""Functions of one's own by their names: their parameters are flags, and `list` tells of them."""

import json

import pytest

from jaxcurriculum.cli import main
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.cli.tables.own import own
from jaxcurriculum.runs.errors import RunError

MINE = '''
import dataclasses
import functools
import jax.numpy as jnp
from jaxcurriculum import Box, learners, teachers
from jaxcurriculum.configs import Config, field
from jaxcurriculum.testing import probes

calls = []

def world(length: int = 8, start=(0.0, 0.5), slippery=False, sound=None, score=max):
    """Walk to the end.

    The end is where the task says.
    """
    calls.append({"length": length, "start": start, "slippery": slippery, "score": score})
    return probes.remember()

@dataclasses.dataclass(frozen=True, kw_only=True)
class RetryConfig(Config):
    """How failures are tried again."""
    num: int = field(100, low=1, help="failures remembered")
    share: float = 0.5

def retry(space: Box, config: RetryConfig):
    calls.append(config)
    return teachers.random(space)

def learn(env, num_envs, rate=0.03):
    calls.append(rate)
    config = learners.PpoConfig(hidden=(8,), learning_rate=rate)
    return learners.ppo(env, config, num_envs)

def aim():
    return probes.target()

def recall(env, num_envs, width=8):
    return learners.sac(env, learners.SacConfig(hidden=(width,)))

def nothing(space, num: int):
    return teachers.random(space)

def steps(space, step=0.1, score="mine"):
    return teachers.random(space)

def many(a, b, c):
    return None

long_world = functools.partial(world, length=12)
'''


@pytest.fixture(autouse=True)
def mine(tmp_path, monkeypatch):
    """A module of one's own in the folder in which a command is started."""
    (tmp_path / "own_for_test.py").write_text(MINE)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    import own_for_test

    own_for_test.calls.clear()
    return own_for_test


def built(*arguments):
    return build(main.parse(["train", *arguments]))


def test_parameters_are_flags_that_a_run_remembers(mine):
    world = ("--env", "own_for_test:world", "--env.length", "12", "--env.slippery")
    roles = ("--teacher", "own_for_test:retry", "--learner", "own_for_test:learn")
    flags = ("--teacher.num=50", "--learner.rate=0.1", "--env.start", "0.25", "1")
    experiment = built(*world, *roles, *flags)
    first = list(mine.calls)
    assert first == [
        {"length": 12, "start": (0.25, 1.0), "slippery": True, "score": max},
        0.1,
        mine.RetryConfig(num=50),
    ]
    known = {"env.length": 12, "env.start": [0.25, 1.0], "teacher.num": 50, "learner.rate": 0.1}
    assert known.items() <= experiment.config.items() and "env.score" not in experiment.config
    recorded = Settings.recorded(json.loads(json.dumps(experiment.config)))
    mine.calls.clear()
    assert build(recorded).config == experiment.config and mine.calls == first


RECALL = ("--env", "own_for_test:aim", "--learner", "own_for_test:recall")


def test_a_learner_of_old_steps_takes_the_place_of_sac():
    sizes = ("--student.replay.capacity", "4096", "--learner.width", "4")
    experiment = built(*RECALL, "--student", "sac", *sizes)
    assert experiment.config["student.replay.capacity"] == 4096
    known = experiment.loop.student.config
    assert known["hidden"] == (4,) and known["replay"].capacity == 4096


def test_the_student_that_a_learner_is_for_is_named(capsys):
    assert main.run(["train", *RECALL, "--plan"]) == 1
    assert "learn from a replay: give it to --student sac." in capsys.readouterr().err


def test_defaults_are_those_of_the_functions(mine):
    built("--env", "own_for_test:world", "--teacher", "own_for_test:retry")
    assert mine.calls[0]["length"] == 8 and mine.calls[0]["start"] == (0.0, 0.5)
    assert mine.calls[1] == mine.RetryConfig()


def test_a_partial_function_is_one(mine, capsys):
    built("--env", "own_for_test:long_world", "--env.slippery", "--teacher", "random")
    assert mine.calls[0]["length"] == 12 and mine.calls[0]["slippery"]
    assert main.run(["list", "own_for_test:long_world"]) == 0
    assert "--env.length 12" in " ".join(capsys.readouterr().out.split())


def test_a_simulated_student_leaves_the_defaults_of_a_function_alone():
    config = build(Settings(student="toy-grid", teacher="own_for_test:steps")).config
    assert config["teacher.step"] == 0.1 and config["teacher.score"] == "mine"


def test_list_tells_of_a_function_as_of_a_line_of_its_tables(capsys):
    assert main.run(["list", "own_for_test:world", "own_for_test:retry", "own_for_test:learn"]) == 0
    shown = " ".join(capsys.readouterr().out.split())
    assert "world(length: int = 8, start=(0.0, 0.5), slippery=False" in shown
    assert "Walk to the end. The end is where the task says." in shown
    assert "--env.length 8" in shown and "--env.sound" not in shown and "--env.score" not in shown
    assert "--teacher.num 100 failures remembered" in shown and "--learner.rate 0.03" in shown


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--env", "own_for_test:world", "--env.length", "x"], "length"),
        (["--env", "own_for_test:world", "--env.width", "3"], "width"),
        (
            ["--env", "own_for_test:world", "--teacher", "own_for_test:nothing"],
            "--teacher own_for_test:nothing: it must be a function of the task space, its other",
        ),
        (
            ["--env", "own_for_test:world", "--teacher", "own_for_test:retry", "--teacher.num=0"],
            "RetryConfig.num must be an integer from 1",
        ),
    ],
)
def test_what_does_not_fit_is_named(arguments, message, capsys):
    with pytest.raises((SystemExit, RunError)) as error:
        built(*arguments)
    assert message in str(error.value) + capsys.readouterr().err


@pytest.mark.parametrize(
    "name, message",
    [
        ("own_for_test:many", "own_for_test:many makes no role"),
        ("own_for_test:island", "own_for_test:island: own_for_test has no 'island'"),
        ("nowhere:world", "nowhere:world: No module named 'nowhere'"),
    ],
)
def test_what_cannot_be_listed_is_named(name, message):
    with pytest.raises(RunError, match=message):
        own(name)
