"""From texts to settings; every mistake is one sentence that says what exists, and what a run
records builds it again.
"""

import dataclasses
import io
import json

import pytest
from rich.console import Console
from toy_runs import TOY, space_of

from jaxcurriculum import teachers
from jaxcurriculum.cli import tables
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings, override, parameters
from jaxcurriculum.runs.errors import RunError


def test_override_reaches_into_nested_configurations_at_once():
    changes = {
        "rollout.num_envs": 32,
        "rollout.num_steps": 4,
        "minibatch_size": 64,
        "learning_rate": 1e-4,
    }
    config = override(tables.STUDENTS["ppo"].config, "student", changes)
    assert (
        config.rollout.num_envs,
        config.rollout.num_steps,
        config.minibatch_size,
        config.learning_rate,
    ) == (32, 4, 64, 1e-4)


def test_override_names_what_is_wrong():
    with pytest.raises(
        RunError,
        match="no field 'explore' in AlpGmmConfig; its fields are fit_every, .*exploration",
    ):
        override(teachers.AlpGmmConfig(), "teacher", {"explore": 0.1})
    with pytest.raises(
        RunError, match=r"exploration must be a finite number between 0 and 1, got 2"
    ):
        override(teachers.AlpGmmConfig(), "teacher", {"exploration": 2})


@pytest.mark.parametrize("table", [tables.ENVIRONMENTS, tables.TEACHERS, tables.STUDENTS])
def test_every_parameter_in_the_catalogue_says_what_it_means(table):
    for part in table.values():
        assert part.description and dataclasses.is_dataclass(part.config)
        for parameter in parameters(part.config):
            assert parameter.meaning, parameter.name


def test_a_run_records_the_world_that_it_has_and_no_other(untraced):
    toy, walker = (
        build(Settings(student=name, teacher="random")).config for name in ("toy-grid", "ppo")
    )
    assert toy["env"] is None and "env.body" not in toy
    assert (walker["env"], walker["env.body"]) == ("stump-tracks", "default")


def test_returns_of_the_toy_grid_are_not_scaled_unless_asked():
    def named(**fields):
        return build(dataclasses.replace(TOY, teacher="alp-gmm", **fields)).config

    assert named()["teacher.return_range"] is None
    asked = named(fields={"teacher.return_range": (0, 2)})
    assert asked["teacher.return_range"] == [0, 2]


@pytest.mark.parametrize(
    "changes, message",
    [
        ({"teacher": "alpgmm"}, "no teacher 'alpgmm'; there are random, oracle, riac"),
        ({"student": "dqn"}, "no student 'dqn'; there are ppo, ppo-gru, sac, sac-2019"),
        ({"student": "ppo", "env": "parkour"}, "no environment 'parkour'; there are stump-tracks"),
        (
            {"student": "ppo", "fields": {"env.body": "fish"}},
            "body must be one of default, short, long, quadruped or a Body, got 'fish'",
        ),
        ({"test_set": "2019"}, "no test set '2019'; there are cells"),
        ({"seeds": 4, "group": 3}, "--group must divide --seeds, got --group 3 for --seeds 4"),
        (
            {"teacher": "adr", "knowledge": "none"},
            "--knowledge none: AdrConfig needs the knowledge of a success",
        ),
        (
            {"teacher": "riac", "knowledge": "much"},
            "--knowledge much: there is no such level; there are none, low, high",
        ),
        (
            {"student": "abilities", "knowledge": "high"},
            "--knowledge high: with these settings no one task of abilities is known to be easy",
        ),
        (
            {"knowledge": "high", "fields": {"student.corner": "random"}},
            "--knowledge high: with these settings no one task of toy-grid",
        ),
        (
            {"challenge": "diverse"},
            "The challenge diverse is composed from Python, with jaxcurriculum.challenges.diverse",
        ),
        (
            {"challenge": "rugged", "fields": {"challenge.intervals": 3000000000.0}},
            "RuggedConfig.intervals must be an integer from 1 to 1000",
        ),
        (
            {"challenge": "rugged", "fields": {"challenge.landscape": 1e38}},
            "RuggedConfig.landscape must be an integer from 0 to 2147483647",
        ),
        (
            {"student": "ppo", "env": "hexagon-tracks", "knowledge": "low"},
            "--knowledge low: no expert knows hexagon-tracks",
        ),
        (
            {"challenge": "unlearnable"},
            "The challenge unlearnable needs a box: --challenge.low",
        ),
        ({"fields": {"student": 3}}, "student: there is no section"),
        (
            {"fields": {"env.max_stump_height": 2}},
            "no section 'env' here; there are teacher, student, challenge, loop",
        ),
        (
            {"fields": {"student.cells": 0}},
            "ToyGridConfig.cells must be an integer from 1 to 2147483647, got 0",
        ),
        ({"fields": {"loop.rounds_per_evaluation": 2}}, "give --evaluate-every instead"),
        (
            {"teacher": "oracle", "student": "ppo", "env": "hexagon-tracks"},
            "12 axes but step=(0.1, -0.2). Give it with --teacher.step.",
        ),
        (
            {"teacher": "skill-it", "fields": {"teacher.bandit.window": 0}},
            "SkillItConfig.window must be an integer from 1",
        ),
        (
            {"student": "toy-grid", "env": "stump-tracks"},
            "--env stump-tracks: the student toy-grid plays no environment; leave --env away.",
        ),
        (
            {"student": "abilities", "learner": "mine:make"},
            "--learner mine:make: the student abilities plays no environment",
        ),
        ({"student": "ppo", "learner": "sac"}, "is for one of your own; give --student sac."),
        (
            {"student": "ppo-gru", "learner": "mine:make"},
            "takes the place of PPO (--student ppo) or of SAC (--student sac), got --student ppo-g",
        ),
        (
            {"student": "ppo", "fields": {"student.minibatch_size": 1000}},
            "minibatch_size must divide",
        ),
        (
            {"student": "ppo", "fields": {"env.min_stump_height": 3, "env.max_stump_height": 1}},
            "stump_height must be two numbers, the first not above the second",
        ),
        (
            {"student": "ppo", "fields": {"env.min_size": 2}},
            "min_size must be positive and not above max_size, got 2.0 and 1.5",
        ),
        (
            {"student": "ppo", "fields": {"env.min_size": -1}},
            "min_size must be positive",
        ),
        (
            {"student": "ppo", "fields": {"env.sizes": ("upper_length", "upper_length")}},
            "sizes must differ from each other, got upper_length, upper_length",
        ),
        (
            {"student": "ppo", "env": "maze", "challenge": "mostly-unfeasible"},
            "widens an axis, and the tasks of this environment have none: leave --challenge out",
        ),
        (
            {"teacher": "accel", "fields": {"teacher.replay.robust": False}},
            "alone, got PlrConfig.robust=False. Give it with --teacher.replay.robust.",
        ),
        (
            {"student": "ppo", "env": "brax", "fields": {"env.axes": ("nope",)}},
            "axes must be of gravity, friction, mass, gear, damping, got 'nope'",
        ),
        (
            {"student": "ppo", "env": "brax", "fields": {"env.axes": ("gear",)}},
            "axes, low and high must be equally long, got 1 axes, 0 low and 0 high",
        ),
        (
            {"student": "ppo", "env": "gymnax", "fields": {"env.axes": ("nope",)}},
            "gymnax's CartPole-v1 has no parameter 'nope'; its numbers are: gravity, ",
        ),
    ],
)
def test_mistakes_are_one_sentence(changes, message):
    with pytest.raises(RunError) as error:
        build(dataclasses.replace(TOY, **changes))
    assert message in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    "changes", [{"seeds": 0}, {"steps": 0}, {"steps": float("nan")}, {"steps": 1e10}, {"seed": -1}]
)
def test_settings_out_of_range_are_refused(changes):
    with pytest.raises(ValueError, match=f"--{next(iter(changes))} must lie between"):
        Settings(**changes)


