"""From settings to experiments: every teacher and challenge, groups of seeds, what experts know."""

import dataclasses
import math

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from toy_runs import TOY, space_of

from jaxcurriculum import challenges
from jaxcurriculum.cli import tables
from jaxcurriculum.cli.build import build
from jaxcurriculum.cli.settings import Settings
from jaxcurriculum.records import fresh_proposals
from jaxcurriculum.runs.errors import RunError
from jaxcurriculum.runs.experiment import best_group


def env_of(experiment):
    return experiment.loop.student.environment


@pytest.mark.parametrize("teacher", tables.TEACHERS)
def test_every_teacher_goes_with_the_simulated_student(teacher):
    """An advance is 1,000 episodes, in whole rounds; those of several students count."""
    experiment = build(dataclasses.replace(TOY, teacher=teacher))
    steps, of_a_round = (
        experiment.loop.steps_per_advance,
        experiment.loop.student.steps_per_round,
    )
    assert abs(steps - 1000) <= of_a_round / 2 and steps % of_a_round == 0
    assert experiment.num_advances == math.ceil(20_000 / steps)


@pytest.mark.parametrize("teacher", tables.TEACHERS)
def test_the_state_of_every_teacher_is_small(teacher, untraced):
    """Under 2 MB a seed with the default settings on two axes, whatever the length of a run."""
    state = jax.eval_shape(
        build(dataclasses.replace(TOY, teacher=teacher)).loop.teacher.init, jax.random.key(0)
    )
    assert sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state)) < 2e6


@pytest.mark.parametrize(
    "seeds, group",
    [(1, 1), (2, 1), (3, 3), (4, 2), (6, 3), (64, 32), (1000, 50), (100, 50), (254, 127)],
)
def test_the_default_group_gives_both_devices_work_and_fits_their_caches(seeds, group):
    assert build(dataclasses.replace(TOY, seeds=seeds)).group == group


@pytest.mark.parametrize("steps, group", [(1, 50), (256, 10), (2048, 2), (4096, 1), (32_768, 1)])
def test_long_rounds_make_the_default_group_small(steps, group):
    assert best_group(100, 2, steps) == group


def test_on_a_gpu_all_seeds_are_one_group(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert best_group(1000, 1, 32_768) == 1000


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
def test_what_an_expert_tells_is_where_the_toy_grid_starts(changes, landscape, untraced):
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
    key = jax.random.key(0)
    _, episodes = student.train(key, student.init(key), proposals, jnp.int32(0))
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
