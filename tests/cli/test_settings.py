"""From texts to settings, configurations and experiments; every mistake is one sentence that
says what exists.
"""

import dataclasses
import io
import json

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from rich.console import Console

from jaxcurriculum import challenges, envs, teachers
from jaxcurriculum.cli import tables
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings, override, parameters
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.runs.errors import RunError


def space_of(experiment):
    return experiment.loop.student.task_space


def env_of(experiment):
    return experiment.loop.student.environment


TOY = Settings(student="toy-grid", teacher="random")


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


@pytest.mark.parametrize("teacher", tables.TEACHERS)
def test_every_teacher_goes_with_the_simulated_student(teacher):
    experiment = build(dataclasses.replace(TOY, teacher=teacher))
    assert experiment.num_advances == 20 and experiment.loop.steps_per_advance == 1000


@pytest.mark.parametrize("teacher", tables.TEACHERS)
def test_the_state_of_every_teacher_is_small(teacher):
    """Under 2 MB a seed with the default settings on two axes, whatever the length of a run."""
    state = jax.eval_shape(
        build(dataclasses.replace(TOY, teacher=teacher)).loop.teacher.init, jax.random.key(0)
    )
    assert sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)) < 2e6


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
        ({"student": "sac"}, "no student 'sac'; there are ppo, ppo-gru, toy-grid"),
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
        (
            {"student": "ppo", "fields": {"student.minibatch_size": 1000}},
            "minibatch_size must divide",
        ),
        (
            {"student": "ppo", "fields": {"env.min_stump_height": 3, "env.max_stump_height": 1}},
            "stump_height must be two numbers, the first not above the second",
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
    [*((name, {}) for name in tables.ENVIRONMENTS), *((name, SIZES) for name in WALKERS)],
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


@pytest.mark.parametrize(
    "seeds, group",
    [(1, 1), (2, 1), (3, 3), (4, 2), (6, 3), (64, 32), (1000, 50), (100, 50), (254, 127)],
)
def test_the_default_group_gives_both_devices_work_and_fits_their_caches(seeds, group):
    assert build(dataclasses.replace(TOY, seeds=seeds)).group == group


def test_on_a_gpu_all_seeds_are_one_group(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(jax, "devices", lambda: ["one"])
    assert build(dataclasses.replace(TOY, seeds=1000)).group == 1000


@pytest.mark.parametrize(
    "student, every",
    [("ppo", 7_000_000), ("toy-grid", 7000), ("abilities", 7000), ("skill-graph", 3500)],
)
def test_students_forget_within_their_default_run(student, every, untraced):
    assert (
        build(Settings(student=student, teacher="random", challenge="forgetting")).config[
            "challenge.every"
        ]
        == every
    )


def test_challenges_stretch_the_axis_of_difficulty():
    settings = Settings(student="abilities", teacher="random", challenge="mostly-trivial")
    space = space_of(build(settings))
    assert space.low[0] == 0 and space.low[1] == -space.high[1]


@pytest.mark.parametrize(
    "level, mean, grow_at", [(None, None, 0.75), ("low", None, 0.75), ("high", [0.0, 0.0], 0.75)]
)
def test_what_an_expert_tells(level, mean, grow_at, untraced):
    config = build(dataclasses.replace(TOY, teacher="adr", knowledge=level)).config
    assert (config["teacher.initial_mean"], config["teacher.grow_at"], config["knowledge"]) == (
        mean,
        grow_at,
        level,
    )
    walker = build(Settings(teacher="adr", knowledge="high")).config
    assert (walker["teacher.initial_mean"], walker["teacher.grow_at"]) == ([0.0, 6.0], 180.0)


def told(settings):
    """The easy task that ADR is told, as the teacher sees it, and the experiment."""
    experiment = build(dataclasses.replace(settings, teacher="adr", knowledge="high"))
    return experiment.config["teacher.initial_mean"], experiment


@pytest.mark.parametrize("landscape", [{}, {"challenge.landscape": 1}])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        *[
            {"student.dims": 3, "student.cells": 4, "student.corner": corner}
            for corner in (2, 5, 7)
        ],
        {"student.start_cell": (5, 2)},
        {"student.dims": 1, "student.start_cell": (7,)},
        {"student.irrelevant_dims": 2, "student.corner": 1},
    ],
)
def test_what_an_expert_tells_is_where_the_toy_grid_starts(changes, landscape):
    """A beginner learns there from the first episode on, as in no other cell, whatever the
    variant and the landscape.
    """
    challenge = "rugged" if landscape else "none"
    easy, experiment = told(
        dataclasses.replace(TOY, challenge=challenge, fields={**changes, **landscape})
    )
    assert build(Settings.recorded(experiment.config)).config == experiment.config
    student = experiment.loop.student
    proposals = fresh_proposals(jax.random.key(0), jnp.array([easy]))
    _, episodes = student.train(jax.random.key(0), student.init(jax.random.key(0)), proposals)
    np.testing.assert_allclose(episodes.returns, [0.01], rtol=1e-6)