WALKERS = [name for name in tables.ENVIRONMENTS if "track" in name or "walker" in name]
SIZES = {"env.sizes": ("upper_length", "leg_width")}


@pytest.mark.parametrize(
    "name, changes",
    [
        *((name, {}) for name in tables.ENVIRONMENTS if name not in {"brax", *WALKERS[1:]}),
        pytest.param("brax", {"env.backend": "spring"}, marks=pytest.mark.slow),
        *(pytest.param(name, {}, marks=pytest.mark.slow) for name in WALKERS[1:]),
        *(pytest.param(name, SIZES, marks=pytest.mark.slow) for name in WALKERS),
    ],
)
def test_what_a_run_on_an_environment_records_builds_it_again(name, changes, untraced):
    first = build(Settings(env=name, teacher="random", test_set="uniform", fields=changes))
    again = build(Settings.recorded(json.loads(json.dumps(first.config))))
    assert again.config == first.config and space_of(again) == space_of(first)


def test_recorded_settings_build_the_same_experiment():
    first = build(dataclasses.replace(TOY, seeds=3, steps=1500, fields={"student.cells": 4}))
    again = build(Settings.recorded(first.config))
    assert (
        first.config["student.cells"] == 4
        and again.config == first.config
        and again.num_advances == first.num_advances == 2
    )


def test_the_list_says_what_experts_know_and_what_students_change():
    with Console(width=200, file=io.StringIO()) as console:
        tables.show(console, ["stump-tracks", "forgetting", "oracle", "diverse"])
    text = console.file.getvalue()
    assert (
        "--knowledge low: a return of 180.0 is a success, of 0.0 a failure; high: and (0.0, 6.0) is"
        " easy" in text
    )
    assert "between two beginnings; with toy-grid, abilities 7000; with skill-graph 3500" in text
    assert "above which the window moves; with toy-grid, abilities, skill-graph 0.75" in text
    assert "composed from Python, with jaxcurriculum.challenges.diverse" in text


def test_recorded_settings_outlive_a_change_of_defaults(monkeypatch):
    first = build(
        dataclasses.replace(TOY, teacher="alp-gmm", fields={"teacher.return_range": (0, 2)})
    )
    changed = dataclasses.replace(
        tables.TEACHERS["alp-gmm"], config=teachers.AlpGmmConfig(exploration=0.9, history=500)
    )
    monkeypatch.setitem(tables.TEACHERS, "alp-gmm", changed)
    assert build(Settings.recorded(first.config)).config == first.config