@pytest.mark.parametrize(
    "changes, easy",
    [
        (
            {
                "env.min_stump_height": 1,
                "env.max_obstacle_spacing": 4,
                "env.sizes": ("leg_width",),
                "env.min_size": 1.2,
            },
            [1.0, 4.0, 1.2],
        ),
        (
            {
                "env.min_stump_height": -3,
                "env.stump_width": (0.5, 2),
                "env.stump_rotation": (0.1, 3),
                "env.min_obstacle_spacing": 1,
            },
            [0, 6, 1, 0.1],
        ),
    ],
)
def test_what_an_expert_tells_of_stump_tracks_follows_its_bounds(changes, easy, untraced):
    assert told(Settings(test_set="uniform", fields=changes))[0] == easy


def test_what_an_expert_tells_of_rugged_stump_tracks_is_the_same_easy_level(untraced):
    easy, experiment = told(Settings(challenge="rugged"))
    played = challenges.rugged_maps(space_of(experiment))[0](jnp.array(easy))
    np.testing.assert_allclose(played, [0.0, 6.0], atol=2e-3)
    assert np.abs(np.array(easy) - [0.0, 6.0]).min() > 0.5


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


def test_published_test_tasks():
    """Portelas et al. drew height, then spacing, one task after the other, from NumPy's
    RandomState(4222).
    """
    draw = np.random.RandomState(4222).uniform
    np.testing.assert_array_equal(
        envs.stump_tasks_2019(), np.float32([[draw(0, 3), draw(0, 6)] for _ in range(50)])
    )
    grid = envs.stump_tasks_grid()
    assert grid.shape == (100, 2) and len(np.unique(grid, axis=0)) == 100
    assert grid.min(0).tolist() == [0, 0] and grid.max(0).tolist() == [3, 6]


def test_recorded_settings_outlive_a_change_of_defaults(monkeypatch):
    first = build(
        dataclasses.replace(TOY, teacher="alp-gmm", fields={"teacher.return_range": (0, 2)})
    )
    changed = dataclasses.replace(
        tables.TEACHERS["alp-gmm"], config=teachers.AlpGmmConfig(exploration=0.9, history=500)
    )
    monkeypatch.setitem(tables.TEACHERS, "alp-gmm", changed)
    assert build(Settings.recorded(first.config)).config == first.config


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"env.min_size": 2}, "min_size must be positive and not above max_size, got 2.0 and 1.5"),
        ({"env.min_size": -1}, "min_size must be positive"),
        (
            {"env.sizes": ("upper_length", "upper_length")},
            "sizes must differ from each other, got upper_length, upper_length",
        ),
    ],
)
def test_sizes_that_cannot_be_say_why(change, message):
    with pytest.raises(RunError, match=message):
        build(Settings(fields=change))


BOX = {"challenge.low": (0.5, 0.5), "challenge.high": (1.0, 1.0)}


@pytest.mark.parametrize("challenge", [name for name in tables.CHALLENGES if name != "diverse"])
def test_every_challenge_goes_with_the_simulated_student(challenge):
    """Test tasks are those of the original space, as the teacher names them."""
    settings = dataclasses.replace(
        TOY, challenge=challenge, fields=BOX if challenge == "unlearnable" else {}
    )
    experiment, plain = build(settings), build(TOY)
    own, original = np.asarray(experiment.loop.test_tasks), np.asarray(plain.loop.test_tasks)
    assert build(Settings.recorded(experiment.config)).config == experiment.config
    assert own.shape == original.shape and experiment.loop.student.name.startswith("toy-grid")
    assert np.array_equal(own, original) == (challenge != "rugged")
    if challenge == "rugged":
        played = jax.vmap(challenges.rugged_maps(space_of(plain))[0])(own)
        np.testing.assert_allclose(played, original, atol=1e-4)


@pytest.mark.parametrize("challenge", ["mostly-unfeasible", "mostly-trivial"])
def test_walkers_are_given_bounds_instead(challenge):
    with pytest.raises(RunError, match="With an environment.*--env.m..-stump-height"):
        build(Settings(challenge=challenge))


def test_a_rugged_walker_is_tested_on_the_published_tasks(untraced):
    rugged, plain = (build(Settings(challenge=name)) for name in ("rugged", "none"))
    key = jax.random.key(0)
    tasks = rugged.loop.test_tasks, plain.loop.test_tasks
    levels = [
        jax.vmap(env.generate, in_axes=(None, 0))(key, own)
        for env, own in zip((env_of(rugged), env_of(plain)), tasks)
    ]
    np.testing.assert_allclose(levels[0].obstacles.top, levels[1].obstacles.top, atol=2e-3)
